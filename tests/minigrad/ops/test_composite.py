"""Means and deviations over any axes are NumPy's; where they have no slope, it is stated as 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

X = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = st.none() | st.integers(-3, 2) | st.sampled_from([(0, 1), (-1, 0)])


@pytest.mark.parametrize("name", ["mean", "var", "std"])
@given(axis=AXES, keepdims=st.booleans())
def test_a_moment_is_numpys(name, axis, keepdims):
    found = getattr(mg, name)(X, axis, keepdims)
    wanted = getattr(np, name)(X, axis=axis, keepdims=keepdims)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


@given(axis=AXES, keepdims=st.booleans())
def test_a_norm_is_the_root_of_the_squares(axis, keepdims):
    wanted = np.sqrt(np.sum(X * X, axis=axis, keepdims=keepdims))
    np.testing.assert_allclose(mg.norm(X, axis=axis, keepdims=keepdims), wanted, rtol=1e-14)


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_a_divisor_is_less_by_the_degrees_of_freedom(name, ddof):
    found, wanted = (getattr(m, name)(X, 0 if ddof < 2 else 1, ddof=ddof) for m in (mg, np))
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


@pytest.mark.parametrize("f", [mg.std, mg.norm, lambda x: mg.norm(x) + mg.std(x)])
def test_the_slope_where_all_is_equal_is_zero(f):
    assert mg.grad(f)(np.zeros(3)).tolist() == [0, 0, 0]


def test_halves_are_added_up_in_single_precision():
    x = np.full(4096, 32.0, np.float16)  # the sum alone is over 65504
    assert mg.mean(x) == 32.0
    assert mg.mean(x).dtype == mg.norm(x).dtype == np.float16
    assert mg.norm(x) == 2048.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mg.mean(np.ones((0, 2)), 0), "mean: no entries to average"),
        (lambda: mg.var(np.ones(1), ddof=1), "var: 1 entries and ddof = 1 leave nothing"),
    ],
)
def test_a_mean_of_nothing_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
