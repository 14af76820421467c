"""What is written in a circle: a name and its time, in as many lines as it takes to be read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby, pairwise

from viz.scene.label import Label, Run, fit, timed, width
from viz.scene.style import CIRCLE

SMALL = 11.0  # a name and its time stand on one line, if no smaller than this
LEAST = 9.0  # a name that would be smaller is broken


@dataclass(frozen=True)
class Inscribed:
    """Lines of text that fit into a circle.

    Attributes:
        lines: one or more labels.
        size: of the first line.
        further: the size of the other lines, to that of the first.
        is_fraction: two lines with a bar between them, as ∂L/∂h.
    """

    lines: tuple[Label, ...]
    size: float
    further: float = 0.78
    is_fraction: bool = False


def inscribed(label: Label, time: str) -> Inscribed:
    """A name and its time as they fit best.

    >>> from viz.scene.label import plain, symbol
    >>> [plain(x) for x in inscribed(symbol("h"), "t").lines]
    ['h^(t)']
    >>> [plain(x) for x in inscribed(symbol("Aktivierungszustand"), "t").lines]
    ['Aktivie-', 'rungszu-', 'stand', '(t)']
    """
    over, bar, below = label[0].text.partition("/")
    whole = timed(label, time)
    if bar and below:
        under = (label[0]._replace(text=below), *whole[1:])
        size = fit(under, 15, CIRCLE - 16)
        return Inscribed(((label[0]._replace(text=over),), under), size, is_fraction=True)
    size = fit(timed(label, "t−1") if time == "t" else whole, 19, CIRCLE - 10)
    if size >= SMALL:  # the same for t and for t−1
        return Inscribed((whole,), size)
    when = ((Run(f"({time})", "time"),),) if time else ()  # below a name that is too long for both
    size = fit(label, 13, CIRCLE - 12)
    if size >= LEAST:
        return Inscribed((label, *when), size)
    return max((_broken(label, n, when) for n in (1, 2, 3)), key=lambda found: found.size)


def _broken(label: Label, count: int, when: tuple[Label, ...]) -> Inscribed:
    """A name in about equal lines, as large as the circle has room for them all."""
    letters = [(char, run.role, run.script) for run in label for char in run.text]
    most = -(-len(letters) // count)
    parts = [letters[k : k + most] for k in range(0, len(letters), most)]
    lines = [
        tuple(Run("".join(c for c, _, _ in same), *style)
              for style, same in groupby(part, key=lambda letter: letter[1:]))
        for part in parts
    ]  # fmt: skip
    for k, (part, after) in enumerate(pairwise(parts)):
        if part[-1][0].isalpha() and after[0][0].isalpha():
            lines[k] += (Run("-", *part[-1][1:]),)
    every = (*lines, *when)
    return Inscribed(every, _size(every), 1.0)


def _size(lines: tuple[Label, ...]) -> float:
    """The size at which every line is within the circle, its corners too."""
    radius, half = CIRCLE / 2 - 3, len(lines) / 2
    corners = [
        math.hypot(width(line, 1.0) / 2, 1.2 * max(abs(k - half), abs(k + 1 - half)) - 0.2)
        for k, line in enumerate(lines)
    ]
    return min(13.0, radius / max(corners))
