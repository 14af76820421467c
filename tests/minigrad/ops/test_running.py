"""A running product has the right slopes where entries are 0, to every order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import check_gradients


def explicit(x, w):
    total, y = 0.0, 1.0
    for k in range(len(w)):
        y = y * x[k]
        total = total + w[k] * y
    return total


@given(n=st.integers(1, 9), zeros=st.sets(st.integers(0, 8)), seed=st.integers(0, 99))
def test_it_is_the_loop_of_products_with_zeros_too(n, zeros, seed):
    x, w = np.random.default_rng(seed).normal(size=(2, n))
    x[[k for k in zeros if k < n]] = 0.0
    f = lambda x: mg.sum(w * mg.cumprod(x))
    np.testing.assert_allclose(mg.grad(f)(x), mg.grad(lambda x: explicit(x, w))(x), atol=1e-13)
    np.testing.assert_allclose(
        mg.hessian(f)(x), mg.hessian(lambda x: explicit(x, w))(x), atol=1e-12
    )


def test_along_an_axis_and_of_nothing():
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert mg.cumprod(np.ones((3, 0))).shape == (3, 0)
    np.testing.assert_array_equal(np.cumprod(mg.Tensor(x)).data, np.cumprod(x))
    check_gradients(lambda x: mg.cumprod(x, 0), x, order=2)
