"""Linear algebra of square matrices in the last two axes, by LAPACK; leading axes are batches.

Derivatives are those of matrices that have an inverse.
Source: M. B. Giles, Collected matrix derivative results (2008).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import index
from typing import Any

import numpy as np

from minigrad.core.kinds import MATRIX, REAL, general, public, rank, several, stepwise
from minigrad.facts import Numerics
from minigrad.habits import explained
from minigrad.ops.elementwise import exp, negative
from minigrad.ops.products import matmul
from minigrad.ops.reductions import keep, sum
from minigrad.ops.shapes import (
    Arguments,
    broadcast_to,
    expand_dims,
    shape_of,
    squeeze,
    swapaxes,
)


def or_nan(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward by LAPACK: a matrix for which it fails is an error, as in NumPy, or NaN.

    It is NaN, with its whole pile, where invalid values are ignored, `np.errstate`: derivatives of
    steps are traced on values that stand for others, and may have no inverse.
    """

    @wraps(forward)
    def computed(a: Any, *others: Any) -> Any:
        try:
            return forward(a, *others)
        except np.linalg.LinAlgError:
            if np.geterr()["invalid"] != "ignore" or np.ndim(a) < 2:
                raise
        rows, columns = np.shape(a)[-2:]
        good = np.broadcast_to(np.eye(rows, columns, dtype=np.asarray(a).dtype), np.shape(a))
        return np.full_like(forward(good, *others), np.nan)

    return computed


def _square(r: Any) -> Any:
    return [r.choice(((2, 2), (3, 3), (2, 2, 2), (1, 1)))], {}


def _given(a: Any, *others: Any) -> Arguments:
    if any(getattr(x, "dtype", None) == np.float16 for x in (a, *others)):
        raise TypeError("LAPACK has no float16; write astype(x, 'float32')")
    return (a, *others), {}


def of_matrix(signature: str) -> dict[str, Any]:
    """What primitives of one matrix have in common."""
    return {"signature": signature, "domain": (MATRIX,), "lift": "same", "sample": _square,
            "prepare": _given, "numerics": Numerics(holomorphic=False)}  # fmt: skip


def identity(x: Any) -> Any:
    """The matrix I of the size and dtype of x."""
    return np.eye(shape_of(x)[-1], dtype=x.dtype if x.dtype.kind in "fc" else float)


# --- systems of equations -------------------------------------------------------------------------


def _solved(tangents: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = tangents
    moved = 0.0 if ta is None else matmul(ta, y)
    return solve_columns(a, negative(moved) if tb is None else tb - moved)


@several(
    lambda g, y, a, b: -matmul(solve_columns(swapaxes(a), g), swapaxes(y)),
    lambda g, y, a, b: solve_columns(swapaxes(a), g),
    push=_solved,
    signature="(n,n),(n,m)->(n,m)",
    domain=(MATRIX, REAL),
    lift="align",
    label="⁻¹",
    public=False,
    prepare=_given,
    sample=lambda r: (r.choice(([(3, 3), (3, 2)], [(2, 2, 2), (2, 1)], [(2, 2), (3, 2, 2)])), {}),
)
@or_nan
def solve_columns(a: Any, b: Any) -> Any:
    """The columns x with a x = b."""
    return np.linalg.solve(a, b)


@public
@explained
def solve(a: Any, b: Any) -> Any:
    """The x with a x = b, for a matrix or one vector b: `(..., n, n), (..., n, m) -> (..., n, m)`.

    >>> import minigrad as mg, numpy as np
    >>> mg.solve(np.diag([2.0, 4.0]), np.array([1.0, 1.0]))
    array([0.5 , 0.25])
    """
    if rank(b) == 1:
        return squeeze(solve_columns(a, expand_dims(b, -1)), -1)
    return solve_columns(a, b)


@public
@explained
def inv(a: Any) -> Any:
    """The inverse of a matrix."""
    return solve_columns(a, identity(a))


@public
@explained
def matrix_power(a: Any, n: int) -> Any:
    """The n-th power of a matrix, by squaring; of its inverse for n < 0."""
    if index(n) <= 0:
        return matrix_power(inv(a), -n) if n else broadcast_to(identity(a), shape_of(a))
    y, square = None, a
    while n:
        if n % 2:
            y = square if y is None else matmul(y, square)
        n //= 2
        square = matmul(square, square) if n else None
    return y


# --- determinants ---------------------------------------------------------------------------------


@general(
    lambda g, y, x: keep(g, (-2, -1), False) * swapaxes(inv(x)),
    lambda t, y, x: sum(swapaxes(inv(x)) * t, (-2, -1)),
    label="log|det|",
    public=False,
    **of_matrix("(n,n)->()"),
)
def log_abs_det(x: Any) -> Any:
    """log |det x|; −∞ for a matrix without an inverse."""
    return np.linalg.slogdet(x)[1]


@stepwise(1, public=False, **of_matrix("(n,n)->()"))
def sign_of_det(x: Any) -> Any:
    """−1, 0 or 1: that of the determinant."""
    return np.linalg.slogdet(x)[0]


@public
@explained
def slogdet(a: Any) -> tuple[Any, Any]:
    """The sign of the determinant, and the logarithm of its size."""
    return sign_of_det(a), log_abs_det(a)


@public
@explained
def det(a: Any) -> Any:
    """The determinant; its derivative is that of matrices with an inverse."""
    return sign_of_det(a) * exp(log_abs_det(a))
