"""A reader of the JavaScript that is printed: the little of its grammar that formulas need."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

TOKEN = re.compile(
    r"\s*(\d+(?:\.\d+)?(?:e[-+]?\d+)?|[A-Za-z_][A-Za-z_.0-9]*|===|!==|<=|&&|[-+*/%<?:()\[\],=;])"
)

LEVELS: tuple[dict[str, Callable[[Any, Any], Any]], ...] = (
    {"&&": lambda a, b: b if a else a},
    {"===": lambda a, b: a == b, "!==": lambda a, b: a != b},
    {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b},
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"*": lambda a, b: a * b, "/": lambda a, b: a / b, "%": np.fmod},
)
"""Operators from the loosest to the tightest; all group from the left (ECMA-262, 13.5 to 13.13)."""

NAMES: dict[str, Any] = {
    "NaN": np.nan, "Infinity": np.inf, "Math.pow": np.power, "Math.max": np.maximum,
    "Math.min": np.minimum, "Math.hypot": np.hypot,
    **{f"Math.{f}": getattr(np, f) for f in (
        "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "abs", "sign", "floor", "ceil", "trunc")},
    **{f"Math.a{f}": getattr(np, f"arc{f}")
       for f in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
}  # fmt: skip


class Reader:
    """Runs `function(v){v[0]=…; …}` on a list."""

    def __init__(self, text: str, v: list[Any]) -> None:
        head, _, body = text.partition("{")
        assert head == "function(v)"
        assert body.endswith("}")
        self.tokens = TOKEN.findall(body[:-1])
        assert "".join(self.tokens) == re.sub(r"\s", "", body[:-1]), "a sign that is not known"
        self.at, self.v = 0, v
        with np.errstate(all="ignore"):
            while self.at < len(self.tokens):
                self.expect("v", "[")
                place = int(self.next())
                self.expect("]", "=")
                v[place] = np.float64(self.expression())
                self.expect(";")

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, *wanted: str) -> None:
        for token in wanted:
            assert self.next() == token, (token, self.tokens[self.at - 3 : self.at + 3])

    def accept(self, token: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += found
        return found

    def expression(self) -> Any:
        flag = self.binary(0)
        if not self.accept("?"):
            return flag
        first = self.expression()
        self.expect(":")
        second = self.expression()
        return first if flag else second

    def binary(self, level: int) -> Any:
        if level == len(LEVELS):
            return self.unary()
        value = self.binary(level + 1)
        while self.tokens[self.at] in LEVELS[level]:
            value = LEVELS[level][self.next()](value, self.binary(level + 1))
        return value

    def unary(self) -> Any:
        token = self.next()
        if token == "-":
            return -self.unary()
        if token == "(":
            value = self.expression()
            self.expect(")")
            return value
        if token == "v":
            self.expect("[")
            value = self.v[int(self.next())]
            self.expect("]")
            return value
        if token[0].isdigit():
            return np.float64(token)
        named = NAMES[token]
        if not callable(named):
            return named
        self.expect("(")
        operands = [self.expression()]
        while self.accept(","):
            operands.append(self.expression())
        self.expect(")")
        return named(*operands)
