"""Masks are handed in: one a sequence or one a step, drawn by a generator, expected without one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn

SEEDS = st.integers(0, 2**32 - 1)


def drawn(cell, T, B, seed):
    rng = np.random.default_rng(seed)
    start = list(cell.start(B, rng=rng))
    return cell.init(rng), rng.normal(size=(T, B, cell.inputs)), tuple(start)


@given(seed=SEEDS)
def test_one_mask_a_sequence_is_the_same_at_every_step(seed):
    """Also when the sequence is continued: the mask is a part of the state."""
    cell = rnn.Dropout(5, 0.4)
    _, xs, (m,) = drawn(cell, 6, 3, seed)
    ys, after = rnn.run(cell, {}, xs[:4], (m,))
    more, _ = rnn.run(cell, {}, xs[4:], after)
    assert np.array_equal(np.concatenate([ys, more]), xs * m)


@given(seed=SEEDS)
def test_masks_of_steps_are_used_in_their_order_and_come_round_again(seed):
    cell = rnn.Dropout(5, 0.4, steps=3)
    _, xs, (m,) = drawn(cell, 7, 2, seed)
    assert m.shape == (3, 2, 5)
    assert np.array_equal(rnn.run(cell, {}, xs, (m,))[0], xs * m[np.arange(7) % 3])


def test_masks_drop_at_their_rate_and_keep_the_mean():
    """10⁶ entries: within five standard deviations of what is wanted."""
    (m,) = rnn.Dropout(1000, 0.3).start(1000, rng=np.random.default_rng(0))
    assert set(np.unique(m)) == {0.0, 1 / 0.7}
    assert abs((m == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 1e6)
    zone = rnn.Zoneout(rnn.RNNCell(2, 1000), 0.3, 1).start(1000, rng=np.random.default_rng(0))[1]
    assert set(np.unique(zone)) == {0.0, 1.0}
    assert abs(zone.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 1e6)


def test_the_same_generator_draws_the_same_masks_and_a_run_draws_none():
    cell = rnn.RecurrentDropout(rnn.GRUCell(3, 4), 0.5)
    first, again = (cell.start(2, rng=np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first[1], again[1])
    p, xs = cell.init(0), np.ones((4, 2, 3))
    bare = rnn.run(rnn.GRUCell(3, 4), p, xs)[0]
    assert np.array_equal(rnn.run(cell, p, xs)[0], bare)  # masks of use are ones
    assert cell.start(2, np.float32, rng=np.random.default_rng(0))[1].dtype == np.float32


def test_a_seed_draws_each_layers_own_mask():
    """One generator for all of them: not the same mask twice."""
    cell = rnn.Residual(rnn.Stack([rnn.Dropout(50, 0.5), rnn.Dropout(50, 0.5)]))
    first, second = cell.start(2, rng=7)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, cell.start(2, rng=np.random.default_rng(7))[0])


def gru_with_mask(p, xs, h, m):
    """Gal and Ghahramani: every product reads h ⊙ m, the mixture by z reads h."""
    s = lambda z: 1 / (1 + np.exp(-z))
    ys = []
    for x in xs:
        r = s(x @ p.W_xr + (h * m) @ p.W_hr + p.b_r)
        z = s(x @ p.W_xz + (h * m) @ p.W_hz + p.b_z)
        n = np.tanh(x @ p.W_xn + r * ((h * m) @ p.W_hn + p.b_hn) + p.b_n)
        h = (1 - z) * n + z * h
        ys.append(h)
    return np.array(ys)


@given(seed=SEEDS)
def test_recurrent_dropout_masks_what_the_weights_read_and_not_the_memory(seed):
    cell = rnn.RecurrentDropout(rnn.GRUCell(2, 3), 0.5)
    p, xs, (h, m) = drawn(cell, 5, 2, seed)
    ys, (_, kept) = rnn.run(cell, p, xs, (h + 0.5, m))
    np.testing.assert_allclose(ys, gru_with_mask(p, xs, h + 0.5, m), rtol=1e-12, atol=1e-13)
    assert np.array_equal(kept, m)


@given(seed=SEEDS)
def test_zoneout_keeps_old_entries_where_its_masks_say(seed):
    """The memory cell step by step, by hand, with masks of each step for h and for C."""
    inner = rnn.LSTMCell(2, 3)
    cell = rnn.Zoneout(inner, (0.3, 0.6), 4)
    p, xs, (h, C, d_h, d_C) = drawn(cell, 4, 2, seed)
    ys, (h_last, C_last, *_) = rnn.run(cell, p, xs, (h, C, d_h, d_C))
    for t, x in enumerate(xs):
        _, (h_new, C_new) = rnn.run(inner, p, x[None], (h, C))
        h, C = np.where(d_h[t] == 1, h, h_new), np.where(d_C[t] == 1, C, C_new)
        np.testing.assert_allclose(ys[t], h, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose((h_last, C_last), (h, C), rtol=1e-12, atol=1e-13)


def test_zoneout_in_use_takes_what_is_expected_and_at_rate_0_is_the_cell():
    inner, xs = rnn.GRUCell(2, 3), np.ones((3, 2, 2))
    p = inner.init(0)
    free = rnn.Zoneout(inner, 0.0, 2)
    start = free.start(2, rng=np.random.default_rng(0))
    assert np.array_equal(rnn.run(free, p, xs, start)[0], rnn.run(inner, p, xs)[0])
    first = rnn.run(rnn.Zoneout(inner, 0.25, 2), p, xs)[0][0]
    assert np.array_equal(first, 0.75 * rnn.run(inner, p, xs)[0][0])


def test_gradients_do_not_pass_where_a_column_is_dropped():
    cell = rnn.Stack([rnn.RNNCell(2, 4), rnn.Dropout(4, 0.5), rnn.Dense(4, 1)])
    start = cell.start(1, rng=np.random.default_rng(1))
    m = start[1][0][0]
    assert 0 < (m == 0).sum() < 4
    p, xs = cell.init(0), np.ones((3, 1, 2))
    g = mg.grad(lambda p: mg.sum(rnn.run(cell, p, xs, start)[0]))(p).layer3.W[:, 0]
    assert ((g == 0) == (m == 0)).all()


@dataclass(frozen=True)
class Drawing(rnn.Cell):
    """Noise as one would write it first: the draw stands in the step."""

    inputs: int = 3
    state = ("h",)
    hidden = 3

    def parameters(self):
        return {}

    def step(self, p, x, h):
        h = h + x * np.random.default_rng().random(3)
        return h, h


def test_a_draw_inside_a_step_is_refused_and_the_way_is_told():
    told = r"A random draw.*hand the numbers in, in x or in the start state$"
    with pytest.raises(ValueError, match=told):
        rnn.run(Drawing(), {}, np.ones((2, 1, 3)))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: rnn.Dropout(3, 1.0), "Dropout: rate must be a number from 0 to below 1, got 1.0"),
        (lambda: rnn.Dropout(3, True), "Dropout: rate must be a number"),
        (lambda: rnn.Dropout(3, float("nan")), "Dropout: rate must be a number"),
        (lambda: rnn.Dropout(3, 0.5, 0), "Dropout: steps must be a whole number ≥ 1, got 0"),
        (lambda: rnn.RecurrentDropout(rnn.Dense(3, 4), 0.5), "has no weights W_h·"),
        (lambda: rnn.RecurrentDropout(rnn.RNNCell(3, 4, 2), 0.5), "wrap a recurrent layer"),
        (lambda: rnn.Zoneout(rnn.LSTMCell(3, 4), (0.1, 0.2, 0.3), 2), "3 rates for the recurrent"),
        (lambda: rnn.Zoneout(rnn.Dense(3, 4), 0.1, 2), "recurrent values of Dense: none"),
        (lambda: rnn.Zoneout(rnn.Reversed(rnn.GRUCell(3, 4)), 0.1, 2), "values of delay 1"),
    ],
)
def test_what_cannot_be_masked_is_told(make, told):
    with pytest.raises(ValueError, match=told):
        make()
