"""Products along an axis so far, and the recurrence that its derivatives are.

Of y_k = x_k y_{k−1} the derivative runs by the same recurrence, with terms added, so it is right
where entries are 0. It is unrolled by doubling: log₂ n operations on whole arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import general, negative_axes, rank
from minigrad.ops.shapes import Arguments, concatenate, cut, flatten, flip, shape_of


def _recurred(factors: Any, terms: Any, axis: int) -> Any:
    """The r with r_k = terms_k + factors_k r_{k−1} (Hillis and Steele 1986)."""
    n, step = shape_of(terms)[axis], 1
    while step < n:
        start, tail, head = (0, step), (step, n), (0, n - step)
        by = cut(factors, axis, *tail)
        moved = cut(terms, axis, *tail) + by * cut(terms, axis, *head)
        grown = by * cut(factors, axis, *head)
        terms = concatenate([cut(terms, axis, *start), moved], axis=axis)
        factors = concatenate([cut(factors, axis, *start), grown], axis=axis)
        step *= 2
    return terms


def _before(x: Any, axis: int) -> Any:
    """The entry before each along an axis, 1 before the first."""
    sizes = [*shape_of(x)]
    sizes[axis] = 1
    return cut(concatenate([np.ones(sizes, x.dtype), x], axis=axis), axis, 0, shape_of(x)[axis])


def _vjp(g: Any, y: Any, x: Any, axis: int) -> Any:
    back = _recurred(_before(flip(x, axis), axis), flip(g, axis), axis)
    return _before(y, axis) * flip(back, axis)


def _along(a: Any, axis: Any = -1) -> Arguments:
    if axis is None:
        a, axis = flatten(a), -1
    (axis,) = negative_axes(axis, rank(a), "cumprod")
    return (a,), {"axis": axis}


@general(
    _vjp,
    lambda t, y, x, axis: _recurred(x, t * _before(y, axis), axis),
    signature="(n)->(n)",
    label="Π",
    prepare=_along,
    lift="same",
    sample=lambda r: ([(2, r.randint(0, 5))], {"axis": r.choice((-1, -2))}),
)
def cumprod(a: Any, axis: int) -> Any:
    """Running product along an axis, by default the last; of all in a row for `axis=None`."""
    return np.cumprod(a, axis=axis)
