"""Symmetric matrices by their factors and eigenvalues, others by their singular values.

Where NumPy reads one triangle only (cholesky, eigh), so does the derivative: the gradient stands in
the lower triangle, an entry below the diagonal counts for both places. Conditions: eigenvalues, or
singular values, that are apart and, of these, not 0.
Source: M. B. Giles, Collected matrix derivative results (2008); I. Murray, Differentiation of the
Cholesky decomposition (2016).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.kinds import general, public, rank
from minigrad.habits import explained
from minigrad.ops.kinks import equal, where
from minigrad.ops.linalg import identity, of_matrix, or_nan, solve_columns
from minigrad.ops.products import matmul
from minigrad.ops.reductions import sum
from minigrad.ops.shapes import concatenate, cut, expand_dims, flip, pad, shape_of, swapaxes


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


@general(_cholesky_vjp, _cholesky_jvp, **of_matrix("(n,n)->(n,n)"))
@or_nan
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
        identity(x) > 0, expand_dims(gw, -1), _gaps(w) * matmul(swapaxes(v), gv)
    )
    s = matmul(matmul(v, inner), swapaxes(v))
    return _lower(s + swapaxes(s))


def _eigen_jvp(t: Any, y: Any, x: Any) -> Any:
    w, v = _parts(y)
    inner = matmul(matmul(swapaxes(v), _symmetric(t)), v)
    moved = sum(where(identity(x) > 0, inner, 0.0), -1)
    return concatenate([expand_dims(moved, -1), matmul(v, _gaps(w) * inner)], axis=-1)


@general(_eigen_vjp, _eigen_jvp, public=False, **of_matrix("(n,n)->(n,k)"))
@or_nan
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


@general(_svdvals_vjp, _svdvals_jvp, **of_matrix("(m,n)->(k)"))
@or_nan
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
