"""Factors and spectra: which triangle is read, what is equal, any shape.

Values and slopes in 40 digits, batches and loops are in `test_linalg.py`, with all of LAPACK.
"""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import check_gradients
from tests.minigrad.ops.exactly import S, rng


def test_the_gradient_stands_in_the_triangle_that_is_read():
    for f in (mg.cholesky, mg.eigvalsh):
        assert not np.triu(mg.grad(lambda a, f=f: mg.sum(f(a)))(S), 1).any()
    upper = mg.grad(lambda a: mg.sum(mg.eigh(a, "U")[0] ** 2))(S)
    assert not np.tril(upper, -1).any()
    # An entry that is not read has no slope either.
    other = S.copy()
    other[0, 2] += 5.0
    np.testing.assert_array_equal(mg.cholesky(other), mg.cholesky(S))


def test_equal_eigenvalues_leave_their_sum_its_slope():
    np.testing.assert_allclose(mg.grad(lambda a: mg.sum(mg.eigvalsh(a)))(np.eye(3)), np.eye(3))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (1, 4), (2, 4, 3)])
def test_singular_values_of_any_shape(shape):
    x = rng.normal(size=shape)
    np.testing.assert_allclose(mg.svdvals(x), np.linalg.svdvals(x), rtol=1e-13)
    check_gradients(mg.svdvals, x, order=2)
