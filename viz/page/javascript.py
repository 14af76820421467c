"""The instructions of a study as functions of JavaScript, which work on one `Float64Array`.

Numbers are doubles there and operators round as NumPy's do; only `Math.exp` and its like may be off
by the last digit. What is read once is written where it is read, so a sum of products is a line.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.engines.scalars import Expanded

Array = np.ndarray[Any, Any]

LONG = 400
"""Characters after which an expression gets a line of its own."""

SUM, PRODUCT, ATOM = 1, 2, 3
"""How tightly an expression holds together."""

PATTERNS: dict[str, tuple[str, int, tuple[int, ...]]] = {
    "+": ("{}+{}", SUM, (SUM, PRODUCT)), "−": ("{}-{}", SUM, (SUM, PRODUCT)),
    "×": ("{}*{}", PRODUCT, (PRODUCT, ATOM)), "÷": ("{}/{}", PRODUCT, (PRODUCT, ATOM)),
    "neg": ("(-{})", ATOM, (ATOM,)),
    **{op: (f"({{}}{js}{{}}?1:0)", ATOM, (SUM, SUM))
       for op, js in {"<": "<", "≤": "<=", "=": "===", "≠": "!==", "and": "&&"}.items()},
    "not": ("({}?0:1)", ATOM, (SUM,)), "select": ("({}?{}:{})", ATOM, (SUM, SUM, SUM)),
    "rem": ("{}%{}", PRODUCT, (PRODUCT, ATOM)), "^": ("Math.pow({},{})", ATOM, (SUM, SUM)),
    "√": ("Math.sqrt({})", ATOM, (SUM,)), "∛": ("Math.cbrt({})", ATOM, (SUM,)),
    **{op: (f"Math.{op}({{}},{{}})", ATOM, (SUM, SUM)) for op in ("max", "min", "atan2", "hypot")},
    **{op: (f"Math.{op}({{}})", ATOM, (SUM,)) for op in (
        "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos",
        "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "abs", "sign", "floor", "ceil",
        "trunc")},
}  # fmt: skip
"""For each instruction how it is written, how tightly that holds, and how tightly operands must."""


@dataclass(frozen=True, eq=False)
class Script:
    """A program in JavaScript.

    Attributes:
        functions: the text of each, `function(v){...}`; to be called in this order.
        size: how many numbers `v` holds.
        inputs, outputs: where in `v` they are, as in `Expanded`.
    """

    functions: tuple[str, ...]
    size: int
    inputs: tuple[Array | None, ...]
    outputs: tuple[Array, ...]


def javascript(sheet: Expanded, later: Collection[int] = ()) -> Script:
    r"""Instructions as JavaScript: one function, or two where some inputs come later.

    Args:
        sheet: from `expanded`.
        later: positions of inputs that are only there for the second function. The first one does
            all that does not depend on them.

    >>> import minigrad as mg, numpy as np
    >>> from minigrad.engines.scalars import expanded
    >>> graph = mg.trace(lambda a, W: mg.tanh(a @ W), np.ones((1, 2)), np.ones((2, 1)))
    >>> javascript(expanded(graph)).functions
    ('function(v){\nv[4]=Math.tanh(v[0]*v[2]+v[1]*v[3]);\n}',)
    """
    late = _late(sheet, later)
    ends = {int(k) for place in sheet.outputs for k in place.reshape(-1)}
    uses = [0] * len(sheet.lines)
    crossed = set()
    for k, line in enumerate(sheet.lines):
        for i in line.operands:
            uses[i] += 1
            if late[k] and not late[i]:
                crossed.add(i)
    slots: dict[int, int] = {}
    texts: list[tuple[str, int]] = []
    bodies: tuple[list[str], list[str]] = ([], [])
    for k, line in enumerate(sheet.lines):
        if line.op == "input":
            text = "", ATOM
        elif line.op == "constant":
            text = _number(line.value), ATOM
        else:
            text = _written(line.op, [texts[i] for i in line.operands])
        is_constant = line.op == "constant"
        alone = uses[k] != 1 or k in crossed or len(text[0]) > LONG
        if line.op == "input" or k in ends or (alone and not is_constant):
            slots[k] = len(slots)
            if line.op != "input":
                bodies[late[k]].append(f"v[{slots[k]}]={text[0]};")
            text = text if is_constant else (f"v[{slots[k]}]", ATOM)
        texts.append(text)
    place = np.array([slots.get(k, -1) for k in range(len(sheet.lines))], np.intp)
    return Script(
        tuple("\n".join(["function(v){", *body, "}"]) for body in bodies[: 2 if later else 1]),
        len(slots),
        tuple(None if k is None else place[k] for k in sheet.inputs),
        tuple(place[k] for k in sheet.outputs),
    )


def _late(sheet: Expanded, later: Collection[int]) -> list[bool]:
    """For each line whether it depends on an input that comes later."""
    late = [False] * len(sheet.lines)
    for n in later:
        place = sheet.inputs[n]
        for k in () if place is None else place.reshape(-1):
            late[k] = True
    for k, line in enumerate(sheet.lines):
        late[k] = late[k] or any(late[i] for i in line.operands)
    return late


def _written(op: str, operands: list[tuple[str, int]]) -> tuple[str, int]:
    pattern, holds, needs = PATTERNS[op]
    parts = [
        text if tight >= need else f"({text})"
        for (text, tight), need in zip(operands, needs, strict=True)
    ]
    return pattern.format(*parts), holds


def _number(x: float) -> str:
    """A double as JavaScript reads it back."""
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "Infinity" if x > 0 else "(-Infinity)"
    text = repr(float(x)).removesuffix(".0")
    return f"({text})" if text.startswith("-") else text
