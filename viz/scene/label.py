"""Labels: runs of text in a face and a script position, so that nothing has to be parsed later.

A name such as `W_xh` becomes W with a real subscript, the time a real superscript. The text of a
run is only ever text: renderers escape it, and `clean` spells out what no format can hold.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from viz.scene.style import SCRIPT

LIMIT = 32


class Run(NamedTuple):
    """Text with its role, on the line (0), above (1) or below (-1).

    Roles are "word" for text and signs of operations, "name" for the letters of a mathematical
    name, and "time" for its upright parts: digits, brackets, times.
    """

    text: str
    role: str = "word"
    script: int = 0


Label = tuple[Run, ...]


def clean(text: object, limit: int = LIMIT) -> str:
    r"""Text that any format can hold, and short.

    Control characters and lone surrogates are spelt as Python spells them.

    >>> print(clean("a\x00b\nc\ud800"))
    a\x00b\nc\ud800
    >>> len(clean("x" * 20000))
    32
    """
    short = str(text)[: limit + 1]
    if not short.isprintable():
        short = "".join(map(_shown, short))
    return short if len(short) <= limit else short[: limit - 1] + "…"


def _shown(char: str) -> str:
    # Control characters, lone surrogates, and the non-characters that XML does not allow. Marks of
    # writing direction (Cf) could make a label run over its neighbours.
    unsafe = unicodedata.category(char) in ("Cc", "Cs", "Cf", "Cn", "Zl", "Zp")
    return ascii(char)[1:-1] if unsafe and char != "\u200d" else char


def scoped(path: str) -> tuple[str, str]:
    """A path as its scope and its name; the ∂ of a cotangent belongs to the name.

    >>> scoped("layer1.C"), scoped("∂layer1.C"), scoped("h")
    (('layer1', 'C'), ('layer1', '∂C'), ('', 'h'))
    """
    sign = "∂" if path.startswith("∂") else ""
    scope, _, name = path[len(sign) :].rpartition(".")
    return scope, sign + name


def words(text: object, limit: int = 80) -> Label:
    """Plain text, no mathematics."""
    return (Run(clean(text, limit)),)


def symbol(name: str, time: str = "", sub: str = "", role: str = "name") -> Label:
    """A mathematical name: what follows `_` goes below, the time in brackets above.

    >>> plain(symbol("W_xh"))
    'W_xh'
    >>> plain(symbol("h", time="t−1", sub="2"))
    'h_2^(t−1)'
    """
    base, _, lower = clean(name).partition("_")
    if not base:
        base, lower = clean(name), ""
    runs = [Run(base, role)]
    if lower or sub:
        runs += _script(", ".join(part for part in (lower, clean(sub)) if part), -1)
    return timed(tuple(runs), time)


def timed(label: Label, time: str) -> Label:
    """The label with a time above, in brackets."""
    return (*label, *_script(f"({clean(time)})", 1)) if time else label


def _script(text: str, script: int) -> Label:
    """Letters in italics, everything else upright, as mathematics is set."""
    groups = itertools.groupby(text, lambda c: "name" if c.isalpha() else "time")
    return tuple(Run("".join(chars), role, script) for role, chars in groups)


def named_part(label: Label) -> Label:
    """The mathematical name in a label, without the sign of an operation before it."""
    return tuple(run for run in label if run.role != "word" and run.text.strip())


def plain(label: Iterable[Run]) -> str:
    """The label as plain text, scripts marked by `_` and `^`."""
    parts = []
    for script, runs in itertools.groupby(label, lambda run: run.script):
        parts.append({0: "", 1: "^", -1: "_"}[script] + "".join(run.text for run in runs))
    return "".join(parts)


def width(label: Label, size: float) -> float:
    """The width of a label in points, estimated from classes of characters."""
    return sum(
        _ems(char, run.role) * size * (SCRIPT if run.script else 1.0)
        for run in label
        for char in run.text
    )


def fit(label: Label, size: float, room: float) -> float:
    """The font size, at most `size`, at which a label is no wider than `room`."""
    return min(size, size * room / max(width(label, size), 1.0))


@lru_cache(4096)
def _ems(char: str, role: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    narrow, wide = "ijl.,:;|'!()[]tfrI ", "mwMW@%…⋯→←"
    scale = 0.92 if role != "word" else 1.0
    if char in narrow:
        return 0.34 * scale
    if char in wide:
        return 0.92 * scale
    return (0.7 if char.isupper() else 0.56) * scale
