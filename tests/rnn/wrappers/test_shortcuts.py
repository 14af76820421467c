"""Ways past a layer."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
import rnn

XS = np.random.default_rng(0).normal(size=(4, 2, 3))


def test_a_residual_cell_adds_its_input_and_keeps_it_out_of_its_state():
    inner, cell = rnn.GRUCell(3, 3), rnn.Residual(rnn.GRUCell(3, 3))
    p = cell.init(0)
    (ys, (h,)), (plain, (last,)) = rnn.run(cell, p, XS), rnn.run(inner, p, XS)
    assert np.array_equal(ys, XS + plain)
    assert np.array_equal(h, last)


def test_a_highway_mixes_by_its_gate():
    inner, cell = rnn.LSTMCell(3, 3), rnn.Highway(rnn.LSTMCell(3, 3))
    p = cell.init(0)
    known = {name: p[name] for name in inner.parameters()}
    g = 1 / (1 + np.exp(-(XS @ p.W_xg + p.b_g)))
    wanted = g * rnn.run(inner, known, XS)[0] + (1 - g) * XS
    np.testing.assert_allclose(rnn.run(cell, p, XS)[0], wanted, rtol=1e-12, atol=1e-13)


def test_a_closed_highway_carries_its_input_past():
    cell = rnn.Highway(rnn.RNNCell(3, 3), bias=-800.0)
    assert np.array_equal(rnn.run(cell, cell.init(0), XS)[0], XS)


@pytest.mark.parametrize("wrap", [rnn.Residual, rnn.Highway])
def test_a_width_that_does_not_fit_is_told(wrap):
    with pytest.raises(mg.ShapeError, match="RNNCell takes 3 columns and gives 4; they meet only"):
        wrap(rnn.RNNCell(3, 4))
