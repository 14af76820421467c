"""Activations are their formulas with all digits, compose of primitives, and work in cells."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import minigrad as mg
import rnn

SCALE, ALPHA = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")
KNOWN = {
    "gelu": lambda x: x * mpmath.ncdf(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "selu": lambda x: SCALE * (x if x > 0 else ALPHA * mpmath.expm1(x)),
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: min(max(x, mpf(-1)), mpf(1)),
}
AT_0 = {"gelu": 0.5, "silu": 0.5, "elu": 1.0, "selu": float(SCALE * ALPHA), "leaky_relu": 0.01,
        "softsign": 1.0, "hardtanh": 1.0}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_an_activation_is_its_formula(name):
    f = getattr(mg, name)
    for x in (-30.0, -7.0, -1.5, -1e-8, 1e-8, 0.5, 40.0):
        wanted = KNOWN[name](mpf(x))
        with mpmath.workdps(60):
            slope = mpmath.diff(KNOWN[name], mpf(x))
        # exp(−x²/2) moves by x² ε when its argument is rounded.
        assert float(f(x)) == pytest.approx(float(wanted), rel=(8 + x * x) * 2.0**-52, abs=0)
        assert float(mg.grad(f)(x)) == pytest.approx(float(slope), rel=1e-12, abs=1e-15)
    assert float(mg.grad(f)(0.0)) == pytest.approx(AT_0[name], rel=1e-15)


@pytest.mark.parametrize("name", KNOWN)
def test_a_cell_takes_it_by_its_name_and_compiled_it_is_the_same(name):
    cell = rnn.RNNCell(2, 3, activation=name)
    params, xs = cell.init(0), np.random.default_rng(0).normal(size=(4, 2, 2))
    loss = lambda p: mg.sum(mg.square(rnn.run(cell, p, xs)[0]))
    unfolded = lambda p: mg.sum(mg.square(rnn.run(cell, p, xs, unfolded=True)[0]))
    wanted = mg.grad(unfolded)(params)
    for found in (mg.grad(loss)(params), mg.compile(mg.grad(loss))(params)):
        for key in wanted:
            np.testing.assert_allclose(found[key], wanted[key], rtol=1e-12, atol=1e-14)
    assert cell.activation == name


def test_a_name_that_is_no_activation_is_refused():
    for name in ("glu", "softmax", "sort", "add"):
        with pytest.raises(ValueError, match="unknown activation"):
            rnn.RNNCell(2, 3, activation=name)


def test_the_second_half_gates_the_first():
    x = np.arange(8.0).reshape(2, 4) - 4
    np.testing.assert_allclose(mg.glu(x), x[:, :2] / (1 + np.exp(-x[:, 2:])), rtol=1e-15)
    with pytest.raises(ValueError, match="which has no halves"):
        mg.glu(x[:, :3])
