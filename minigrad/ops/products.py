"""Matrix products. Samples are rows, so a layer is `x @ W` with `W` of `(inputs, outputs)`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.core.kinds import bilinear, public, rank
from minigrad.errors import ShapeError
from minigrad.facts import ATOM, MATRIX, Formula, Lowering
from minigrad.ops.shapes import expand_dims, shape_of, squeeze, swapaxes


def _contract_like(a: Any, g: Any, b: Any) -> Any:
    """aᵀg in the shape of b: the sum over leading axes that b lacks is part of ONE product."""
    return contract(a, g) if b.ndim == 2 else product(swapaxes(a), g)


@bilinear(
    lambda g, a, b: product(g, swapaxes(b)),
    lambda g, a, b: _contract_like(a, g, b),
    name="matmul",
    kernel=np.matmul, signature="(b,n),(n,m)->(b,m)", lift="align", label="@",
    sample=lambda r: (r.choice(([(3, 2), (2, 4)], [(2, 3, 2), (2, 4)], [(2, 1, 3, 2), (3, 2, 2)],
                                [(3, 2), (2, 2, 3)], [(0, 2), (2, 3)])), {}),
    lowering=Lowering(weight=1), formula=Formula("b a", MATRIX, (MATRIX, MATRIX)),
)  # fmt: skip
def product(a: Any, b: Any) -> Any:
    """Matrix product over the last two axes; leading axes broadcast. Public as `matmul`."""


@bilinear(
    lambda g, a, b: product(b, swapaxes(g)),
    lambda g, a, b: product(a, g),
    signature="(...,b,n),(...,b,m)->(n,m)",
    label="ᵀ@",
    sample=lambda r: (r.choice(([(3, 2), (3, 4)], [(2, 3, 2), (2, 3, 4)])), {}),
    formula=Formula("b aᵀ", MATRIX, (ATOM, MATRIX)),
)
def contract(a: Any, b: Any) -> Any:
    """aᵀb summed over all leading axes, as one product: `(..., b, n), (..., b, m) -> (n, m)`."""
    if a.ndim > 2 or b.ndim > 2:
        if a.shape[:-1] != b.shape[:-1]:
            lead = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
            a = np.broadcast_to(a, (*lead, a.shape[-1]))
            b = np.broadcast_to(b, (*lead, b.shape[-1]))
        rows = math.prod(a.shape[:-1])  # not -1, which is any number where there are no columns
        a, b = a.reshape(rows, a.shape[-1]), b.reshape(rows, b.shape[-1])
    return np.matmul(a.T, b)


@public
def matmul(a: Any, b: Any) -> Any:
    """Matrix product `a @ b`: of matrices, of a vector and a matrix, of two vectors, of batches.

    Shapes: `(..., b, n), (..., n, m) -> (..., b, m)`; a vector `(n,)` counts as a row on the left
    and as a column on the right, and its axis is dropped from the result.

    >>> import minigrad as mg, numpy as np
    >>> mg.matmul(np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 4)
    """
    m, n = rank(a), rank(b)
    if m >= 2 and n >= 2:
        return product(a, b)
    if m == 0 or n == 0:
        raise ShapeError(
            f"matmul: a number has no rows and columns (shapes {shape_of(a)} and {shape_of(b)}); "
            "write * for the product with a number"
        )
    a = expand_dims(_tensor_or_array(a), 0) if m == 1 else a
    b = expand_dims(_tensor_or_array(b), 1) if n == 1 else b
    y = product(a, b)
    if n == 1:
        y = squeeze(y, -1)
    return squeeze(y, -1 if n == 1 else -2) if m == 1 else y


def _tensor_or_array(x: Any) -> Any:
    return x if isinstance(x, Tensor | np.ndarray) else np.asarray(x)


@public
def outer(a: Any, b: Any) -> Any:
    """All products of an entry of a with an entry of b: `(..., n), (..., m) -> (..., n, m)`."""
    return expand_dims(a, -1) * expand_dims(b, -2)
