"""Parts of matrices, in the last two axes or in any: triangles, diagonals, traces."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import negative_axes, public, rank
from minigrad.habits import explained
from minigrad.ops.kinks import where
from minigrad.ops.reductions import sum
from minigrad.ops.shapes import cut, expand_dims, flatten, moveaxis, pad, reshape, shape_of


def masked(flag: Any, m: Any) -> Any:
    """m where a flag is true, 0 of its own dtype elsewhere."""
    return where(flag, m, np.zeros((), m.dtype))


def _below(m: Any, k: int) -> Any:
    """Where a matrix is on or below its k-th diagonal."""
    rows, columns = shape_of(m)[-2:]
    return np.tri(rows, columns, k, dtype=bool)


@public
@explained
def tril(m: Any, k: int = 0) -> Any:
    """The entries on and below a diagonal, 0 above."""
    return masked(_below(m, k), m)


@public
@explained
def triu(m: Any, k: int = 0) -> Any:
    """The entries on and above a diagonal, 0 below."""
    return masked(~_below(m, k - 1), m)


@public
@explained
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The entries of a diagonal of the plane of two axes, as the last axis: one slice.

    >>> import minigrad as mg, numpy as np
    >>> mg.diagonal(np.arange(6).reshape(2, 3), 1)
    array([1, 5])
    """
    (one,), (two,) = (negative_axes(k, rank(a), "diagonal") for k in (axis1, axis2))
    if one == two:
        raise ValueError(f"diagonal: axis1 and axis2 are both {axis1}")
    a = moveaxis(a, (one, two), (-2, -1))
    *free, rows, columns = shape_of(a)
    start = offset if offset >= 0 else -offset * columns
    count = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    row = reshape(a, (*free, rows * columns))
    return row[..., start : start + (count - 1) * (columns + 1) + 1 : columns + 1] if count else (
        cut(row, -1, 0, 0)
    )


@explained
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal: NumPy's `trace`, the name `minigrad.trace` being taken."""
    return sum(diagonal(a, offset, axis1, axis2), -1)


@public
@explained
def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix; of a vector the matrix that has it there, 0 elsewhere."""
    if rank(v) == 2:
        return diagonal(v, k)
    if rank(v) != 1:
        raise ValueError(f"diag: a vector or a matrix, got shape {shape_of(v)}")
    rows = expand_dims(pad(v, (0, k) if k >= 0 else (-k, 0)), -1)
    return masked(np.eye(shape_of(rows)[0], k=k, dtype=bool), rows)


@public
@explained
def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix that has all entries on a diagonal."""
    return diag(flatten(v), k)
