"""Numbers that know how wrong they may be: the tolerance of a comparison, derived, not chosen.

A `Rounded` number carries the float, the sum of the absolute values of the terms it was summed
from (its path scale), and a bound on its rounding error. A reference that runs on them gives for
each of its results the distance within which every other correct program must land, whatever
order it sums in. A `Dual` number carries a derivative beside the value, so a reference that
computes gradients gives second derivatives. NumPy's object arrays hold either, and a graph can
be replayed on them.
Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.3.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.graph import Graph

EPS = float(np.finfo(float).eps)
"""Twice the error of one operation. So n terms summed in any order stay within the bound of the
sum from the left, and g·a + g·b within that of g·(a + b)."""

KERNEL = 4 * EPS
"""The relative error NumPy's own accuracy tests allow its float64 tanh and exp."""


class Rounded:
    """A float, the sum of the absolute terms behind it, and a bound on its error.

    >>> total = Rounded(1.0) + Rounded(1e-9) - 1.0
    >>> total.size, total.error < 4 * EPS * total.size
    (2.000000001, True)
    """

    __slots__ = ("error", "size", "value")

    def __init__(self, value: float, size: float | None = None, error: float = 0.0) -> None:
        self.value = float(value)
        self.size = abs(self.value) if size is None else size
        self.error = error

    def __add__(self, other: Any) -> Any:
        b = _rounded(other)
        if b is None:
            return NotImplemented
        size = self.size + b.size
        return Rounded(self.value + b.value, size, self.error + b.error + EPS * size)

    def __mul__(self, other: Any) -> Any:
        b = _rounded(other)
        if b is None:
            return NotImplemented
        value = self.value * b.value
        passed = abs(self.value) * b.error + abs(b.value) * self.error + self.error * b.error
        return Rounded(value, None, passed + EPS * abs(value))

    def __neg__(self) -> Rounded:
        return Rounded(-self.value, self.size, self.error)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __rtruediv__(self, other: float) -> Rounded:
        value = other / self.value
        nearest = abs(self.value) - self.error
        return Rounded(value, None, abs(value) * self.error / nearest + EPS * abs(value))

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self) -> Rounded:
        """Hyperbolic tangent: slope 1 − y², and a second derivative below 1."""
        y = math.tanh(self.value)
        slope = 1 - y * y + self.error
        return Rounded(y, None, slope * self.error + KERNEL * abs(y))

    def exp(self) -> Rounded:
        """Exponential function."""
        y = math.exp(self.value)
        return Rounded(y, None, y * math.expm1(self.error) + KERNEL * y)


def _rounded(x: Any) -> Rounded | None:
    if isinstance(x, Rounded):
        return x
    return Rounded(x) if isinstance(x, int | float) else None


class Dual:
    """A value and its derivative in one direction; both may be `Rounded`.

    >>> x = Dual(3.0, 1.0)
    >>> (x * x).slope
    6.0
    """

    __slots__ = ("slope", "value")

    def __init__(self, value: Any, slope: Any) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: Any) -> Dual:
        b = _dual(other)
        return Dual(self.value + b.value, self.slope + b.slope)

    def __mul__(self, other: Any) -> Dual:
        b = _dual(other)
        return Dual(self.value * b.value, self.slope * b.value + self.value * b.slope)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -_dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return -self + other

    def __rtruediv__(self, other: float) -> Dual:
        y = other / self.value
        return Dual(y, -(self.slope * y) * (1.0 / self.value))

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self) -> Dual:
        """Hyperbolic tangent."""
        y = np.tanh(self.value)
        return Dual(y, self.slope * (1.0 - y * y))

    def exp(self) -> Dual:
        """Exponential function."""
        y = np.exp(self.value)
        return Dual(y, self.slope * y)


def _dual(x: Any) -> Dual:
    return x if isinstance(x, Dual) else Dual(x, 0.0)


def rounded(array: Any) -> Any:
    """The array with its entries as `Rounded` numbers."""
    return _entrywise(Rounded, array)


def dual(array: Any, slopes: Any) -> Any:
    """The array with its entries as `Dual` numbers, moving in the direction of `slopes`."""
    return _entrywise(lambda v, s: Dual(Rounded(v), Rounded(s)), array, slopes)


def slopes(array: Any) -> Any:
    """The derivatives out of an array of `Dual` numbers."""
    return _entrywise(lambda d: _dual(d).slope, array)


def _entrywise(make: Any, *arrays: Any) -> Any:
    result = np.empty(np.shape(arrays[0]), object)
    for place in np.ndindex(result.shape):
        result[place] = make(*(array[place] for array in arrays))
    return result


def replay_rounded(graph: Graph, values: Any) -> list[Any]:
    """The outputs of a graph on arrays of `Rounded` numbers (integers and flags stay arrays)."""
    by_formula = {
        "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
        "astype": lambda x, dtype: x,
        "alias": lambda x: x,
    }
    results: list[Any] = [None] * len(graph.nodes)
    for index, value in zip(graph.inputs, values, strict=True):
        results[index] = rounded(value) if value.dtype.kind == "f" else value
    for k, node in enumerate(graph.nodes):
        if node.op == "constant":
            results[k] = node.value
        elif node.op != "input":
            forward = by_formula.get(node.op) or PRIMITIVES[node.op].forward
            results[k] = forward(*(results[i] for i in node.inputs), **node.attrs)
    return [np.asarray(results[i], object) for i in graph.outputs]


def assert_agree(found: Any, wanted: Any, what: str) -> None:
    """Fail unless `found` is within the error of both programs of the `Rounded` array `wanted`."""
    found = np.asarray(found)
    assert found.dtype == np.float64, f"{what}: dtype {found.dtype}"
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, wanted {wanted.shape}"
    for place in np.ndindex(wanted.shape):
        # A sum of nothing is the plain number 0.
        number = _rounded(wanted[place])
        assert number is not None
        distance, allowed = abs(float(found[place]) - number.value), 2 * number.error
        assert distance <= allowed, (
            f"{what}{list(place)} is {found[place]}, the reference gives {number.value}: "
            f"apart by {distance:.2g}, allowed {allowed:.2g}"
        )
