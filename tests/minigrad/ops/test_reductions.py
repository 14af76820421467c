"""Reductions over any axes are NumPy's, and what a softmax promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

X = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = st.none() | st.integers(-3, 2) | st.sampled_from([(0, 1), (-1, 0), (2, 1), (0, 1, 2)])


@pytest.mark.parametrize("name", ["sum", "max", "min", "prod"])
@given(axis=AXES, keepdims=st.booleans())
def test_a_reduction_is_numpys(name, axis, keepdims):
    found = getattr(mg, name)(X, axis, keepdims)
    wanted = getattr(np, name)(X, axis=axis, keepdims=keepdims)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


@given(axis=st.integers(-3, 2))
def test_running_sums_are_numpys(axis):
    np.testing.assert_array_equal(mg.cumsum(X, axis), np.cumsum(X, axis))


@given(axis=AXES.filter(lambda axis: axis is not None), shift=st.floats(-1e4, 1e4))
def test_a_softmax_is_a_distribution_that_a_shift_leaves_alone(axis, shift):
    p = mg.softmax(X, axis)
    np.testing.assert_allclose(np.sum(p, axis), 1.0, rtol=1e-14)
    np.testing.assert_allclose(mg.softmax(X + shift, axis), p, rtol=1e-10)
    np.testing.assert_allclose(mg.log_softmax(X, axis), np.log(p), rtol=1e-12, atol=1e-14)
    total = mg.logsumexp(X, axis, keepdims=True)
    np.testing.assert_allclose(total, np.log(np.sum(np.exp(X), axis=axis, keepdims=True)))


def test_the_largest_share_the_slope_equally():
    x = np.array([1.0, 3.0, 3.0, 3.0])
    np.testing.assert_array_equal(mg.grad(mg.max)(x), [0, 1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_array_equal(mg.grad(mg.min)(-x), [0, 1 / 3, 1 / 3, 1 / 3])


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_a_product_with_zeros_has_the_slope_of_the_others(zeros):
    x = np.array([2.0, 3.0, 5.0])
    x[:zeros] = 0.0
    wanted = [np.prod(np.delete(x, k)) for k in range(3)]
    np.testing.assert_allclose(mg.grad(mg.prod)(x), wanted, rtol=1e-15)


def test_a_sum_of_many_is_that_of_each():
    parts = [X[0], X[1], X[0] * 2]
    np.testing.assert_allclose(mg.ops.add_n(*parts), 3 * X[0] + X[1], rtol=1e-14)
