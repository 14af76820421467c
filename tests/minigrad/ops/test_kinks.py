"""What chooses is NumPy's of the same name; its slope at a kink is stated."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg

X = np.array([-800.0, -1.0, -0.0, 0.5, 3.0, 800.0])


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (mg.relu, lambda x: np.maximum(x, 0)),
        (lambda x: mg.clip(x, -2.0, 0.75), lambda x: np.clip(x, -2.0, 0.75)),
        (lambda x: mg.where(x > 0, x, 2 * x), lambda x: np.where(x > 0, x, 2 * x)),
    ],
)
def test_what_chooses_is_numpys(f, wanted):
    np.testing.assert_array_equal(f(X), wanted(X))


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (mg.relu, 0.0),
        (mg.absolute, 0.0),
        (lambda x: mg.maximum(x, 0.0), 0.5),
        (lambda x: mg.minimum(x, 0.0), 0.5),
        (mg.sign, 0.0),
        (lambda x: mg.clip(x, 0.0, 1.0), 1.0),
        (lambda x: mg.where(x > 0.0, x, 2.0 * x), 2.0),
    ],
)
def test_the_slope_at_a_kink_is_stated(f, slope):
    assert mg.grad(f)(0.0) == slope
