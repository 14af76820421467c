"""Attention is a mixture of the rows of a memory, weighted by what the state looks for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.testing import check_gradients

CELL = rnn.Attention(rnn.RNNCell(2 + 3, 4), rows=5, columns=3)


def by_hand(p, xs, h, memory, seen):
    """One sample at a time, one step at a time, one row at a time."""
    ys = np.empty((*xs.shape[:2], 4))
    for b in range(xs.shape[1]):
        state, rows = h[b], [memory[s, b] for s in range(seen[b])]
        for t, x in enumerate(xs[:, b]):
            scores = np.array([row @ (state @ p.W_hk) for row in rows])
            weights = np.exp(scores - scores.max())
            c = sum(w * row for w, row in zip(weights / weights.sum(), rows, strict=True))
            state = np.tanh(np.concatenate([x, c]) @ p.W_xh + state @ p.W_hh + p.b_h)
            ys[t, b] = state
    return ys


@given(seed=st.integers(0, 2**32 - 1), S=st.integers(1, 5))
def test_it_is_a_loop_over_rows_whatever_padding_holds(seed, S):
    rng = np.random.default_rng(seed)
    p, xs, memory = CELL.init(rng), rng.normal(size=(3, 2, 2)), rng.normal(size=(S, 2, 3))
    seen, h = rng.integers(1, S + 1, 2), (rng.normal(size=(2, 4)),)
    dirty = np.where((np.arange(S)[:, None] >= seen)[..., None], np.nan, memory)
    ys, _ = rnn.run(CELL, p, xs, CELL.attending(dirty, seen, h))
    np.testing.assert_allclose(ys, by_hand(p, xs, *h, memory, seen), rtol=1e-11, atol=1e-12)


def test_gradients_reach_the_encoder_and_are_those_of_differences():
    encoder, rng = rnn.GRUCell(2, 3), np.random.default_rng(0)
    params = {"encoder": encoder.init(0), "decoder": CELL.init(1)}
    read, xs = rng.normal(size=(4, 2, 2)), rng.normal(size=(3, 2, 2))

    def loss(params):
        memory, _ = rnn.run(encoder, params["encoder"], read)
        start = CELL.attending(memory, np.array([4, 2]))
        return mg.sum(mg.sin(rnn.run(CELL, params["decoder"], xs, start)[0]))

    check_gradients(loss, params)
    assert np.any(mg.grad(loss)(params)["encoder"].W_xn)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: rnn.Attention(rnn.RNNCell(3, 4), 5, 3), mg.ShapeError, "takes 3 columns and has"),
        (lambda: rnn.Attention(rnn.Dense(5, 4), 5, 3), mg.ShapeError, "has 0 recurrent values"),
        (lambda: CELL.attending(np.ones((6, 2, 3))), mg.ShapeError, "with S at most 5"),
        (lambda: CELL.attending(np.ones((4, 2, 3)), [0, 2]), ValueError, "nothing to look at"),
        (lambda: CELL.attending(np.ones((4, 2, 3)), [5, 2]), ValueError, "between 0 and T = 4"),
    ],
)
def test_what_cannot_be_looked_at_is_told(make, error, told):
    with pytest.raises(error, match=told):
        make()
