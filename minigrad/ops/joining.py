"""Tensors put together and taken apart, in NumPy's words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import index as whole
from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS
from minigrad.core.kinds import negative_axes, public, rank
from minigrad.habits import explained
from minigrad.ops.elementwise import astype
from minigrad.ops.rearranging import array_of, at_least, one_axis
from minigrad.ops.shapes import broadcast_to, concatenate, cut, expand_dims, shape_of


@public
@explained
def vstack(tup: Sequence[Any]) -> Any:
    """Rows under each other."""
    return concatenate([at_least(2, (x,)) for x in tup], axis=0)


@public
@explained
def hstack(tup: Sequence[Any]) -> Any:
    """Columns beside each other, vectors one after the other."""
    parts = [at_least(1, (x,)) for x in tup]
    return concatenate(parts, axis=0 if rank(parts[0]) == 1 else 1)


@public
@explained
def dstack(tup: Sequence[Any]) -> Any:
    """Tensors behind each other, along a third axis."""
    return concatenate([at_least(3, (x,)) for x in tup], axis=2)


@public
@explained
def column_stack(tup: Sequence[Any]) -> Any:
    """Vectors as columns, beside matrices."""
    parts = [expand_dims(x, -1) if rank(x) == 1 else x for x in map(array_of, tup)]
    return concatenate(parts, axis=1)


@public
@explained
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """The one after the other along an axis; all entries in a row if none is given."""
    return concatenate([array_of(arr), array_of(values)], axis=axis)


@public
@explained
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Pieces before, between and after positions; or so many, the first longer by 1 at need."""
    (axis,) = negative_axes(axis, rank(ary), "array_split")
    n = shape_of(ary)[axis]
    if np.ndim(indices_or_sections):
        ends = [0, *map(whole, indices_or_sections), n]
    else:
        many = whole(indices_or_sections)
        if many < 1:
            raise ValueError(f"array_split: at least one part, got {many}")
        ends = [k * (n // many) + min(k, n % many) for k in range(many + 1)]
    return [cut(ary, axis, a, b) for a, b in itertools.pairwise(ends)]


def equal_parts(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """NumPy's `split`: that of `array_split`, but so many parts are equal."""
    if not np.ndim(indices_or_sections) and shape_of(ary)[axis] % indices_or_sections:
        raise ValueError(
            f"split: axis of size {shape_of(ary)[axis]} does not part into {indices_or_sections} "
            "equal pieces"
        )
    return array_split(ary, indices_or_sections, axis)


@public
@explained
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """What is left without the entries at positions along an axis."""
    arr, axis = one_axis(arr, axis, "delete")
    kept = np.delete(np.arange(shape_of(arr)[axis]), obj)
    return FUNCTIONS["index"](arr, (..., kept, *(slice(None),) * (-axis - 1)))


@public
@explained
def insert(arr: Any, obj: int, values: Any, axis: int | None = None) -> Any:
    """With values put before a position along an axis."""
    arr, axis = one_axis(arr, axis, "insert")
    n = shape_of(arr)[axis]
    at, values = range(n + 1)[whole(obj)] if obj >= 0 else n + whole(obj), array_of(values)
    values = values if values.dtype == arr.dtype else astype(values, arr.dtype)
    if rank(values) < rank(arr):
        one = [*shape_of(arr)]
        one[axis] = 1
        values = expand_dims(values, axis) if rank(values) == rank(arr) - 1 > 0 else values
        values = broadcast_to(values, tuple(one))
    return concatenate([cut(arr, axis, 0, at), values, cut(arr, axis, at, n)], axis=axis)
