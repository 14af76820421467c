"""Triangles and diagonals are slices and masks, NumPy's for every offset and size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

SIZES = st.integers(0, 4)


@given(m=SIZES, n=SIZES, k=st.integers(-5, 5))
def test_parts_of_a_matrix_are_numpys(m, n, k):
    x = np.arange(2.0 * m * n, dtype=np.float32).reshape(2, m, n)
    for f in (lambda x: np.tril(x, k), lambda x: np.triu(x, k), lambda x: np.diag(x[0], k),
              lambda x: np.trace(x, k, 1, 2), lambda x: np.diagonal(x, k, 2, 1),
              lambda x: np.diagonal(x, k, 0, -1), lambda x: np.linalg.diagonal(x, offset=k),
              lambda x: np.diag(x.reshape(-1)[:m], k)):  # fmt: skip
        found, wanted = f(mg.Tensor(x)), f(x)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found.data, wanted)


def test_a_diagonal_is_one_slice_of_a_row():
    graph = mg.trace(lambda x: np.diagonal(x, 1), np.ones((3, 4)))
    assert [n.op for n in graph.nodes] == ["input", "reshape", "index"]


def test_what_is_no_number_outside_of_a_triangle_does_not_come_in():
    x = np.full((2, 2), np.nan)
    np.testing.assert_array_equal(mg.tril(x), np.tril(x))
    assert mg.grad(lambda x: mg.sum(mg.tril(x)))(x).tolist() == [[1.0, 0.0], [1.0, 1.0]]


def test_a_plane_has_two_axes():
    with pytest.raises(ValueError, match="axis1 and axis2 are both 1"):
        np.diagonal(mg.Tensor(np.ones((2, 2))), 0, 1, 1)
    with pytest.raises(ValueError, match="a vector or a matrix"):
        np.diag(mg.Tensor(np.ones((2, 2, 2))))
