"""Symbols: numbers that write down what is done to them, and arrays of them.

NumPy does the rest: an array of objects is indexed, turned, joined, summed and multiplied like any
other. Only what it decides by the value of a number (the greater of two, a selection) is told here.
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
for _name, _op in {"__neg__": "neg", "__abs__": "abs", "sqrt": "√"}.items():
    setattr(Symbol, _name, _function(_op))
for _name in ("exp", "expm1", "log", "log1p", "tanh", "sin", "cos"):  # as NumPy calls them
    setattr(Symbol, _name, _function(_name))


def _line(book: Book, x: Any) -> int:
    return x.line if type(x) is Symbol else book.constant(x)


DECIDES: dict[Any, tuple[str, bool]] = {
    np.maximum: ("max", False), np.minimum: ("min", False), np.sign: ("sign", False),
    np.less: ("<", False), np.less_equal: ("≤", False), np.equal: ("=", False),
    np.greater: ("<", True), np.greater_equal: ("≤", True), np.not_equal: ("≠", False),
    np.logical_and: ("and", False), np.logical_not: ("not", False),
}  # fmt: skip
"""The ufuncs that decide by a value: the instruction, and whether its operands are exchanged."""


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
        if ufunc not in DECIDES:
            out = about.get("out")
            if out is not None:  # to be written over; the array keeps its objects
                about["out"] = tuple(np.asarray(x) for x in out)
            result = getattr(ufunc, method)(*plain, **about)
            return result if method == "at" else symbols(book, result)
        op, exchanged = DECIDES[ufunc]
        about.pop("out", None)

        def one(*xs: Any) -> Symbol:
            lines = [_line(book, x) for x in (xs[::-1] if exchanged else xs)]
            return Symbol(book, book.write(op, lines))

        if method == "reduce":
            return _reduced(book, one, *plain, **about)
        return symbols(book, np.frompyfunc(one, ufunc.nin, 1)(*plain))

    def __array_function__(self, function: Any, types: Any, args: Any, about: Any) -> Any:
        book = book_of(args)
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
