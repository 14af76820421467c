"""A product cut into tiles is the product, and its tiles are all of it, each once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.engines.numpy.tiles import LARGEST, SMALL, Cut, cut_of

CUTS = st.builds(lambda rows, columns, m, n: Cut(rows * m, columns * n, m, n),
                 *[st.integers(1, 4)] * 4)  # fmt: skip


@given(cut=CUTS)
def test_the_tiles_of_a_cut_are_the_whole_result_each_entry_once(cut):
    y = np.arange(cut.rows * cut.columns).reshape(cut.rows, cut.columns)
    tiles = cut.out(y)
    assert np.may_share_memory(tiles, y)
    assert sorted(tiles.reshape(-1)) == list(range(y.size))
    for j, i in np.ndindex(tiles.shape[:2]):
        corner = y[i * cut.m : (i + 1) * cut.m, j * cut.n : (j + 1) * cut.n]
        np.testing.assert_array_equal(tiles[j, i], corner)


@given(cut=CUTS, K=st.integers(1, 5), steps=st.none() | st.integers(1, 3), gaps=st.booleans(),
       seed=st.integers(0, 99))  # fmt: skip
def test_a_cut_product_is_the_plain_one(cut, K, steps, gaps, seed):
    """Of whole numbers, to the bit; of one step and of several; on operands that have gaps."""
    rng, lead = np.random.default_rng(seed), () if steps is None else (steps,)
    a = rng.integers(-9, 9, (*lead, cut.rows, K)).astype(float)
    w = rng.integers(-9, 9, (K, cut.columns)).astype(float)
    y = np.full((*lead, cut.rows, cut.columns * (1 + gaps)), np.nan)[..., : cut.columns]
    w = np.asfortranarray(w) if gaps else w
    np.matmul(cut.left(a), np.ascontiguousarray(cut.weight(w)), cut.out(y))
    np.testing.assert_array_equal(y, a @ w)


@given(rows=st.integers(1, 512), K=st.integers(1, 1200), columns=st.integers(1, 4096),
       dtype=st.sampled_from(["float16", "float32", "float64"]))  # fmt: skip
def test_a_cut_has_whole_tiles_that_are_small_and_is_of_a_product_that_is_not(
    rows, K, columns, dtype
):
    rows, columns = rows * 16 % 513, columns * 32 % 4097
    cut = cut_of(rows, K, columns, dtype)
    if cut is not None:
        assert (cut.rows, cut.columns) == (rows, columns)
        assert (cut.rows % cut.m, cut.columns % cut.n) == (0, 0)
        assert cut.m * cut.n * K <= SMALL < rows * K * columns
        assert K * columns <= LARGEST[dtype]


@pytest.mark.parametrize(
    ("product", "is_cut"),
    [
        ((32, 193, 512, "float32"), True),
        ((32, 193, 512, "float64"), True),
        ((32, 193, 512, "float16"), False),  # not a product of OpenBLAS
        ((16, 64, 64, "float32"), False),  # small already
        ((33, 193, 512, "float32"), False),  # no whole tiles
        ((32, 193, 520, "float32"), False),
        ((32, 1025, 512, "float32"), False),  # too long
        ((32, 512, 2048, "float32"), False),  # packing pays
    ],
)
def test_which_products_are_cut(product, is_cut):
    assert (cut_of(*product) is not None) == is_cut
