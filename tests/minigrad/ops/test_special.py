"""The error function to its last digits; `tests/minigrad/test_edges.py` has its edges."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import minigrad as mg

POINTS = np.concatenate([np.linspace(-30.0, 30.0, 301), np.logspace(-300, 1.4, 100),
                         [0.46874999, 0.46875, 4.0, 4.0000001, 26.0, -5.9]])  # fmt: skip


@pytest.mark.parametrize(("name", "exact"), [("erf", mpmath.erf), ("erfc", mpmath.erfc)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_error_function_is_right_to_four_units_in_the_last_place(name, exact, dtype):
    x, about = POINTS.astype(dtype), np.finfo(dtype)
    for at, y in zip(x, getattr(mg, name)(x), strict=True):
        wanted = exact(mpf(float(at)))
        unit = max(abs(wanted) * float(about.eps), mpf(float(about.smallest_subnormal)))
        assert abs(mpf(float(y)) - wanted) <= 4 * unit, (at, y)


def test_it_is_the_same_on_a_complex_step():
    x = np.array([-3.0, -0.25, 0.0, 0.4, 0.5, 3.9, 4.5])
    for f in (mg.erf, mg.erfc):
        np.testing.assert_allclose(f(x + 0j).real, f(x), rtol=1e-15)
        slope = f(x + 1e-30j).imag / 1e-30
        np.testing.assert_allclose(slope, mg.grad(lambda x, f=f: mg.sum(f(x)))(x), rtol=1e-12)
