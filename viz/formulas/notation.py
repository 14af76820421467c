"""Ways to write a formula: Unicode for a terminal, or ASCII; LaTeX for print; HTML for a page.

A formula is a row of symbols and signs; nothing in it has to be parsed again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from viz.scene.label import clean

RAISED = str.maketrans("0123456789+−()t", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵗ")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
TYPED = str.maketrans({
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")",
    "⊙": "*", "−": "-", "Σ": "sum_t", "√": "sqrt", "σ": "sigma", "∂": "d", "ᵀ": "^T", "²": "^2",
    "≥": ">=", "≤": "<=", "≠": "!=", "∧": "and", "¬": "not", "·": ":", "…": "...", "′": "'",
    "\u0303": "~",
})  # fmt: skip
SPELT = {"Σ": "sum", "Π": "prod"}
"""Functions whose sign has another meaning before a space: a sum over t."""

SIGNS = {
    " ⊙ ": r" \odot ", " − ": " - ", "−": "-", "Σ ": r"\sum_{t} ", "√": r"\operatorname{sqrt}",
    "(": r"\left(", ")": r"\right)", "|": r"\lvert ", "[": "[", "]": "]", " ": r"\, ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
}  # fmt: skip
RAISING = {"ᵀ": r"\top", "²": "2"}
FUNCTIONS = {
    "σ": r"\sigma", **{f: rf"\{f}" for f in ("tanh", "sin", "cos", "exp", "log", "max")},
    "Σ": r"\sum", "Π": r"\prod",
}  # fmt: skip
ACCENTS = {"\u0303": r"\tilde", "\u0302": r"\hat", "\u0304": r"\bar"}
ESCAPES = {c: rf"\{c}" for c in "{}$&#%_"} | {
    "\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim ", "∂": r"\partial ",
}  # fmt: skip


@dataclass(frozen=True)
class Symbol:
    """A name with what stands below it, at a step.

    Attributes:
        base, sub: the letter and its subscript.
        offset: of the step from t; None for what is the same at every step.
        given: a derivative that comes from the loss itself, written as a fraction.
    """

    base: str
    sub: str = ""
    offset: int | None = None
    given: bool = False


@dataclass(frozen=True)
class Function:
    """The name of a function."""

    name: str


@dataclass(frozen=True)
class Code:
    """What is written as in Python: the position of entries, an option of a call."""

    text: str


Part = Symbol | Function | Code | str
Formula = tuple[Part, ...]


def shifted(formula: Formula, by: int) -> Formula:
    """The formula as it reads some steps later.

    >>> unicode(shifted((Symbol("h", "", 0),), -1))
    'h⁽ᵗ⁻¹⁾'
    """
    return tuple(
        replace(p, offset=p.offset + by) if isinstance(p, Symbol) and p.offset is not None else p
        for p in formula
    )


def unicode(formula: Sequence[Part]) -> str:
    """The formula for a terminal.

    >>> unicode((Symbol("W", "xh"), "ᵀ", " ", Symbol("z", "h", 1)))
    'W_xhᵀ z_h⁽ᵗ⁺¹⁾'
    """
    return "".join(
        _plain(p) if isinstance(p, Symbol) else _bare(p) for p in formula
    )


def _bare(part: Function | Code | str) -> str:
    """A part that is no symbol, as it is."""
    if isinstance(part, Function):
        return part.name
    return part.text if isinstance(part, Code) else part


def typed(formula: Sequence[Part]) -> str:
    r"""The formula in ASCII, for a terminal that has no other letters.

    >>> typed((Symbol("∂h", "", -1), " ⊙ ", Symbol("C̃", "1"), "²", " − ", Symbol("µ")))
    'dh^(t-1) * C~_1^2 - \\xb5'
    """
    parts = (
        f"{_base(p)}{f'_{clean(p.sub)}' if p.sub else ''}"
        f"{'' if p.offset is None else f'^{_time(p.offset)}'}"
        if isinstance(p, Symbol)
        else SPELT.get(_bare(p), _bare(p))
        for p in formula
    )
    text = unicodedata.normalize("NFD", "".join(parts)).translate(TYPED)
    return text.encode("ascii", "backslashreplace").decode()


def latex(formula: Sequence[Part]) -> str:
    r"""The formula for print.

    >>> latex((Function("σ"), "(", Symbol("C̃", "", 0), "²", ")"))
    '\\sigma\\left({\\tilde{C}^{(t)}}^{2}\\right)'
    """
    parts: list[str] = []
    for p in formula:
        if isinstance(p, Symbol):
            parts.append(_set(p))
        elif isinstance(p, Function):
            parts.append(FUNCTIONS.get(p.name) or rf"\operatorname{{{_escaped(p.name)}}}")
        elif isinstance(p, Code):
            parts.append(rf"\mathtt{{{_escaped(p.text.replace('−', '-'))}}}")
        elif p in RAISING:
            # A second superscript needs braces around the first.
            before = parts.pop() if parts else ""
            closed = before == SIGNS[")"]
            parts.append(f"{before if closed else f'{{{before}}}'}^{{{RAISING[p]}}}")
        else:
            parts.append(SIGNS.get(p, p))
    return "".join(parts)


def html(formula: Sequence[Part]) -> str:
    """The formula for a page, with real sub- and superscripts.

    >>> html((Symbol("W", "xh"), " ", Symbol("h", "", -1)))
    '<i>W</i><sub>xh</sub> <i>h</i><sup>(t−1)</sup>'
    """
    parts = []
    for p in formula:
        if isinstance(p, Symbol):
            low = f"<sub>{escape(clean(p.sub))}</sub>" if p.sub else ""
            raised = "" if p.offset is None else f"<sup>{_time(p.offset)}</sup>"
            given = "∂<i>L</i>/" if p.given else ""
            parts.append(f"{given}<i>{escape(clean(p.base))}</i>{low}{raised}")
        elif isinstance(p, Code):
            parts.append(f"<code>{escape(p.text)}</code>")
        elif p in RAISING:
            parts.append(f"<sup>\u2009{'2' if p == '²' else '⊤'}</sup>")
        elif p == "Σ ":
            parts.append("Σ<sub><i>t</i></sub> ")
        else:
            parts.append(escape(p.name if isinstance(p, Function) else p))
    return "".join(parts)


def _time(offset: int) -> str:
    return f"({'t' if not offset else f't{offset:+d}'.replace('-', '−')})"


def _base(s: Symbol) -> str:
    return f"{'∂L/' if s.given else ''}{clean(s.base)}"


def _plain(s: Symbol) -> str:
    sub = clean(s.sub)
    low = "" if not sub else sub.translate(LOWERED) if sub.isdigit() else f"_{sub}"
    raised = "" if s.offset is None else _time(s.offset).translate(RAISED)
    return f"{_base(s)}{low}{raised}"


def _set(s: Symbol) -> str:
    base = clean(s.base)
    if s.given:
        inner = _set(Symbol(base.removeprefix("∂"), s.sub, s.offset))
        return rf"\frac{{\partial L}}{{\partial {inner}}}"
    text = _escaped(base)
    if s.sub:
        text += f"_{{{_escaped(clean(s.sub))}}}"
    return text if s.offset is None else f"{text}^{{{_time(s.offset).replace('−', '-')}}}"


def _escaped(text: str) -> str:
    """Letters as they are, accents as commands, signs of TeX as characters."""
    found: list[str] = []
    for char in unicodedata.normalize("NFD", text):
        if char in ACCENTS and found:
            found.append(f"{ACCENTS[char]}{{{found.pop()}}}")
        else:
            found.append(ESCAPES.get(char, char))
    return "".join(found)
