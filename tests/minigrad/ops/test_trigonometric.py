"""Angles and hyperbolas; the digits of each are in `tests/minigrad/test_edges.py`."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import minigrad as mg

X = np.array([-2.5, -0.75, 0.25, 0.5, 1.25])
RATIOS = {"sec": mpmath.sec, "csc": mpmath.csc, "cot": mpmath.cot, "sech": mpmath.sech,
          "csch": mpmath.csch, "coth": mpmath.coth}  # fmt: skip


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_one_over_its_function(name):
    for x, y, slope in zip(X, getattr(mg, name)(X), mg.grad(lambda x: mg.sum(getattr(mg, name)(x)))(
            X), strict=True):  # fmt: skip
        assert y == pytest.approx(float(RATIOS[name](mpf(float(x)))), rel=1e-14)
        assert slope == pytest.approx(float(mpmath.diff(RATIOS[name], mpf(float(x)))), rel=1e-12)


@pytest.mark.parametrize("x", [0.0, 1e-9, 0.1, 0.318, 0.319, 0.9, 3.0])
def test_sinc_has_all_its_derivatives_near_0_too(x):
    """Up to the fourth, on both sides of where the series ends."""
    sinc = lambda x: mpmath.sinc(mpmath.pi * x)
    f = mg.sinc
    for order in range(5):
        wanted = float(mpmath.diff(sinc, mpf(x), order)) if order else float(sinc(mpf(x)))
        assert float(f(x)) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
        f = mg.grad(f)


def test_the_corner_of_a_hypotenuse_has_the_slope_0():
    assert mg.grad(mg.hypot, wrt=(0, 1))(0.0, 0.0) == (0.0, 0.0)
    assert mg.hypot(1e200, 1e200) == np.hypot(1e200, 1e200)


def test_an_angle_goes_round():
    angles = np.linspace(-3.0, 3.0, 7)
    np.testing.assert_allclose(mg.arctan2(np.sin(angles), np.cos(angles)), angles, rtol=1e-14)
    turn = mg.grad(lambda a: mg.arctan2(mg.sin(a), mg.cos(a)))
    for a in angles:
        assert turn(a) == pytest.approx(1.0)
