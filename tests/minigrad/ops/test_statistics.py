"""Averages and spreads are NumPy's, with holes and without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import check_gradients
from minigrad.testing.strategies import tensors

HOLES = np.array([[1.0, np.nan, 3.0], [np.nan, 5.0, 4.0]])
NAMES = ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_what_is_no_number_is_left_out_and_has_no_slope(name, axis):
    f = getattr(np, name)
    np.testing.assert_allclose(f(mg.Tensor(HOLES), axis=axis).data, f(HOLES, axis=axis), rtol=1e-14)
    slope = mg.grad(lambda x: mg.sum(f(x)))(HOLES)
    assert np.isfinite(slope).all()
    assert not slope[np.isnan(HOLES)].any()


@given(x=tensors(shape=(2, 3, 4)), seed=st.integers(0, 99), keepdims=st.booleans())
def test_an_average_has_numpys_weights(x, seed, keepdims):
    w = np.random.default_rng(seed).uniform(0.5, 1.5, size=x.shape)
    for axis, weights in ((None, w), (1, w[0, :, 0]), ((0, 2), w[:, 0, :]), (-1, None)):
        found = np.average(mg.Tensor(x), axis=axis, weights=weights, keepdims=keepdims)
        wanted = np.average(x, axis=axis, weights=weights, keepdims=keepdims)
        np.testing.assert_allclose(found.data, wanted, rtol=1e-12, atol=1e-14)


def test_weights_have_slopes_too():
    x, w = np.random.default_rng(0).uniform(0.5, 1.5, size=(2, 3, 4))
    check_gradients(lambda x, w: mg.average(x, 0, w), x, w)
    with pytest.raises(mg.ShapeError, match=r"weights \(2,\) are none of \(3, 4\)"):
        mg.average(x, 1, np.ones(2))


@given(x=tensors(shape=(3, 5)))
def test_covariances_are_numpys(x):
    for f in (lambda x: np.cov(x), lambda x: np.cov(x[0]), lambda x: np.cov(x, bias=True),
              lambda x: np.cov(x, rowvar=False)):  # fmt: skip
        np.testing.assert_allclose(f(mg.Tensor(x)).data, f(x), rtol=1e-11, atol=1e-13)


def test_infinities_become_numbers_in_every_precision():
    for dtype in ("float16", "float32", "float64"):
        x = np.array([np.nan, np.inf, -np.inf, 1.0], dtype)
        found = np.nan_to_num(mg.Tensor(x))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.data, np.nan_to_num(x))
    assert mg.nan_to_num(HOLES, 7.0)[0, 1] == 7.0
