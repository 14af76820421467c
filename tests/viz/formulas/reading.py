"""Printed equations read back and computed, from their text alone.

Values are those of the graph, samples as rows: `W x` is `x @ W`, ᵀ exchanges the last two axes, an
index that is one slice is of the last axis. Anything else in a call is NumPy's or the library's.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import PRIMITIVES
from minigrad.core.kinds import FLAG, INDEX

TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d*)?(?:e[−+]?\d+)?|(?:inf|nan)\b)
    | (?P<name>(?:∂L/)?∂?[^\W\d²ᵀᵗ](?:[^\W²ᵀᵗ]|[→←′\u0300-\u036f]|,(?=[\w→←]))*
       (?:⁽ᵗ[⁺⁻]?[⁰¹²³⁴-⁹]*⁾)?)
    | (?P<sign>[-+−⊙/()\[\]⌊⌋⌈⌉;,²ᵀ=><≥≤≠…:]))""",
    re.VERBOSE,
)
FUNCTIONS = {"σ": "sigmoid", "Σ": "sum", "Π": "prod"}
COMPARED = {">": np.greater, "<": np.less, "≥": np.greater_equal, "≤": np.less_equal,
            "=": np.equal, "≠": np.not_equal}  # fmt: skip
WHOLE = {"⌊": (np.floor, "⌋"), "⌈": (np.ceil, "⌉")}


def compute(text: str, known: dict[str, Any]) -> dict[str, Any]:
    """The value of every left side, in order; what stands at another step and is not known is 0."""
    found = _Known(known)
    for line in text.splitlines():
        left, _, right = line.partition(" = ")
        found[left] = _Reader(right, found).whole()
    return found


class _Known(dict[str, Any]):
    def __init__(self, known: dict[str, Any]) -> None:
        super().__init__(known)
        given = {name: np.asarray(value) for name, value in known.items()}
        self.indices = {name for name, value in given.items() if value.dtype.kind in "iu"}

    def __missing__(self, key: str) -> Any:
        if re.search("⁽ᵗ[⁺⁻]", key):
            return ZERO
        raise KeyError(key)


class _Zero:
    """What the steps that are not there give: nothing, of any shape."""

    __array_ufunc__ = None

    def _stays(self, *other: Any) -> Any:
        return self

    def _adds(self, other: Any) -> Any:
        return other

    __mul__ = __rmul__ = __truediv__ = __neg__ = __getitem__ = _stays
    __add__ = __radd__ = __rsub__ = _adds

    def __sub__(self, other: Any) -> Any:
        return -other


ZERO = _Zero()


class _Reader:
    """A recursive descent: sums, products by entry, matrix products, what is raised."""

    def __init__(self, text: str, known: _Known) -> None:
        self.text, self.at, self.known = text, 0, known

    def whole(self) -> Any:
        value = self.sum()
        assert self.at == len(self.text), f"{self.text[self.at :]!r} is left of {self.text!r}"
        return value

    def peek(self) -> str:
        found = TOKEN.match(self.text, self.at)
        return found[0].strip() if found else ""

    def take(self, *wanted: str) -> str:
        found = TOKEN.match(self.text, self.at)
        if not found or (wanted and found[0].strip() not in wanted):
            return ""
        self.at = found.end()
        return found[0].strip()

    def sum(self) -> Any:
        if self.text.startswith("Σ ", self.at):  # over steps, of which there is one
            self.at += 2
        value = self.product()
        while sign := self.take("+", "−"):
            value, right = _number(value), _number(self.product())
            value = value + right if sign == "+" else value - right
        return value

    def product(self) -> Any:
        if self.take("−"):
            return -_number(self.product_from(self.beside()))
        return self.product_from(self.beside())

    def product_from(self, value: Any) -> Any:
        while sign := self.take("⊙", "/"):
            minus = -1 if self.take("−") else 1
            value, right = _number(value), minus * _number(self.beside())
            value = value * right if sign == "⊙" else value / right
        return value

    def beside(self) -> Any:
        value, is_number = self.raised()
        while re.match(r" (?![-+−⊙/=><≥≤≠])", self.text[self.at : self.at + 2]):
            start = self.at + 1
            right, also = self.raised()
            if is_number:
                value = value * _number(right)
            elif ZERO is value or ZERO is right:
                value = ZERO
            elif self.text[start : self.at] in self.known.indices:
                value = np.asarray(value)[right]
            else:
                value = np.matmul(_number(right), _number(value))
            is_number = is_number and also
        return value

    def raised(self) -> tuple[Any, bool]:
        value, is_number = self.atom()
        while self.text[self.at : self.at + 1] in ("²", "ᵀ", "["):
            sign = self.take()
            if sign == "²":
                value = _number(value) * _number(value)
            elif sign == "ᵀ":
                value = value if value is ZERO else np.swapaxes(value, -1, -2)
            else:
                value = self.taken(value)
        return value, is_number

    def literal(self, end: str) -> Any:
        """Python up to the bracket that closes what is open."""
        depth, start = 0, self.at
        while depth or self.text[self.at] not in end:
            depth += (self.text[self.at] in "([") - (self.text[self.at] in ")]")
            self.at += 1
        return self.text[start : self.at].replace("−", "-").replace("…", "...")

    def taken(self, value: Any) -> Any:
        inside = self.literal("]")
        self.at += 1
        alone = ":" in inside and "," not in inside
        return value[_position(f"..., {inside}" if alone else inside)]

    def atom(self) -> tuple[Any, bool]:
        if self.take("("):
            value = self.sum()
            assert self.take(")"), self.text[self.at :]
            return value, False
        if self.take("["):
            return self.bracket(), False
        if sign := self.take(*WHOLE):
            function, end = WHOLE[sign]
            value = self.sum()
            assert self.take(end), self.text[self.at :]
            return function(value), False
        if self.take("−"):
            value, is_number = self.atom()
            return -value, is_number
        token = self.take()
        assert token, f"nothing to read in {self.text[self.at :]!r} of {self.text!r}"
        if token[0].isdigit() or token in ("inf", "nan"):
            return float(token.replace("−", "-")), True
        if self.text[self.at : self.at + 1] == "(":
            return self.call(token), False
        return self.known[token], False

    def bracket(self) -> Any:
        parts = [self.sum()]
        if (sign := self.peek()) in COMPARED:
            self.take()
            parts.append(self.sum())
            assert self.take("]")
            return COMPARED[sign](*parts)
        while self.take(";"):
            parts.append(self.sum())
        assert self.take("]")
        return np.concatenate(parts, -1)

    def call(self, name: str) -> Any:
        self.take("(")
        operands, options = [], {}
        while not self.take(")"):
            if option := re.match(r"\s*(\w+)=", self.text[self.at :]):
                self.at += option.end()
                value = self.literal(",)")
                options[option[1]] = _positions(value) if option[1] == "positions" else eval(value)
            else:
                operands.append(self.sum())
            self.take(",")
        if any(x is ZERO for x in operands):
            return ZERO
        op = FUNCTIONS.get(name, name)
        public = getattr(mg, op, None)
        if name == "Σ" and not options:
            raise AssertionError("a sum says over what")
        if op in ("max", "min", "sum", "prod", "concatenate", "stack") or op not in PRIMITIVES:
            given = [operands] if op in ("concatenate", "stack") else operands
            return public(*given, **options)
        kinds = PRIMITIVES[op].domain or (None,)
        flags = [kinds[min(k, len(kinds) - 1)] in (FLAG, INDEX) for k in range(len(operands))]
        taken = [x if flag else _number(x) for x, flag in zip(operands, flags, strict=True)]
        return PRIMITIVES[op](*taken, **options)


def _number(x: Any) -> Any:
    """A value that is computed with: that a flag became a number is not printed."""
    return x * 1.0 if getattr(x, "dtype", None) == np.bool_ else x


def _position(text: str) -> Any:
    """What stands in the brackets of an index."""

    class Taken:
        def __getitem__(self, items: Any) -> Any:
            return tuple(np.array(i) if isinstance(i, list) else i for i in items)

    return eval(f"taken[{text},]", {"taken": Taken()})


def _positions(text: str) -> Any:
    inside = text.removeprefix("[").removesuffix("]")
    found, depth, start = [], 0, 0
    for k, char in enumerate(inside):
        depth += (char == "[") - (char == "]")
        if char == "[" and depth == 1:
            start = k + 1
        elif char == "]" and not depth:
            found.append(_position(inside[start:k]))
    return tuple(found)
