"""What is told of many entries by sums and extremes; the same without what is no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import negative_axes, public, rank
from minigrad.errors import ShapeError
from minigrad.habits import explained
from minigrad.ops.composite import mean, wide
from minigrad.ops.elementwise import astype, sqrt
from minigrad.ops.kinks import logical_not, where
from minigrad.ops.products import matmul
from minigrad.ops.questions import isnan
from minigrad.ops.rearranging import array_of
from minigrad.ops.reductions import max, min, prod, sum
from minigrad.ops.shapes import broadcast_to, cut, expand_dims, reshape, shape_of


@public
@explained
def average(a: Any, axis: Any = None, weights: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes, each entry with its weight: of the shape of a, or one for each entry."""
    if weights is None:
        return mean(a, axis, keepdims)
    weights = array_of(weights)
    if shape_of(weights) != shape_of(a):
        axes = negative_axes(axis, rank(a), "average")
        sizes = tuple(n if k - rank(a) in axes else 1 for k, n in enumerate(shape_of(a)))
        if shape_of(weights) != tuple(shape_of(a)[k] for k in axes):
            raise ShapeError(f"average: weights {shape_of(weights)} are none of {shape_of(a)}")
        weights = broadcast_to(reshape(weights, sizes), shape_of(a))
    return sum(a * weights, axis, keepdims) / sum(weights, axis, keepdims)


@public
@explained
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """From the smallest to the greatest entry over axes."""
    return max(a, axis, keepdims) - min(a, axis, keepdims)


@public
@explained
def cov(m: Any, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Any:
    """Covariances of the variables in rows, each with its observations, in double precision."""
    x = astype(m, "float64")
    x = expand_dims(x, 0) if rank(x) == 1 else x
    x = x if rowvar or rank(m) == 1 else x.T
    x = x - mean(x, 1, True)
    ddof = int(not bias) if ddof is None else ddof
    y = matmul(x, x.T) / (shape_of(x)[1] - ddof)
    return y[0, 0] if rank(m) == 1 else y


@public
@explained
def corrcoef(x: Any, rowvar: bool = True) -> Any:
    """Correlations of the variables in rows."""
    c = cov(x, rowvar)
    if not rank(c):
        return c / c
    own = sqrt(c[np.arange(shape_of(c)[0]), np.arange(shape_of(c)[0])])
    return c / expand_dims(own, 1) / own


@public
@explained
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The area under straight lines between the points along an axis."""
    (axis,) = negative_axes(axis, rank(y), "trapezoid")
    n = shape_of(y)[axis]
    middle = 0.5 * (cut(y, axis, 1, n) + cut(y, axis, 0, n - 1))
    if x is None:
        return sum(middle * dx, axis)
    x = array_of(x)
    k = -1 if rank(x) == 1 else axis
    steps = cut(x, k, 1, n) - cut(x, k, 0, n - 1)
    return sum(middle * (reshape(steps, (n - 1,) + (1,) * (-axis - 1)) if k != axis else steps),
               axis)  # fmt: skip


# --- without what is no number --------------------------------------------------------------------


def _filled(a: Any, value: float) -> Any:
    """a with a number in place of NaN; whole numbers are as they are."""
    return where(isnan(a), value, a) if array_of(a).dtype.kind in "fc" else a


def _count(x: Any, axis: Any, keepdims: bool) -> Any:
    """How many entries are numbers, in the precision of x."""
    return astype(sum(logical_not(isnan(x)), axis, keepdims), x.dtype)


@public
@explained
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of NaN and of infinities, by default the greatest that there are."""
    if array_of(x).dtype.kind not in "fc":
        return x
    about = np.finfo(x.dtype)
    top = about.max if posinf is None else posinf
    low = about.min if neginf is None else neginf
    x = where(isnan(x), nan, x)
    return where(x == np.inf, float(top), where(x == -np.inf, float(low), x))


@public
@explained
def nansum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of what is a number."""
    return sum(_filled(a, 0.0), axis, keepdims)


@public
@explained
def nanprod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of what is a number."""
    return prod(_filled(a, 1.0), axis, keepdims)


@public
@explained
def nanmean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of what is a number."""
    x, narrow = wide(a)
    return narrow(nansum(x, axis, keepdims) / _count(x, axis, keepdims))


@public
@explained
def nanmax(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The greatest entry that is a number; −∞ where none is."""
    return max(_filled(a, -np.inf), axis, keepdims)


@public
@explained
def nanmin(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry that is a number; ∞ where none is."""
    return min(_filled(a, np.inf), axis, keepdims)


@public
@explained
def nanvar(a: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    """The variance of what is a number."""
    x, narrow = wide(a)
    flag = isnan(x)
    away = where(flag, 0.0, where(flag, 0.0, x) - nanmean(x, axis, True))
    return narrow(sum(away * away, axis, keepdims) / (_count(x, axis, keepdims) - ddof))


@public
@explained
def nanstd(a: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    """The standard deviation of what is a number."""
    return sqrt(nanvar(a, axis, keepdims, ddof))


@public
@explained
def ediff1d(ary: Any) -> Any:
    """Differences of neighbours, all entries in a row."""
    row = reshape(ary, (-1,))
    return cut(row, -1, 1, shape_of(row)[0]) - cut(row, -1, 0, shape_of(row)[0] - 1)


@public
@explained
def polyval(p: Any, x: Any) -> Any:
    """The polynomial with coefficients p, that of the highest power first, at x (Horner)."""
    p, y = array_of(p), 0.0
    for k in range(shape_of(p)[0]):
        y = y * x + p[k]
    return y
