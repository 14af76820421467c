"""Products cut into tiles, by a rule on their shapes.

OpenBLAS runs small products (up to some 10⁶ multiplications) in a kernel that does not pack its
operands. A step's product `(B, K) @ (K, N)` is cut into tiles for that kernel, which NumPy
multiplies in one call. The rule was read off timings of fifteen shapes of recurrent networks on an
AVX2 machine (0.6 to 0.9 of one plain product, in both precisions); it is fixed, since a choice by
stopwatch would give other bits in another process.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigrad.core import Array

SMALL = 10**6
"""Multiplications up to which OpenBLAS takes its small-matrix kernel by itself."""

ROWS = 16
"""Rows of a tile."""

COLUMNS = {"float32": 64, "float64": 32}
"""Columns of a tile, four lines of the cache: half as many where K is over `LONG`."""

LONG = 512

LARGEST = {"float32": 5 << 17, "float64": 1 << 17}
"""Entries of a weight, above which packing it pays."""


class Cut(NamedTuple):
    """Tiles of m rows and n columns of a product of `rows` × K × `columns`."""

    rows: int
    columns: int
    m: int
    n: int

    def left(self, a: Array) -> Array:
        """The left operand `(..., rows, K)` as `(..., 1, rows/m, m, K)`."""
        return a.reshape(*a.shape[:-2], 1, self.rows // self.m, self.m, a.shape[-1])

    def weight(self, w: Array) -> Array:
        """The weight `(K, columns)` as `(columns/n, 1, K, n)`, to be copied."""
        parts = w.reshape(w.shape[0], 1, self.columns // self.n, self.n)
        return parts.transpose(2, 1, 0, 3)

    def out(self, y: Array) -> Array:
        """The result `(..., rows, columns)` as `(..., columns/n, rows/m, m, n)`."""
        shape = (self.rows // self.m, self.m, self.columns // self.n, self.n)
        parts = y.reshape(*y.shape[:-2], *shape)
        return np.moveaxis(parts, -2, -4)


def cut_of(rows: int, K: int, columns: int, dtype: str) -> Cut | None:
    """How to multiply these shapes: a cut, or None for one plain product.

    >>> cut_of(32, 193, 512, "float32")
    Cut(rows=32, columns=512, m=16, n=64)
    """
    if dtype not in COLUMNS or rows * K * columns <= SMALL or K * columns > LARGEST[dtype]:
        return None
    n = COLUMNS[dtype] if K <= LONG else COLUMNS[dtype] // 2
    if rows % ROWS or columns % n or K > 2 * LONG:
        return None
    return Cut(rows, columns, ROWS, n)
