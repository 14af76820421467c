"""Products with weights, replaced from outside of a cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing import problem
from rnn.wrappers.products import Product


@pytest.mark.parametrize("a", [np.ones((2, 3)), mg.Tensor(np.ones((2, 3)))])
def test_a_product_is_made_by_what_stands_in_the_weights_place(a):
    twice = Product(np.ones((3, 4)), lambda a, W: 2.0 * (a @ W))
    assert np.array_equal(mg.detach(a @ twice).data if isinstance(a, mg.Tensor) else a @ twice,
                          np.full((2, 4), 6.0))  # fmt: skip


def normal(a, g):
    return g * (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_layer_normalised_memory_cell_is_its_equations(seed):
    q = problem(rnn.LayerNormalised(rnn.LSTMCell(2, 3)), 4, 2, seed)
    p, (h, C) = q.params, q.start
    s = lambda z: 1 / (1 + np.exp(-z))
    ys, _ = q.run()
    for x, y in zip(q.xs, ys, strict=True):
        z = {
            gate: normal(x @ p[f"W_x{gate}"], p[f"g_x{gate}"])
            + normal(h @ p[f"W_h{gate}"], p[f"g_h{gate}"]) + p[f"b_{gate}"]
            for gate in "fico"
        }  # fmt: skip
        C = s(z["f"]) * C + s(z["i"]) * np.tanh(z["c"])
        h = s(z["o"]) * np.tanh(C)
        np.testing.assert_allclose(y, h, rtol=1e-9, atol=1e-10)


def test_scaled_weights_make_no_difference():
    """What layer normalisation is for: the size of a product is taken out."""
    q = problem(rnn.LayerNormalised(rnn.RNNCell(2, 4), epsilon=1e-30), 4, 2, 0)
    bigger = {**q.params, "W_xh": 8.0 * q.params.W_xh, "W_hh": 4.0 * q.params.W_hh}
    np.testing.assert_allclose(rnn.run(q.cell, bigger, q.xs, q.start)[0], q.run()[0], rtol=1e-12)


def test_an_epsilon_that_could_not_help_is_told():
    with pytest.raises(ValueError, match="LayerNormalised: epsilon must be a number above 0"):
        rnn.LayerNormalised(rnn.RNNCell(3, 4), epsilon=0.0)


def test_a_cell_without_recurrent_weights_is_told():
    with pytest.raises(ValueError, match=r"LayerNormalised: Dense.*has no weights W_h·"):
        rnn.LayerNormalised(rnn.Dense(3, 4))
