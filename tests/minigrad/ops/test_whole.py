"""Steps are flat, remainders are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.strategies import tensors

STEPS = ["floor", "ceil", "trunc", "rint", "round"]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_numpys_and_has_no_slope(name):
    x = np.array([-2.5, -1.0, -0.0, 0.5, 1.5, 7.25, np.inf, np.nan])
    np.testing.assert_array_equal(getattr(mg, name)(x), getattr(np, name)(x))
    product = mg.grad(lambda x: mg.sum(getattr(mg, name)(x) * x))(np.array([2.25]))
    assert product == getattr(np, name)(2.25)


@given(a=tensors(shape=(3,), domain=(-9.0, 9.0)), b=tensors(shape=(3,), domain=(0.5, 3.0)))
def test_quotient_and_remainder_make_up_the_number(a, b):
    for divisor in (b, -b):
        q, r = divmod(mg.Tensor(a), divisor)
        np.testing.assert_array_equal(q.data, a // divisor)
        np.testing.assert_array_equal(r.data, a % divisor)
        da, db = mg.grad(lambda a, b: mg.sum(a % b), wrt=(0, 1))(a, divisor)
        np.testing.assert_array_equal(da, np.ones(3))
        np.testing.assert_array_equal(db, -q.data)


@given(decimals=st.integers(-2, 4), seed=st.integers(0, 99))
def test_decimals_are_numpys(decimals, seed):
    x = np.random.default_rng(seed).normal(size=5) * 100
    np.testing.assert_array_equal(mg.round(x, decimals), np.round(x, decimals))
    np.testing.assert_array_equal(np.round(mg.Tensor(x.astype(int)), 1).data, x.astype(int))
