"""Entries in order, and what is told by their order: places, median and quantiles.

What is moved is differentiated, the order itself has no derivative: of equal entries each has the
slope of the place that it comes to, the first of them of the first place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import REAL, negative_axes, public, rank, stepwise
from minigrad.facts import Numerics
from minigrad.habits import explained
from minigrad.ops.composite import wide
from minigrad.ops.indexing import integers, lookup
from minigrad.ops.kinks import where
from minigrad.ops.questions import isnan, logical_or
from minigrad.ops.rearranging import one_axis
from minigrad.ops.reductions import lead
from minigrad.ops.shapes import (
    Arguments,
    broadcast_to,
    cut,
    expand_dims,
    flatten,
    moveaxis,
    reshape,
    shape_of,
    stack,
)


def _along(a: Any, axis: Any = None, keepdims: bool = False) -> Arguments:
    if axis is None:
        if keepdims and rank(a) != 1:
            raise TypeError("keepdims is for one axis; name it")
        a, axis = flatten(a), -1
    (axis,) = negative_axes(axis, rank(a), "extreme")
    return (a,), {"axis": axis, "keepdims": bool(keepdims)}


def _ahead(sign: int) -> Numerics:
    return Numerics(kink=lambda x, axis, keepdims: lead(sign * x, (axis,)))


_PLACE: Any = {
    "signature": "(n)->()", "prepare": _along, "lift": "same",
    "sample": lambda r: ([(2, 3)], {"axis": r.choice((-1, -2)), "keepdims": r.random() < 0.5}),
}  # fmt: skip


@stepwise(1, numerics=_ahead(1), **_PLACE)
def argmax(a: Any, axis: int, keepdims: bool) -> Any:
    """The index of the greatest entry along an axis, of all in a row if none is given."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


@stepwise(1, numerics=_ahead(-1), **_PLACE)
def argmin(a: Any, axis: int, keepdims: bool) -> Any:
    """The index of the smallest entry along an axis, of all in a row if none is given."""
    return np.argmin(a, axis=axis, keepdims=keepdims)


def _sides(a: Any, v: Any, side: str = "left") -> Arguments:
    if rank(a) != 1 or side not in ("left", "right"):
        raise TypeError(f"a row of numbers, and 'left' or 'right', got {rank(a)} axes, {side!r}")
    return (a, v), {"side": side}


@stepwise(
    2,
    signature="(n),()->()",
    domain=(REAL, REAL),
    prepare=_sides,
    sample=lambda r: ([np.arange(3.0), (2, 2)], {"side": r.choice(("left", "right"))}),
)
def searchsorted(a: Any, v: Any, side: Any) -> Any:
    """Before which entry of a sorted row each v belongs, so that it stays sorted."""
    return np.searchsorted(a, v, side)


# --- in order -------------------------------------------------------------------------------------


def _ordered(a: Any, axis: Any = -1) -> Arguments:
    a, axis = one_axis(a, axis, "argsort")
    return (a,), {"axis": axis}


def _apart(x: Any, axis: int) -> Any:
    """How far the nearest two entries along an axis are from each other."""
    gaps = np.diff(np.sort(x, axis=axis), axis=axis)
    return np.min(gaps, axis=axis, keepdims=True, initial=np.inf)


@stepwise(
    1,
    signature="(n)->(n)",
    prepare=_ordered,
    lift="same",
    sample=lambda r: ([(2, 3)], {"axis": r.choice((-1, -2))}),
    numerics=Numerics(kink=_apart),
)
def argsort(a: Any, axis: int) -> Any:
    """The indices along an axis, by default the last, in the order of entries; ties as they are."""
    return np.argsort(a, axis=axis, stable=True)


def _gathered(x: Any, at: Any) -> Any:
    """From each row the entries at its own places: one look-up in all rows under each other."""
    *free, n = shape_of(x)
    rows, m = int(np.prod(free, dtype=int)), shape_of(at)[-1]
    starts = np.arange(rows).reshape(*free, 1) * n
    at = where(logical_or(at < 0, at >= n), -1, at + starts)  # of no other row
    return reshape(lookup(reshape(x, (rows * n, 1)), at), (*free, m))


@public
@explained
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """Entries at indices along an axis, each row at its own: `(..., n), (..., m) -> (..., m)`.

    Indices below 0 count from the end, other axes broadcast.

    >>> import minigrad as mg, numpy as np
    >>> mg.take_along_axis(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1], [0]]))
    array([[2.],
           [3.]])
    """
    at = integers(indices, "take_along_axis")
    arr, axis = one_axis(arr, axis, "take_along_axis")
    x, at = moveaxis(arr, axis, -1), moveaxis(at, axis, -1)
    n, m = shape_of(x)[-1], shape_of(at)[-1]
    if isinstance(at, np.ndarray) and (wrong := at[(at < -n) | (at >= n)]).size:
        raise IndexError(
            f"take_along_axis: index {wrong[0]} is outside {-n} … {n - 1} on axis {axis}"
        )
    free = np.broadcast_shapes(shape_of(x)[:-1], shape_of(at)[:-1])
    x, at = broadcast_to(x, (*free, n)), broadcast_to(at, (*free, m))
    return moveaxis(_gathered(x, where(at < 0, at + n, at)), -1, axis)


@public
@explained
def sort(a: Any, axis: int | None = -1) -> Any:
    """The entries along an axis, by default the last, from the smallest; NaN at the end."""
    a, axis = one_axis(a, axis, "sort")
    x = moveaxis(a, axis, -1)
    return moveaxis(_gathered(x, argsort(x)), -1, axis)


def _joint(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The axes as one, the last; and which they are."""
    axes = negative_axes(axis, rank(a), "quantile")
    for k, place in enumerate(axes):
        a = moveaxis(a, place - k, -1)
    kept = shape_of(a)[: rank(a) - len(axes)]
    return reshape(a, (*kept, int(np.prod(shape_of(a)[len(kept) :], dtype=int)))), axes


@public
@explained
def quantile(a: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Below which number a part q of the entries lies, between two of them in proportion.

    For an array of q its axes come first. The derivative is that of the neighbours in order.

    >>> import minigrad as mg, numpy as np
    >>> mg.quantile(np.array([3.0, 1.0, 2.0, 4.0]), [0.0, 0.5])
    array([1. , 2.5])
    """
    parts = np.asarray(q, float)
    if not np.all((parts >= 0) & (parts <= 1)):
        raise ValueError(f"quantile: q is between 0 and 1, got {q!r}")
    x, narrow = wide(a)
    x, axes = _joint(x, axis)
    n = shape_of(x)[-1]
    if n == 0:
        raise ValueError(f"quantile: no entries to choose from in shape {shape_of(a)}")
    x = sort(x)
    last, found = cut(x, -1, n - 1), []
    for place in (parts.reshape(-1) * (n - 1)).tolist():
        low = int(place)
        y = cut(x, -1, low)
        if place > low:
            y = y + (cut(x, -1, low + 1) - y) * (place - low)
        y = where(isnan(last), last, y)
        found.append(narrow(expand_dims(y, axes) if keepdims else y))
    return reshape(stack(found), (*parts.shape, *shape_of(found[0]))) if parts.ndim else found[0]


@public
@explained
def percentile(a: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The quantile of q percent."""
    return quantile(a, np.asarray(q, float) / 100.0, axis, keepdims)


@public
@explained
def median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle of the entries in order, the mean of both where two are."""
    return quantile(a, 0.5, axis, keepdims)
