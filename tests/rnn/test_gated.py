"""Cells with fewer gates equal loops over single numbers, and the cells that they are a case of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnn
from rnn.testing import problem
from tests.rnn.reference import each_sample, sigmoid, unit

SEEDS = st.integers(0, 2**32 - 1)


def mgu_values(p, xs, state):
    H = len(p["b_f"])

    def sample(xs, state):
        (h,) = state
        ys = []
        for x in xs:
            f = [sigmoid(unit(k, p["b_f"], (x, p["W_xf"]), (h, p["W_hf"]))) for k in range(H)]
            read = [f[j] * h[j] for j in range(H)]
            n = [np.tanh(unit(k, p["b_n"], (x, p["W_xn"]), (read, p["W_hn"]))) for k in range(H)]
            h = [(1.0 - f[k]) * h[k] + f[k] * n[k] for k in range(H)]
            ys.append(h)
        return ys, (h,)

    return each_sample(sample, H, xs, state)


@given(seed=SEEDS, T=st.integers(0, 5))
def test_a_minimal_gated_unit_is_a_loop_over_single_numbers(seed, T):
    q = problem(rnn.MGUCell(2, 3), T, 2, seed)
    ys, (h,) = q.run()
    wanted, (last,) = mgu_values(q.params, q.xs, q.start)
    np.testing.assert_allclose(ys, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(h, last, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("peepholes", [False, True])
@given(seed=SEEDS, T=st.integers(0, 5))
def test_coupled_gates_are_those_of_an_lstm_whose_forget_gate_mirrors_its_input_gate(
    peepholes, seed, T
):
    """σ(−z) = 1 − σ(z): with the weights of i, their signs turned, f is 1 − i."""
    q = problem(rnn.CoupledLSTMCell(2, 3, peepholes=peepholes), T, 2, seed)
    mirrored = {
        f"{name[:-1]}f": -value for name, value in q.params.items() if name.endswith("i")
    }  # fmt: skip
    lstm = rnn.LSTMCell(2, 3, peepholes=peepholes)
    wanted = rnn.run(lstm, {**q.params, **mirrored}, q.xs, q.start)
    for a, b in zip([q.run()[0], *q.run()[1]], [wanted[0], *wanted[1]], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_coupled_gates_start_with_the_forget_gate_of_an_lstm():
    assert rnn.CoupledLSTMCell(2, 3).init(0).b_i.tolist() == [-1.0] * 3
    assert "b_f" not in rnn.CoupledLSTMCell(2, 3, peepholes=True).init(0)


def test_sizes_are_checked_by_name():
    with pytest.raises(ValueError, match="MGUCell: hidden must be a whole number ≥ 1, got 0"):
        rnn.MGUCell(2, 0)
