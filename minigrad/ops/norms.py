"""How large a vector or a matrix is, in NumPy's orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import negative_axes, public, rank
from minigrad.habits import explained
from minigrad.ops.composite import root, wide
from minigrad.ops.elementwise import square
from minigrad.ops.exponents import power
from minigrad.ops.kinks import absolute, where
from minigrad.ops.questions import count_nonzero
from minigrad.ops.reductions import keep, max, min, sum
from minigrad.ops.shapes import moveaxis
from minigrad.ops.spectra import svdvals


@public
@explained
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Euclidean (Frobenius) norm over axes, or that of an order; the derivative at 0 is 0.

    Arguments stand as in `np.linalg.norm`: `norm(x, 1)` is an order, `norm(x, axis=1)` an axis.

    Orders over one axis: p ≠ 0, ±∞, and 0 for the count of entries that are not 0. Over two axes:
    1 and ∞ (the greatest sum of a column, of a row), −1 and −∞ (the smallest), 2, −2 and "nuc" (of
    singular values), "fro".

    >>> import minigrad as mg, numpy as np
    >>> float(mg.norm(np.array([3.0, -4.0]))), float(mg.norm(np.array([3.0, -4.0]), np.inf))
    (5.0, 4.0)
    """
    if ord is None or (ord == "fro" and _count(x, axis) == 2) or (ord == 2 and _count(x, axis) < 2):
        x, narrow = wide(x)
        return narrow(root(sum(square(x), axis, keepdims)))
    axes = negative_axes(axis, rank(x), "norm")
    if len(axes) == 1:
        return _of_vectors(x, axes, keepdims, ord)
    if len(axes) == 2:
        axes = axes if axis is None else tuple(negative_axes(a, rank(x), "norm")[0] for a in axis)
        return _of_matrices(x, axes, keepdims, ord)
    raise ValueError(f"norm: an order is over one or two axes, not {len(axes)}")


def _count(x: Any, axis: Any) -> int:
    return len(negative_axes(axis, rank(x), "norm"))


def _of_vectors(x: Any, axes: tuple[int, ...], keepdims: bool, ord: Any) -> Any:
    x, narrow = wide(x)
    if ord == np.inf:
        return narrow(max(absolute(x), axes, keepdims))
    if ord == -np.inf:
        return narrow(min(absolute(x), axes, keepdims))
    if ord == 0:
        return narrow(1.0 * count_nonzero(x, axes, keepdims))
    if isinstance(ord, str):
        raise ValueError(f"norm: {ord!r} is an order of matrices, over two axes")
    if ord == 1:
        return narrow(sum(absolute(x), axes, keepdims))
    total = sum(power(absolute(x), float(ord)), axes, keepdims)
    zero = total == 0
    return narrow(where(zero, 0.0, power(where(zero, 1.0, total), 1.0 / ord)))


def _of_matrices(x: Any, axes: tuple[int, ...], keepdims: bool, ord: Any) -> Any:
    rows, columns = axes
    if ord in (2, -2, "nuc"):
        choose = {2: max, -2: min, "nuc": sum}[ord]
        y = choose(svdvals(moveaxis(x, axes, (-2, -1))), -1)
        return keep(y, tuple(sorted(axes)), False) if keepdims else y
    if abs(ord) in (1, np.inf) if not isinstance(ord, str) else False:
        summed, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)
        totals = sum(absolute(x), summed, True)
        y = (max if ord > 0 else min)(totals, chosen, True)
        return y if keepdims else sum(y, axes)
    raise ValueError(f"norm: the order {ord!r} is none of 1, -1, 2, -2, inf, -inf, 'fro', 'nuc'")


@public
@explained
def cond(x: Any) -> Any:
    """The greatest singular value by the smallest."""
    s = svdvals(x)
    return s[..., 0] / s[..., -1]
