"""Other bases, and what NumPy refuses to make real."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg

A, B = np.array([-800.0, 0.0, 3.0]), np.array([-799.0, 0.0, 900.0])


def test_a_sum_of_exponentials_stays_finite_and_parts_its_slope():
    np.testing.assert_allclose(mg.logaddexp(A, B), np.logaddexp(A, B), rtol=1e-15)
    np.testing.assert_allclose(mg.logaddexp2(A, B), np.logaddexp2(A, B), rtol=1e-14)
    da, db = mg.grad(lambda a, b: mg.sum(mg.logaddexp(a, b)), wrt=(0, 1))(A, B)
    np.testing.assert_allclose(da + db, 1.0, rtol=1e-15)
    assert da[1] == 0.5


def test_whole_numbers_have_no_reciprocal_of_their_own():
    with pytest.raises(TypeError, match="write 1 / x"):
        np.reciprocal(mg.Tensor([1, 2]))
    assert mg.reciprocal(np.array([2.0])) == 0.5


def test_a_power_in_double_precision():
    x = mg.Tensor(np.array([1.5, 2.0], np.float32))
    assert np.float_power(x, 2).dtype == np.float_power(x.data, 2).dtype == float
    assert np.float_power(2.0, x).data.tolist() == np.float_power(2.0, x.data).tolist()
