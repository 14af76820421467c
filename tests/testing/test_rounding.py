"""The path scale bounds what rounding may do, and no more than that."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.core import Tensor, ancestors
from minigrad.testing.rounding import EPSILON, ROUNDINGS, PathScale, expanded, norm


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_a_norm_has_no_underflow_and_no_overflow(size):
    assert norm(np.array([3.0, 4.0]) * size) == pytest.approx(5.0 * size)
    assert norm([np.array(3.0), None, 4.0]) == 7.0


def scale(f, x):
    leaf = Tensor(x, "x")
    return PathScale([f(leaf)], [np.array(1.0)]).along([leaf], [np.array(1.0)])


@given(big=st.floats(1.0, 1e6))
def test_terms_that_cancel_count_with_their_sizes(big):
    """(x + b) - b: the value is small, its rounding is that of b times what passes through."""
    assert scale(lambda x: x * big - x * big, 1.0) >= 2 * big
    assert scale(lambda x: x * 1.0, 1.0) <= 8


@given(seed=st.integers(0, 99))
def test_a_gradient_in_double_precision_is_within_the_bound_of_one_in_extended(seed):
    x = np.random.default_rng(seed).normal(size=3)
    f = lambda x: mg.sum(mg.sin(x) * x - mg.sin(x) * x * 0.875)
    wide = np.asarray(x, np.longdouble)
    exact = np.sum((np.cos(wide) * wide + np.sin(wide)) * 0.125)
    leaf = Tensor(x, "x")
    bound = PathScale([f(leaf)], [np.array(1.0)]).along([leaf], [np.ones(3)])
    assert abs(np.sum(mg.grad(f)(x)) - exact) <= ROUNDINGS * EPSILON * bound


def test_a_scan_is_expanded_to_its_steps_with_the_same_value():
    cell = rnn.RNNCell(2, 3)
    xs = Tensor(np.linspace(-1.0, 1.0, 8).reshape(4, 1, 2), "xs")
    ys, _ = rnn.run(cell, cell.init(0), xs)
    (fresh,), (whole,) = expanded([ys], [xs])
    np.testing.assert_allclose(whole.data, ys.data, rtol=1e-14)
    ops = [node.primitive.name for node in ancestors(whole) if node.primitive]
    assert "scan" not in ops
    assert ops.count("tanh") == 4
    assert fresh.name == "xs"
