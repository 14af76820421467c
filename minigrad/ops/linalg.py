"""Linear algebra of square matrices in the last two axes, by LAPACK; leading axes are batches.

Where NumPy reads one triangle only (cholesky, eigh), so does the derivative: the gradient stands in
the lower triangle, an entry below the diagonal counts for both places. Conditions: an inverse for
solve and det; eigenvalues, or singular values, that are apart and, of these, not 0.
Source: M. B. Giles, Collected matrix derivative results (2008); I. Murray, Differentiation of the
Cholesky decomposition (2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minigrad.core.kinds import MATRIX, REAL, general, public, rank, several, stepwise
from minigrad.facts import Formula
from minigrad.habits import explained
from minigrad.ops.elementwise import equal, exp, negative, where
from minigrad.ops.products import matmul
from minigrad.ops.reductions import keep, sum
from minigrad.ops.shapes import (
    Arguments,
    broadcast_to,
    concatenate,
    cut,
    expand_dims,
    flip,
    pad,
    shape_of,
    squeeze,
    swapaxes,
)


def _or_nan(forward: Callable[..., Any]) -> Callable[..., Any]:
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


def _matrix(signature: str) -> dict[str, Any]:
    return {"signature": signature, "domain": (MATRIX,), "lift": "same", "sample": _square,
            "prepare": _given}  # fmt: skip


def _identity(x: Any) -> Any:
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
    formula=Formula("a⁻¹ b"),
    sample=lambda r: (r.choice(([(3, 3), (3, 2)], [(2, 2, 2), (2, 1)], [(2, 2), (3, 2, 2)])), {}),
)
@_or_nan
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
    return solve_columns(a, _identity(a))


@public
@explained
def matrix_power(a: Any, n: int) -> Any:
    """The n-th power of a matrix, by squaring; of its inverse for n < 0."""
    if n <= 0:
        return matrix_power(inv(a), -n) if n else broadcast_to(_identity(a), shape_of(a))
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
    **_matrix("(n,n)->()"),
)
def log_abs_det(x: Any) -> Any:
    """log |det x|; −∞ for a matrix without an inverse."""
    return np.linalg.slogdet(x)[1]


@stepwise(1, public=False, **_matrix("(n,n)->()"))
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


# --- symmetric matrices ---------------------------------------------------------------------------


def _lower(m: Any) -> Any:
    """The lower triangle, with half the diagonal: Φ of Murray (2016)."""
    half = np.tri(shape_of(m)[-1]) - 0.5 * np.eye(shape_of(m)[-1])
    return where(half > 0, m * half.astype(m.dtype), 0.0)


def _symmetric(t: Any) -> Any:
    """The symmetric matrix whose lower triangle is that of t."""
    return _lower(t) + swapaxes(_lower(t))


def _cholesky_vjp(g: Any, y: Any, x: Any) -> Any:
    back = swapaxes(y)
    s = solve_columns(back, swapaxes(solve_columns(back, swapaxes(_lower(matmul(back, g))))))
    return _lower(s + swapaxes(s))


def _cholesky_jvp(t: Any, y: Any, x: Any) -> Any:
    half = solve_columns(y, _symmetric(t))
    return matmul(y, _lower(solve_columns(y, swapaxes(half))))


@general(_cholesky_vjp, _cholesky_jvp, **_matrix("(n,n)->(n,n)"))
@_or_nan
def cholesky(a: Any) -> Any:
    """The lower triangle L with L Lᵀ = a, for a positive definite; the upper one is not read."""
    return np.linalg.cholesky(a)


def _gaps(w: Any) -> Any:
    """1 / (w_j − w_i) in row i and column j, 0 where both are the same."""
    gap = expand_dims(w, -2) - expand_dims(w, -1)
    same = equal(gap, 0)
    return where(same, 0.0, 1.0 / where(same, 1.0, gap))


def _parts(y: Any) -> tuple[Any, Any]:
    """The eigenvalues and the eigenvectors that stand beside each other."""
    return y[..., 0], y[..., 1:]


def _eigen_vjp(g: Any, y: Any, x: Any) -> Any:
    (w, v), (gw, gv) = _parts(y), _parts(g)
    inner = where(
        _identity(x) > 0, expand_dims(gw, -1), _gaps(w) * matmul(swapaxes(v), gv)
    )
    s = matmul(matmul(v, inner), swapaxes(v))
    return _lower(s + swapaxes(s))


def _eigen_jvp(t: Any, y: Any, x: Any) -> Any:
    w, v = _parts(y)
    inner = matmul(matmul(swapaxes(v), _symmetric(t)), v)
    moved = sum(where(_identity(x) > 0, inner, 0.0), -1)
    return concatenate([expand_dims(moved, -1), matmul(v, _gaps(w) * inner)], axis=-1)


@general(_eigen_vjp, _eigen_jvp, public=False, **_matrix("(n,n)->(n,k)"))
@_or_nan
def eigensystem(a: Any) -> Any:
    """[w V]: eigenvalues of a symmetric matrix as a column, beside them the eigenvectors."""
    w, v = np.linalg.eigh(a)
    return np.concatenate([w[..., None], v], -1)


@public
@explained
def eigh(a: Any, UPLO: str = "L") -> tuple[Any, Any]:
    """Eigenvalues of a symmetric matrix from the smallest, and eigenvectors as columns.

    The sign of a vector is LAPACK's. Vectors of equal eigenvalues have no derivative, and what
    would belong to it is left out.
    """
    return _parts(eigensystem(a if UPLO == "L" else swapaxes(a)))


@public
@explained
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of a symmetric matrix from the smallest."""
    return eigh(a, UPLO)[0]


# --- singular values ------------------------------------------------------------------------------


def _singular(x: Any) -> tuple[Any, Any]:
    """Singular vectors u and v as columns: √2 times those of [[0, x], [xᵀ, 0]], u over v."""
    m, n = shape_of(x)[-2:]
    free = ((0, 0),) * (rank(x) - 2)
    _, vectors = _parts(eigensystem(pad(swapaxes(x), (*free, (m, 0), (0, n)))))
    found = math.sqrt(2.0) * flip(cut(vectors, -1, m + n - min(m, n), m + n), -1)
    return cut(found, -2, 0, m), cut(found, -2, m, m + n)


def _svdvals_vjp(g: Any, y: Any, x: Any) -> Any:
    u, v = _singular(x)
    return matmul(u * expand_dims(g, -2), swapaxes(v))


def _svdvals_jvp(t: Any, y: Any, x: Any) -> Any:
    u, v = _singular(x)
    return sum(u * matmul(t, v), -2)


@general(_svdvals_vjp, _svdvals_jvp, **_matrix("(m,n)->(k)"))
@_or_nan
def svdvals(x: Any) -> Any:
    """Singular values of a matrix of any shape, from the greatest."""
    return np.linalg.svd(x, compute_uv=False)


@public
@explained
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular values alone, `compute_uv=False`."""
    if compute_uv:
        raise TypeError(
            "svd: of the vectors there is no derivative here; write svdvals(a), or "
            "compute_uv=False, and eigh of a symmetric matrix"
        )
    return svdvals(a)
