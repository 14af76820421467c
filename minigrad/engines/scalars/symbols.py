"""Symbols: numbers that write down what is done to them, and arrays of them.

NumPy does the rest: an array of objects is indexed, turned, joined, summed and multiplied like any
other. Only its functions of single numbers are told here: which instruction each is, or of which
others it is made. What it decides by the value of a number, such as an order, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from minigrad.engines.scalars.instructions import Book


class Symbol:
    """A number that is only known as a line of the book."""

    __slots__ = ("book", "line")

    def __init__(self, book: Book, line: int) -> None:
        self.book = book
        self.line = line

    def __bool__(self) -> bool:
        raise TypeError("it decides by the value of a number, which is not known here")

    __float__ = __int__ = __index__ = __bool__


def _operator(op: str) -> Callable[..., Symbol]:
    def written(a: Symbol, b: Any) -> Symbol:
        return Symbol(a.book, a.book.write(op, (a.line, _line(a.book, b))))

    return written


def _reflected(op: str) -> Callable[..., Symbol]:
    def written(b: Symbol, a: Any) -> Symbol:
        first = _line(b.book, a)
        if op == "×" and type(a) is int and a == 0:  # of a row with one 1, as `one_hot` makes it
            return Symbol(b.book, first)
        return Symbol(b.book, b.book.write(op, (first, b.line)))

    return written


def _function(op: str) -> Callable[..., Symbol]:
    return lambda x: Symbol(x.book, x.book.write(op, (x.line,)))


for _name, _op in {"add": "+", "sub": "−", "mul": "×", "truediv": "÷", "pow": "^"}.items():
    setattr(Symbol, f"__{_name}__", _operator(_op))
    setattr(Symbol, f"__r{_name}__", _reflected(_op))
for _name, _op in {"__neg__": "neg", "__abs__": "abs"}.items():
    setattr(Symbol, _name, _function(_op))


def _line(book: Book, x: Any) -> int:
    return x.line if type(x) is Symbol else book.constant(x)


WRITTEN: dict[Any, str] = {
    np.exp: "exp", np.expm1: "expm1", np.log: "log", np.log1p: "log1p", np.sqrt: "√",
    np.log2: "log2", np.log10: "log10", np.cbrt: "∛",
    np.sin: "sin", np.cos: "cos", np.tan: "tan", np.arcsin: "asin", np.arccos: "acos",
    np.arctan: "atan", np.arctan2: "atan2", np.sinh: "sinh", np.cosh: "cosh", np.tanh: "tanh",
    np.arcsinh: "asinh", np.arccosh: "acosh", np.arctanh: "atanh", np.hypot: "hypot",
    np.sign: "sign", np.maximum: "max", np.minimum: "min",
    np.floor: "floor", np.ceil: "ceil", np.trunc: "trunc", np.fmod: "rem",
    np.less: "<", np.less_equal: "≤", np.equal: "=", np.not_equal: "≠",
    np.logical_and: "and", np.logical_not: "not",
}  # fmt: skip
"""The instruction that a ufunc is."""


def _divided(a: Any, b: Any) -> tuple[Any, Any]:
    """Quotient and remainder as NumPy computes them: exact, the remainder with the sign of b."""
    rest = np.fmod(a, b)
    other = np.logical_and(np.not_equal(rest, 0.0), np.not_equal(rest < 0.0, np.less(b, 0.0)))
    quotient = np.floor((a - rest) / b + 0.5)
    return np.where(other, quotient - 1.0, quotient), np.where(other, rest + b, rest)


def _nearest(x: Any) -> Any:
    """Of two whole numbers that are as near the even one."""
    low = np.floor(x)
    up = x - low - 0.5
    even = low + np.fmod(np.abs(low), 2.0)
    return np.where(np.equal(up, 0.0), even, np.where(up < 0.0, low, low + 1.0))


def _log_of_sum(a: Any, b: Any) -> Any:
    less = np.log1p(np.exp(np.minimum(a, b) - np.maximum(a, b)))
    return np.where(np.equal(a, b), a + np.log(2.0), np.maximum(a, b) + less)


MADE: dict[Any, Callable[..., Any]] = {
    np.greater: lambda a, b: np.less(b, a), np.greater_equal: lambda a, b: np.less_equal(b, a),
    np.exp2: lambda x: 2.0**x, np.rint: _nearest, np.logaddexp: _log_of_sum,
    np.floor_divide: lambda a, b: _divided(a, b)[0], np.remainder: lambda a, b: _divided(a, b)[1],
}  # fmt: skip
"""Those that are a few instructions, written with NumPy's functions."""

ORDERS = (np.argmax, np.argmin, np.argsort, np.searchsorted, np.sort)
"""Functions that would compare symbols as objects, for which NumPy raises errors of its own."""


class Symbols(np.ndarray[Any, Any]):
    """An array of symbols; `book` is what they are written into."""

    book: Book

    def __array_finalize__(self, given: Any) -> None:
        if isinstance(given, Symbols):
            self.book = given.book

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **about: Any) -> Any:
        plain = [np.asarray(x) if isinstance(x, Symbols) else x for x in inputs]
        book = book_of(inputs)
        if ufunc is np.isfinite:  # guards of what is not a number; a symbol is one
            return np.ones(np.shape(plain[0]), bool)
        if ufunc in MADE and method == "__call__":
            return MADE[ufunc](*(symbols(book, x) for x in inputs))
        if ufunc is np.signbit:
            raise TypeError("a spreadsheet has no −0; compare with 0")
        if ufunc not in WRITTEN:
            out = about.get("out")
            if out is not None:  # to be written over; the array keeps its objects
                about["out"] = tuple(np.asarray(x) for x in out)
            result = getattr(ufunc, method)(*plain, **about)
            return result if method == "at" else symbols(book, result)
        about.pop("out", None)

        def one(*xs: Any) -> Symbol:
            return Symbol(book, book.write(WRITTEN[ufunc], [_line(book, x) for x in xs]))

        if method == "reduce":
            return _reduced(book, one, *plain, **about)
        return symbols(book, np.frompyfunc(one, ufunc.nin, 1)(*plain))

    def __array_function__(self, function: Any, types: Any, args: Any, about: Any) -> Any:
        book = book_of(args)
        if function in ORDERS:
            raise TypeError("it decides by the value of a number, which is not known here")
        if function.__module__ == "numpy.linalg":
            raise TypeError(f"LAPACK's {function.__name__} is no instruction on single numbers")
        if function is np.where:
            pick = lambda *xs: Symbol(book, book.write("select", [_line(book, x) for x in xs]))
            return symbols(book, np.frompyfunc(pick, 3, 1)(*map(np.asarray, args)))
        if function is np.clip:
            x, low, high = args
            x = x if low is None else np.maximum(x, low)
            return x if high is None else np.minimum(x, high)
        result = super().__array_function__(function, types, args, about)
        return symbols(book, result) if isinstance(result, np.ndarray) else result

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The same: all numbers are of double precision, also those of a comparison."""
        if np.dtype(dtype) != np.float64:
            raise TypeError(f"numbers are of double precision here, not {np.dtype(dtype)}")
        return self


def _reduced(
    book: Book, one: Callable[..., Symbol], x: Any, axis: Any = 0, dtype: Any = None,
    out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True,
) -> Symbols:  # fmt: skip
    """What `ufunc.reduce` gives: along all `axis`, one after the other."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    last = np.moveaxis(x, axes, range(-len(axes), 0))
    rows = last.reshape(*last.shape[: x.ndim - len(axes)], -1)
    result = np.empty(rows.shape[:-1], object)
    for place in np.ndindex(result.shape):
        result[place] = reduce(one, rows[place])
    return symbols(book, np.expand_dims(result, tuple(axes)) if keepdims else result)


def symbols(book: Book, x: Any) -> Symbols:
    """An array of symbols of numbers, symbols, or an array of either."""
    given = np.asarray(x, object)
    result = np.empty(given.shape, object)
    flat, source = result.reshape(-1), given.reshape(-1)
    for k, item in enumerate(source):
        flat[k] = item if type(item) is Symbol else Symbol(book, book.constant(item))
    return _of(book, result)


def _of(book: Book, entries: Any) -> Symbols:
    result: Symbols = entries.view(Symbols)
    result.book = book
    return result


def read(book: Book, lines: Any) -> Symbols:
    """The symbols of lines, in the shape of the array of their numbers."""
    result = np.empty(lines.shape, object)
    for entry, line in np.ndenumerate(lines):
        result[entry] = Symbol(book, int(line))
    return _of(book, result)


def book_of(operands: Any) -> Any:
    """The book that the symbols among operands are written into."""
    for x in operands:
        found = x.book if isinstance(x, Symbols) else None
        if isinstance(x, tuple | list):
            found = book_of(x)
        if found is not None:
            return found
    return None


def lines_of(x: Any) -> Any:
    """The lines of an array of symbols, as an array of whole numbers."""
    return np.array([s.line for s in np.asarray(x).reshape(-1)], np.intp).reshape(x.shape)
