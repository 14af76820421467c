"""Products cut into tiles, where a trial shows that this machine multiplies them faster.

OpenBLAS runs small products (up to some 10⁶ multiplications) in a kernel that does not pack its
operands. A step's product `(B, K) @ (K, N)` is cut into tiles of that size, which NumPy multiplies
in one call, if that wins a short trial when the program is built.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

SMALL = 10**6
"""Multiplications up to which OpenBLAS takes its small-matrix kernel."""

ROUNDS = 11
"""Trials of each cut; the fastest round of each is compared, since others may need the machine."""

Array = np.ndarray[Any, np.dtype[Any]]


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


@lru_cache(maxsize=256)
def best_cut(rows: int, K: int, columns: int, dtype: str) -> Cut | None:
    """The fastest way to multiply these shapes: a cut, or None for one plain product."""
    if rows < 2 or rows * K * columns <= SMALL:
        return None
    cuts = [
        Cut(rows, columns, m, n)
        for m in (rows, rows // 2, rows // 4)
        for n in (128, 64, 32, 16)
        if m >= 8 and rows % m == 0 and columns % n == 0 and m * K * n <= SMALL
    ]
    if not cuts:
        return None
    a, w, y = (np.ones(s, dtype) for s in ((rows, K), (K, columns), (rows, columns)))
    plain: list[tuple[Cut | None, Any]] = [(None, (a, w, y))]
    trials = plain + [(cut, (cut.left(a), cut.weight(w).copy(), cut.out(y))) for cut in cuts]
    best = {cut: float("inf") for cut, _ in trials}
    repeat = max(1, 20_000_000 // (rows * K * columns))
    for _ in range(ROUNDS):
        for cut, operands in trials:
            start = time.perf_counter()
            for _ in range(repeat):
                np.matmul(*operands)
            best[cut] = min(best[cut], time.perf_counter() - start)
    return min(best, key=lambda cut: best[cut])
