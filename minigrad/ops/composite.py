"""Functions composed of primitives: their derivatives of every order follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS
from minigrad.define import negative_axes, rank
from minigrad.habits import explained
from minigrad.ops.elementwise import exp, sqrt, square, where
from minigrad.ops.indexing import take
from minigrad.ops.products import outer
from minigrad.ops.reductions import logsumexp, sum
from minigrad.ops.shapes import (
    concatenate,
    cut,
    moveaxis,
    reshape,
    shape_of,
    split,
    swapaxes,
    transpose,
    unstack,
)


@explained
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over axes, over all if none is given."""
    axes = negative_axes(axis, rank(x), "mean")
    count = int(np.prod([shape_of(x)[a] for a in axes]))
    if count == 0:
        raise ValueError(f"mean: no entries to average in shape {shape_of(x)} over axis {axis!r}")
    return sum(x, axes, keepdims) / count


@explained
def var(x: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    """Variance over axes; the divisor is the number of entries less `ddof`."""
    axes = negative_axes(axis, rank(x), "var")
    count = int(np.prod([shape_of(x)[a] for a in axes])) - ddof
    if count <= 0:
        raise ValueError(
            f"var: {count + ddof} entries and ddof = {ddof} leave nothing to divide by"
        )
    return sum(square(x - mean(x, axes, True)), axes, keepdims) / count


def _root(total: Any) -> Any:
    """Square root whose derivative at 0 is stated as 0 instead of infinite."""
    safe = where(total > 0, total, 1.0)
    return where(total > 0, sqrt(safe), 0.0)


@explained
def std(x: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    """Standard deviation over axes; its derivative where all entries are equal is 0."""
    return _root(var(x, axis, keepdims, ddof))


@explained
def norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Euclidean (Frobenius) norm over axes; its derivative at 0 is 0."""
    return _root(sum(square(x), axis, keepdims))


@explained
def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Product over axes, by pairs, so that its derivatives are right where entries are 0."""
    axes = negative_axes(axis, rank(x), "prod")
    kept = [a for a in range(-rank(x), 0) if a not in axes]
    shape = shape_of(x)
    x = transpose(x, (*kept, *axes))
    x = reshape(x, (*(shape[a] for a in kept), int(np.prod([shape[a] for a in axes]))))
    if shape_of(x)[-1] == 0:
        raise ValueError(f"prod: no entries to multiply in shape {shape} over axis {axis!r}")
    while (n := shape_of(x)[-1]) > 1:
        pairs = cut(x, -1, 0, n // 2) * cut(x, -1, n // 2, n // 2 * 2)
        x = pairs if n % 2 == 0 else concatenate([pairs, cut(x, -1, n - 1, n)], axis=-1)
    return reshape(x, tuple(1 if a in axes else shape[a] for a in range(-len(shape), 0))
                   if keepdims else tuple(shape[a] for a in kept))  # fmt: skip


@explained
def log_softmax(x: Any, axis: int = -1) -> Any:
    """x − logsumexp(x) along an axis."""
    return x - logsumexp(x, axis, True)


@explained
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / Σ exp(x) along an axis; rows sum to 1.

    >>> import minigrad as mg, numpy as np
    >>> mg.softmax(np.zeros(4))
    array([0.25, 0.25, 0.25, 0.25])
    """
    return exp(log_softmax(x, axis))


COMPOSITES = (mean, var, std, norm, prod, log_softmax, softmax, swapaxes, moveaxis, unstack,
              split, take, outer)  # fmt: skip
FUNCTIONS.update({function.__name__: function for function in COMPOSITES})
