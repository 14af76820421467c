"""Instructions on single numbers, and the book that they are written into, each once.

The set is fixed and small. Of a comparison the result is the number 1 or 0.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

MEANING: dict[str, Callable[..., Any]] = {
    "+": operator.add, "−": operator.sub, "×": operator.mul, "÷": operator.truediv,
    "^": operator.pow, "neg": operator.neg,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "√": np.sqrt,
    "log2": np.log2, "log10": np.log10, "∛": np.cbrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "hypot": np.hypot,
    "abs": np.abs, "sign": np.sign, "max": np.maximum, "min": np.minimum,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rem": np.fmod,
    "<": lambda a, b: float(a < b), "≤": lambda a, b: float(a <= b),
    "=": lambda a, b: float(a == b), "≠": lambda a, b: float(a != b),
    "and": lambda a, b: float(bool(a) and bool(b)), "not": lambda a: float(not a),
    "select": lambda flag, a, b: a if flag else b,
}  # fmt: skip
"""What each instruction makes of numbers; beside them there are "input" and "constant".

Those with letters have JavaScript's names. "rem" is the rest that has the sign of what is divided.
"""


class Place(NamedTuple):
    """Where a number stands in the graph: layer, step, name of the value, and which entry of it."""

    scope: str
    t: int | None
    name: str
    entry: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line: what is done, and to which earlier lines.

    Attributes:
        op: a key of `MEANING`, or "input", or "constant".
        operands: the numbers of earlier lines.
        value: of a constant.
    """

    op: str
    operands: tuple[int, ...] = ()
    value: float = 0.0


@dataclass
class Book:
    """Lines as they are written: what was written before is not written again.

    Attributes:
        lines: all instructions.
        places: for each line the names of the values whose entry it is.
    """

    lines: list[Instruction] = field(default_factory=list)
    places: dict[int, list[Place]] = field(default_factory=dict)
    known: dict[Any, int] = field(default_factory=dict)

    def given(self) -> int:
        """A line for a number that comes from outside."""
        self.lines.append(Instruction("input"))
        return len(self.lines) - 1

    def constant(self, value: float) -> int:
        """The line of a constant."""
        value = float(value)
        key = ("constant", np.float64(value).tobytes())  # so that −0 is not 0
        return self._once(key, Instruction("constant", (), value))

    def write(self, op: str, operands: Sequence[int]) -> int:
        """The line of an operation; one on constants alone is done at once."""
        values = [self.value(k) for k in operands]
        if None not in values:
            with np.errstate(all="ignore"):
                return self.constant(MEANING[op](*map(np.float64, values)))
        alike = _neutral(op, operands, values)
        if alike is not None:
            return alike
        key = (op, tuple(operands))
        return self._once(key, Instruction(op, key[1]))

    def value(self, k: int) -> float | None:
        """The value of a constant, None of any other line."""
        line = self.lines[k]
        return line.value if line.op == "constant" else None

    def _once(self, key: Any, line: Instruction) -> int:
        if key not in self.known:
            self.known[key] = len(self.lines)
            self.lines.append(line)
        return self.known[key]


def _neutral(op: str, operands: Sequence[int], values: Sequence[float | None]) -> int | None:
    """The operand that an operation leaves as it is: x + 0, x − 0, 1 × x, x ÷ 1, x¹, a choice."""
    if op == "select" and operands[1] == operands[2]:
        return operands[1]
    if op == "select" and values[0] is not None:
        return operands[1 if values[0] else 2]
    neutral = {"+": 0.0, "−": 0.0, "×": 1.0, "÷": 1.0, "^": 1.0}.get(op)
    if neutral is None:
        return None
    if values[1] == neutral:
        return operands[0]
    return operands[1] if values[0] == neutral and op in "+×" else None
