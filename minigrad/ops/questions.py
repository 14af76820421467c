"""Questions: what shape, whether, where. Nothing of it has a derivative.

Shapes are Python's own numbers. What is asked of values stays in the graph as comparisons do, so a
condition on it is refused while a program is traced. Arrays made like another are plain arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.core.kinds import negative_axes, public, rank
from minigrad.habits import explained, title
from minigrad.ops.elementwise import astype
from minigrad.ops.kinks import (
    absolute,
    equal,
    less_equal,
    logical_and,
    logical_not,
    not_equal,
    where,
)
from minigrad.ops.reductions import sum
from minigrad.ops.shapes import broadcast_to, shape_of


@public
@explained
def shape(a: Any) -> tuple[int, ...]:
    """The sizes of all axes."""
    return shape_of(a)


@public
@explained
def ndim(a: Any) -> int:
    """The number of axes."""
    return rank(a)


@public
@explained
def size(a: Any, axis: Any = None) -> int:
    """The number of entries, or of those along axes."""
    axes = negative_axes(axis, rank(a), "size")
    return int(np.prod([shape_of(a)[k] for k in axes], dtype=int))


@public
@explained
def ones_like(a: Any) -> Any:
    """An array of ones in the shape and dtype of a."""
    return np.ones(shape_of(a), getattr(a, "dtype", None))


@public
@explained
def full_like(a: Any, fill_value: Any) -> Any:
    """The fill value in the shape and dtype of a: a tensor if the value is one."""
    dtype = getattr(a, "dtype", np.asarray(a).dtype) if not isinstance(a, Tensor) else a.dtype
    if isinstance(fill_value, Tensor):
        return broadcast_to(astype(fill_value, dtype), shape_of(a))
    return np.full(shape_of(a), fill_value, dtype)


# --- of each entry --------------------------------------------------------------------------------


@public
@explained
def isnan(x: Any) -> Any:
    """Whether an entry is no number: whether it differs from itself."""
    return not_equal(x, x)


@public
@explained
def isinf(x: Any) -> Any:
    """Whether an entry is ∞ or −∞."""
    return equal(absolute(x), np.inf)


@public
@explained
def isfinite(x: Any) -> Any:
    """Whether an entry is neither infinite nor no number."""
    return absolute(x) < np.inf


@public
@explained
def isclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether a and b differ by no more than `atol + rtol |b|`, as NumPy asks it."""
    known = isfinite(b)
    about = where(known, b, 0.0)  # ∞ − ∞ is no number
    near = logical_and(less_equal(absolute(a - about), atol + rtol * absolute(about)), known)
    near = logical_or(near, equal(a, b))
    return logical_or(near, logical_and(isnan(a), isnan(b))) if equal_nan else near


@public
@explained
def logical_or(a: Any, b: Any) -> Any:
    """True where one of both is: unless neither is."""
    return logical_not(logical_and(logical_not(a), logical_not(b)))


@public
@explained
def logical_xor(a: Any, b: Any) -> Any:
    """True where exactly one of both is."""
    return not_equal(logical_not(a), logical_not(b))


def _conditions(symbol: str, *operands: Any) -> tuple[Any, ...]:
    """The operands, if they are conditions: bits of whole numbers are for arrays."""
    such = f"(x > 0) {symbol} (x < 1)" if len(operands) == 2 else f"{symbol}(x > 0)"
    for x in operands:
        if getattr(x, "dtype", np.dtype(type(x))).kind != "b":
            told = title(x) if isinstance(x, Tensor) else f"{x!r:.40}"
            raise TypeError(
                f"{symbol} of {told} is that of conditions, such as {such}; tensor.data gives the "
                "values alone"
            )
    return operands


@public
@explained
def bitwise_and(a: Any, b: Any) -> Any:
    """a & b of conditions."""
    return logical_and(*_conditions("&", a, b))


@public
@explained
def bitwise_or(a: Any, b: Any) -> Any:
    """a | b of conditions."""
    return logical_or(*_conditions("|", a, b))


@public
@explained
def bitwise_xor(a: Any, b: Any) -> Any:
    """a ^ b of conditions."""
    return not_equal(*_conditions("^", a, b))


@public
@explained
def invert(a: Any) -> Any:
    """~a of a condition."""
    return logical_not(*_conditions("~", a))


# --- of all entries -------------------------------------------------------------------------------


@public
@explained
def count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """How many entries are not 0."""
    return sum(not_equal(a, 0), axis, keepdims)


@public
@explained
def any(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether one entry is not 0."""
    return not_equal(count_nonzero(a, axis, keepdims), 0)


@public
@explained
def all(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether no entry is 0."""
    return equal(sum(equal(a, 0), axis, keepdims), 0)


@public
@explained
def allclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether all entries are close: one condition, for `if` outside of traces."""
    return all(isclose(a, b, rtol, atol, equal_nan))


@public
@explained
def array_equal(a1: Any, a2: Any) -> Any:
    """Whether the shapes and all entries are the same."""
    return all(equal(a1, a2)) if shape_of(a1) == shape_of(a2) else np.False_
