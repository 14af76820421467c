"""Primitives that sum up: over axes, along an axis, over several tensors."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from minigrad.define import general, linear, negative_axes, rank
from minigrad.ops.elementwise import equal, exp
from minigrad.ops.shapes import Arguments, broadcast_to, expand_dims, flip, shape_of


def _axes(x: Any, axis: Any = None, keepdims: bool = False) -> Arguments:
    return (x,), {"axis": negative_axes(axis, rank(x), "reduction"), "keepdims": bool(keepdims)}


def keep(y: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """A reduced tensor with its axes back as size 1, so that it broadcasts against the operand."""
    return y if keepdims or not axis else expand_dims(y, axis)


def _reduction(r: Any) -> Any:
    axis = r.choice(((-1,), (-2,), (-2, -1), (-3, -1), (-3, -2, -1)))
    return [(2, 3, 2)], {"axis": axis, "keepdims": r.random() < 0.5}


ADD: Any = np.add.reduce
"""NumPy's sum without its wrapper, which takes longer than a small sum."""


@linear(
    lambda g, x, axis, keepdims: broadcast_to(keep(g, axis, keepdims), shape_of(x)),
    label="Σ",
    prepare=_axes,
    sample=_reduction,
    lift="same",
)
def sum(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Sum over axes, over all if none is given."""
    return ADD(x, axis, keepdims=keepdims)


def _ties(y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """Weights that share 1 equally among the entries that attain the extreme value."""
    hits = equal(x, keep(y, axis, keepdims))
    return hits / sum(hits * 1.0, axis, True)


def _choose_vjp(g: Any, y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return keep(g, axis, keepdims) * _ties(y, x, axis, keepdims)


def _choose_jvp(t: Any, y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return sum(t * _ties(y, x, axis, keepdims), axis, keepdims)


@general(_choose_vjp, _choose_jvp, prepare=_axes, sample=_reduction, lift="same")
def max(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Greatest entry over axes; ties split the gradient equally."""
    return np.max(x, axis=axis, keepdims=keepdims)


@general(_choose_vjp, _choose_jvp, prepare=_axes, sample=_reduction, lift="same")
def min(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Smallest entry over axes; ties split the gradient equally."""
    return np.min(x, axis=axis, keepdims=keepdims)


@general(
    lambda g, y, x, axis, keepdims:
        keep(g, axis, keepdims) * exp(x - keep(y, axis, keepdims)),
    lambda t, y, x, axis, keepdims:
        sum(t * exp(x - keep(y, axis, keepdims)), axis, keepdims),
    prepare=_axes, sample=_reduction,
    lift="same",
)  # fmt: skip
def logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """log Σ exp(x) over axes, finite wherever x is."""
    top = np.maximum.reduce(x, axis, keepdims=True)
    if not np.isfinite(ADD(top, None)):  # −∞ − (−∞) would be NaN
        top = np.where(np.isfinite(top), top, 0.0).astype(np.asarray(x).dtype, copy=False)
    below = np.subtract(x, top)
    total = np.add.reduce(np.exp(below, below), axis, keepdims=True)
    total = np.add(np.log(total, total), top, total)
    if keepdims:
        return total
    return total[tuple(0 if k - x.ndim in axis else slice(None) for k in range(x.ndim))]


def _one_axis(x: Any, axis: Any = -1) -> Arguments:
    (axis,) = negative_axes(axis, rank(x), "cumsum")
    return (x,), {"axis": axis}


@linear(
    lambda g, x, axis: flip(cumsum(flip(g, axis), axis), axis),
    prepare=_one_axis,
    lift="same",
    sample=lambda r: ([(2, 3)], {"axis": r.choice((-1, -2))}),
)
def cumsum(x: Any, axis: int) -> Any:
    """Running sum along an axis, by default the last."""
    return np.cumsum(x, axis=axis)


def _same_shape(*tensors: Any) -> Arguments:
    items = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], list) else tensors
    if not items:
        raise ValueError("add_n needs at least one tensor, got none")
    return items, {}


@linear(
    joint=lambda g, y, xs, attrs, asked: [g] * len(xs),
    label="Σ",
    prepare=_same_shape,
    lift="same",
    sample=lambda r, n: ([(2, 3)] * n, {}),
)
def add_n(*tensors: Any) -> Any:
    """Sum of several tensors of one shape: how the gradients of shared weights meet."""
    return reduce(np.add, tensors)
