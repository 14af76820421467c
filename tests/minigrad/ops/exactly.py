"""Linear algebra by mpmath, an oracle of as many digits as are asked for."""

from __future__ import annotations

import mpmath
import numpy as np

import minigrad as mg

rng = np.random.default_rng(0)
A = np.diag([1.0, 2.0, 4.0]) + 0.2 * rng.normal(size=(3, 3))
S = A + A.T
PILE = np.stack([A, A.T @ A + np.eye(3)])
B = rng.normal(size=(3, 2))


def exact(x):
    return mpmath.matrix(x.tolist())


def floats(x):
    return np.array(x.tolist(), float)


EXACT = {
    "inv": (mg.inv, A, lambda x: floats(x**-1)),
    "solve": (lambda a: mg.solve(a, B), A, lambda x: floats(x**-1 * exact(B))),
    "det": (mg.det, A, lambda x: float(mpmath.det(x))),
    "log |det|": (lambda a: mg.slogdet(a)[1], A, lambda x: float(mpmath.log(mpmath.det(x)))),
    "cholesky": (mg.cholesky, S, lambda x: floats(mpmath.cholesky(x))),
    "eigenvalues": (mg.eigvalsh, S, lambda x: floats(mpmath.eigsy(x, eigvals_only=True))[:, 0]),
    "singular values": (mg.svdvals, np.c_[A, B],
                        lambda x: floats(mpmath.svd_r(x, compute_uv=False))[:, 0]),
}  # fmt: skip


def oracle_at(name, x):
    """The entries of the exact result, not rounded."""
    y = {
        "inv": lambda: x**-1, "solve": lambda: x**-1 * exact(B),
        "det": lambda: mpmath.matrix([mpmath.det(x)]),
        "log |det|": lambda: mpmath.matrix([mpmath.log(mpmath.det(x))]),
        "cholesky": lambda: mpmath.cholesky(x),
        "eigenvalues": lambda: mpmath.eigsy(x, eigvals_only=True),
        "singular values": lambda: mpmath.svd_r(x, compute_uv=False),
    }[name]()  # fmt: skip
    return [y[i, j] for i in range(y.rows) for j in range(y.cols)]
