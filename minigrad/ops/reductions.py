"""Primitives that sum up: over axes, along an axis, over several tensors."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from minigrad.core.kinds import as_array, general, linear, negative_axes, rank, underflows
from minigrad.facts import SATURATES, SUMS, Lowering, Numerics
from minigrad.ops.elementwise import astype, likelihood
from minigrad.ops.kinks import equal, logical_not, shut
from minigrad.ops.shapes import (
    Arguments,
    broadcast_to,
    concatenate,
    cut,
    expand_dims,
    flatten,
    flip,
    inverse,
    reshape,
    shape_of,
    transpose,
)


def _axes(x: Any, axis: Any = None, keepdims: bool = False) -> Arguments:
    return (x,), {"axis": negative_axes(axis, rank(x), "reduction"), "keepdims": bool(keepdims)}


def keep(y: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """A reduced tensor with its axes back as size 1, so that it broadcasts against the operand."""
    return y if keepdims or not axis else expand_dims(y, axis)


def _reduction(r: Any) -> Any:
    axis = r.choice(((-1,), (-2,), (-2, -1), (-3, -1), (-3, -2, -1)))
    return [(2, 3, 2)], {"axis": axis, "keepdims": r.random() < 0.5}


_OVER_AXES: Any = {"prepare": _axes, "sample": _reduction, "lift": "same"}


ADD: Any = np.add.reduce
MULTIPLY: Any = np.multiply.reduce
"""NumPy's sum and product without their wrappers, which take longer than a small sum."""


@linear(
    lambda g, x, axis, keepdims: broadcast_to(keep(g, axis, keepdims), shape_of(x)),
    label="Σ",
    **_OVER_AXES,
)
def sum(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Sum over axes, over all if none is given."""
    return ADD(x, axis, keepdims=keepdims)


def _ties(g: Any, y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """g shared equally among the entries that attain the extreme value; NaN has none."""
    hits = equal(x, keep(y, axis, keepdims))
    return shut(logical_not(hits), g) / sum(astype(hits, y.dtype), axis, True)


def _choose_vjp(g: Any, y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return _ties(keep(g, axis, keepdims), y, x, axis, keepdims)


def _choose_jvp(t: Any, y: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    return sum(_ties(t, y, x, axis, keepdims), axis, keepdims)


def lead(x: Any, axis: tuple[int, ...], keepdims: bool = False) -> Any:
    """How far the greatest entry over axes is from the next; nothing where it is the only one."""
    moved = np.moveaxis(x, axis, range(len(axis)))
    rows = np.sort(moved.reshape(-1, *moved.shape[len(axis) :]), axis=0)
    return np.expand_dims(rows[-1] - rows[-2], axis) if len(rows) > 1 else rows[:0]


@general(_choose_vjp, _choose_jvp, numerics=Numerics(kink=lead), **_OVER_AXES)
def max(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Greatest entry over axes; ties split the gradient equally."""
    return np.max(x, axis=axis, keepdims=keepdims)


@general(
    _choose_vjp,
    _choose_jvp,
    numerics=Numerics(kink=lambda x, axis, keepdims: lead(-x, axis)),
    **_OVER_AXES,
)
def min(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Smallest entry over axes; ties split the gradient equally."""
    return np.min(x, axis=axis, keepdims=keepdims)


def _others(x: Any, axis: tuple[int, ...]) -> Any:
    """For each entry the product of all others over axes, by pairs: right where entries are 0."""
    n, shape = rank(x), shape_of(x)
    kept = tuple(a for a in range(-n, 0) if a not in axis)
    moved = tuple(shape[a] for a in (*kept, *axis))
    count = int(np.prod([shape[a] for a in axis], dtype=int))
    x = reshape(transpose(x, (*kept, *axis)), (*(shape[a] for a in kept), count))
    levels = []
    while (n := shape_of(x)[-1]) > 1:
        levels.append(x)
        pairs = cut(x, -1, 0, n // 2) * cut(x, -1, n // 2, n // 2 * 2)
        x = pairs if n % 2 == 0 else concatenate([pairs, cut(x, -1, n - 1, n)], axis=-1)
    others: Any = np.ones(shape_of(x), x.dtype)
    for x in reversed(levels):
        half, n = shape_of(x)[-1] // 2, shape_of(x)[-1]
        pairs = cut(others, -1, 0, half)
        left, right = cut(x, -1, 0, half), cut(x, -1, half, half * 2)
        odd = [cut(others, -1, half, half + 1)] if n % 2 else []
        others = concatenate([pairs * right, pairs * left, *odd], axis=-1)
    return transpose(reshape(others, moved), inverse((*kept, *axis)))


@general(
    lambda g, y, x, axis, keepdims: keep(g, axis, keepdims) * _others(x, axis),
    lambda t, y, x, axis, keepdims: sum(t * _others(x, axis), axis, keepdims),
    label="Π",
    **_OVER_AXES,
)
def prod(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Product over axes, over all if none is given; its derivatives are right at 0 too."""
    return MULTIPLY(x, axis, keepdims=keepdims)


def _below(x: Any, axis: tuple[int, ...]) -> tuple[Any, Any]:
    """x less its greatest entry over axes, and that entry: exp of it cannot overflow."""
    x = as_array(x)
    if x.dtype.kind not in "fc":
        x = x.astype(float)
    top = np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
    return as_array(np.subtract(x, top)), top


@general(
    lambda g, y, x, axis, keepdims: keep(g, axis, keepdims) * softmax(x, axis),
    lambda t, y, x, axis, keepdims: sum(t * softmax(x, axis), axis, keepdims),
    numerics=SATURATES,
    **_OVER_AXES,
)
def logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """log Σ exp(x) over axes, finite wherever x is; −∞ of nothing."""
    with np.errstate(under="ignore", divide="ignore", invalid="ignore"):  # e⁻ˣ to 0, log 0 to −∞
        below, top = _below(x, axis)
        total = ADD(np.exp(below, below), axis, keepdims=True)
        total = np.where(np.isfinite(top), np.log(total) + top, top)
    return total if keepdims else np.squeeze(total, axis)


def _softened(x: Any, axis: Any = -1) -> Arguments:
    return (x,), {"axis": negative_axes(axis, rank(x), "softmax")}


def _sample_softened(r: Any) -> Any:
    return [(2, 3, 2)], {"axis": r.choice(((-1,), (-2,), (-3, -1)))}


_SOFTENED: Any = {
    "prepare": _softened, "sample": _sample_softened, "lift": "same", "numerics": SATURATES,
}  # fmt: skip


@general(
    lambda g, y, x, axis: y * (g - sum(g * y, axis, True)),
    lambda t, y, x, axis: y * (t - sum(t * y, axis, True)),
    **_SOFTENED,
)
@underflows
def softmax(x: Any, axis: tuple[int, ...]) -> Any:
    """exp(x) / Σ exp(x) along an axis, by default the last; rows sum to 1.

    >>> import minigrad as mg, numpy as np
    >>> mg.softmax(np.zeros(4))
    array([0.25, 0.25, 0.25, 0.25])
    """
    below, _ = _below(x, axis)
    e = np.exp(below, below)
    return np.divide(e, ADD(e, axis, keepdims=True), e)


@general(
    lambda g, y, x, axis: g - likelihood(y) * sum(g, axis, True),
    lambda t, y, x, axis: t - sum(likelihood(y) * t, axis, True),
    **_SOFTENED,
)
@underflows
def log_softmax(x: Any, axis: tuple[int, ...]) -> Any:
    """x − logsumexp(x) along an axis, computed as (x − max x) − log Σ exp(x − max x)."""
    below, _ = _below(x, axis)
    return below - np.log(ADD(np.exp(below), axis, keepdims=True))


def _one_axis(x: Any, axis: Any = -1) -> Arguments:
    x, axis = (flatten(x), -1) if axis is None else (x, axis)
    (axis,) = negative_axes(axis, rank(x), "cumsum")
    return (x,), {"axis": axis}


@linear(
    lambda g, x, axis: flip(cumsum(flip(g, axis), axis), axis),
    prepare=_one_axis,
    lift="same",
    sample=lambda r: ([(2, 3)], {"axis": r.choice((-1, -2))}),
)
def cumsum(x: Any, axis: int) -> Any:
    """Running sum along an axis, by default the last; of all entries in a row for `axis=None`."""
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
    lowering=Lowering(through=True, chain=SUMS),
)
def add_n(*tensors: Any) -> Any:
    """Sum of several tensors of one shape: how the gradients of shared weights meet."""
    return reduce(np.add, tensors) if len(tensors) > 1 else np.copy(tensors[0])
