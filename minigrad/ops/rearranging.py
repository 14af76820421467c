"""Entries put elsewhere, in NumPy's words: all of it is slices, joins and views of `shapes`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from operator import index as whole
from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS, Tensor
from minigrad.core.kinds import negative_axes, public, rank
from minigrad.habits import explained
from minigrad.ops.kinks import not_equal
from minigrad.ops.shapes import (
    broadcast_to,
    concatenate,
    cut,
    expand_dims,
    flatten,
    flip,
    moveaxis,
    reshape,
    shape_of,
    swapaxes,
)


def array_of(x: Any) -> Any:
    """A tensor or array as it is, anything else as an array."""
    return x if isinstance(x, Tensor | np.ndarray) else np.asarray(x)


def one_axis(a: Any, axis: int | None, where: str) -> tuple[Any, int]:
    """a and one of its axes, counted from the end; None is that of all entries in a row."""
    if axis is None:
        return flatten(a), -1
    (axis,) = negative_axes(axis, rank(a), where)
    return a, axis


# --- axes -----------------------------------------------------------------------------------------


@public
@explained
def ravel(a: Any) -> Any:
    """All entries in a row."""
    return flatten(a)


def at_least(n: int, arys: tuple[Any, ...]) -> Any:
    """Each with n axes at least: one of them, or a tuple."""
    out = []
    for x in map(array_of, arys):
        if n == 3 and rank(x) in (1, 2):  # NumPy's places: (n,) to (1, n, 1), (m, n) to (m, n, 1)
            x = expand_dims(x, -1)
        out.append(expand_dims(x, tuple(range(n - rank(x)))) if rank(x) < n else x)
    return out[0] if len(out) == 1 else tuple(out)


@public
def atleast_1d(*arys: Any) -> Any:
    """Each with one axis at least."""
    return at_least(1, arys)


@public
def atleast_2d(*arys: Any) -> Any:
    """Each with two axes at least, a vector as a row."""
    return at_least(2, arys)


@public
def atleast_3d(*arys: Any) -> Any:
    """Each with three axes at least."""
    return at_least(3, arys)


@public
def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """All in the shape to which they broadcast together."""
    shape = np.broadcast_shapes(*map(shape_of, args))
    return tuple(broadcast_to(array_of(x), shape) for x in args)


@public
@explained
def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    return swapaxes(x, -2, -1)


@public
@explained
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved to before another."""
    n = rank(a)
    axis, start = axis % n, start + n if start < 0 else start
    return moveaxis(a, axis, start - 1 if axis < start else start)


# --- again and round ------------------------------------------------------------------------------


@public
@explained
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry along an axis so many times, one after the other."""
    a, axis = one_axis(array_of(a), axis, "repeat")
    shape = shape_of(a)
    if np.ndim(repeats):
        places = np.repeat(np.arange(shape[axis]), repeats)
        return FUNCTIONS["index"](a, (..., places, *(slice(None),) * (-axis - 1)))
    many, place = whole(repeats), axis + rank(a)
    a = broadcast_to(expand_dims(a, place + 1), (*shape[: place + 1], many, *shape[place + 1 :]))
    return reshape(a, (*shape[:place], shape[place] * many, *shape[place + 1 :]))


@public
@explained
def tile(A: Any, reps: Any) -> Any:
    """The whole of it so many times along each axis."""
    many = tuple(map(whole, reps)) if np.ndim(reps) else (whole(reps),)
    a = array_of(A)
    n = builtins.max(rank(a), len(many))
    many, shape = (1,) * (n - len(many)) + many, (1,) * (n - rank(a)) + shape_of(a)
    pairs = list(zip(many, shape, strict=True))
    apart = reshape(a, tuple(s for _, size in pairs for s in (1, size)))
    wide = broadcast_to(apart, tuple(s for pair in pairs for s in pair))
    return reshape(wide, tuple(m * size for m, size in pairs))


@public
@explained
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Entries moved on along axes, the last ones to the front; in one row if none is given."""
    if axis is None:
        return reshape(roll(flatten(a), shift, -1), shape_of(a))
    for by, k in np.broadcast(shift, axis):
        (k,) = negative_axes(int(k), rank(a), "roll")
        n = shape_of(a)[k]
        if n and (by := whole(by) % n):
            a = concatenate([cut(a, k, n - by, n), cut(a, k, 0, n - by)], axis=k)
    return a


@public
@explained
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """The plane of two axes turned by k right angles, from the first towards the second."""
    first, second = (negative_axes(axis, rank(m), "rot90")[0] for axis in axes)
    if k % 4 == 2:
        return flip(m, (first, second))
    turned = flip(m, second) if k % 4 == 1 else m
    turned = swapaxes(turned, first, second) if k % 2 else turned
    return flip(turned, second) if k % 4 == 3 else turned


@public
@explained
def fliplr(m: Any) -> Any:
    """The second axis in reverse order."""
    return flip(m, 1)


@public
@explained
def flipud(m: Any) -> Any:
    """The first axis in reverse order."""
    return flip(m, 0)


@public
@explained
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along an axis, n times."""
    (axis,) = negative_axes(axis, rank(a), "diff")
    if n < 0:
        raise ValueError(f"diff: n is how many times, 0 or more, got {n}")
    shape = list(shape_of(a))
    shape[axis] = 1
    ends = [x if x is None or rank(x) else broadcast_to(array_of(x), tuple(shape))
            for x in (prepend, append)]  # fmt: skip
    parts = [x for x in (ends[0], a, ends[1]) if x is not None]
    a = concatenate(parts, axis=axis) if len(parts) > 1 else a
    for _ in range(n):
        size = shape_of(a)[axis]
        after, before = cut(a, axis, 1, size), cut(a, axis, 0, builtins.max(size - 1, 0))
        flags = a.dtype.kind == "b"
        a = not_equal(after, before) if flags else after - before
    return a


@public
@explained
def meshgrid(*xi: Any, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of all points of a grid."""
    n = len(xi)
    vectors = [reshape(array_of(x), (-1,) + (1,) * (n - 1 - k)) for k, x in enumerate(xi)]
    grid = broadcast_arrays(*vectors)
    return tuple(swapaxes(x, 0, 1) for x in grid) if indexing == "xy" and n > 1 else grid


@public
@explained
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """From each place the choice of the first condition that holds there."""
    for flag, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        default = FUNCTIONS["where"](flag, choice, default)
    return default
