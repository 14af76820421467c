"""Every order of a norm is NumPy's, and says what it is an order of."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import check_gradients

X = np.random.default_rng(0).normal(size=(2, 3, 4))
ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
OF_VECTORS = [None, 0, 1, 2, 2.5, 3, -1, -2, np.inf, -np.inf]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_an_order_of_matrices_is_numpys(order, keepdims):
    for axis in ((1, 2), (2, 0), (0, -1)):
        found = np.linalg.norm(mg.Tensor(X), order, axis=axis, keepdims=keepdims)
        wanted = np.linalg.norm(X, order, axis=axis, keepdims=keepdims)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found.data, wanted, rtol=1e-13)
        check_gradients(lambda x, axis=axis: mg.norm(x, order, axis), X)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", OF_VECTORS, ids=str)
def test_an_order_of_vectors_is_numpys(order, keepdims):
    for axis in (0, -1):
        found = np.linalg.norm(mg.Tensor(X), order, axis=axis, keepdims=keepdims)
        wanted = np.linalg.norm(X, order, axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(found.data, wanted, rtol=1e-13)
        check_gradients(lambda x, axis=axis: mg.norm(x, order, axis), X)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_what_stands_second_is_an_order_as_in_numpy(order):
    """As an axis, 1 and −1 would give other numbers without a word."""
    np.testing.assert_allclose(mg.norm(X[0], order), np.linalg.norm(X[0], order), rtol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
def test_the_slope_of_a_norm_at_0_is_0(order):
    assert not mg.grad(lambda x: mg.norm(x, ord=order))(np.zeros(3)).any()


def test_an_order_of_the_other_kind_is_told():
    for x, order, told in (
        (X[0, 0], "fro", "is an order of matrices"),
        (X[0], 3, "the order 3 is none of"),
        (X, 1, "an order is over one or two axes, not 3"),
    ):
        with pytest.raises(ValueError, match=told):
            mg.norm(x, ord=order)


def test_a_condition_is_the_quotient_of_singular_values():
    np.testing.assert_allclose(mg.cond(X), np.linalg.cond(X), rtol=1e-13)
