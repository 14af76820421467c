"""Truncated gradients, against runs whose carried state is cut with `detach`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given as drawn
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import causal, given, loss_of, networks


def by_detach(q, blocks):
    """The gradient of the losses of each block (first, end), cut off before a step, added up."""
    seeds = mg.grad(loss_of(q))(q.run()[0])

    def one(params, first, end, begin):
        state = q.start
        if begin:
            _, state = rnn.run(q.cell, q.params, q.xs[:begin], state)
        ys, _ = rnn.run(q.cell, params, q.xs[begin:end], state)
        return mg.sum(ys[first - begin :] * seeds[first:end])

    total = mg.tree_map(np.zeros_like, q.params)
    for block in blocks:
        total = mg.tree_map(np.add, total, mg.grad(one)(q.params, *block))
    return total.named()


@drawn(networks(), st.integers(1, 5))
def test_windows_are_runs_whose_carried_state_is_detached(q, k):
    assume(causal(q))
    found = rnn.bptt.truncated(*given(q), k, k, state=q.start)
    blocks = [(first, min(first + k, q.steps), first) for first in range(0, q.steps, k)]
    agree(dict(found.gradient), by_detach(q, blocks), f"windows of {k}", q.roundings())


@drawn(networks(), st.integers(1, 5))
def test_sliding_lets_each_loss_reach_back_k_steps(q, k):
    assume(causal(q))
    found = rnn.bptt.truncated(*given(q), 1, k, state=q.start)
    blocks = [(s, s + 1, max(0, s + 1 - k)) for s in range(q.steps)]
    agree(dict(found.gradient), by_detach(q, blocks), f"sliding {k}", q.roundings())


@drawn(networks())
def test_cut_nowhere_the_gradient_is_whole(q):
    assume(causal(q))
    found = rnn.bptt.truncation(*given(q), ks=[q.steps], state=q.start)
    for kind in (*found.windows, *found.sliding):
        agree(dict(kind.gradient), dict(found.whole), f"{kind.name} at k = T", q.roundings())


@drawn(networks(), st.integers(1, 5), st.integers(0, 5))
def test_who_reaches_whom_is_a_mask_on_the_ledger(q, k1, more):
    assume(causal(q))
    found = rnn.bptt.truncated(*given(q), k1, k1 + more, state=q.start)
    book = rnn.bptt.ledger(*given(q), state=q.start, entries=True)
    for name, account in book.accounts.items():
        wanted = account.entries[found.reach].sum(0)
        agree(found.gradient[name], wanted, name, q.roundings())


def test_a_wide_cell_takes_as_many_runs_as_a_narrow_one(monkeypatch):
    """Nothing as large as the weights is made for each pair of a loss step and a use step."""
    runs = []
    scan = mg.scan
    monkeypatch.setattr(mg, "scan", lambda *args: runs.append(args) or scan(*args))
    counts = []
    for hidden in (8, 128):
        cell = rnn.RNNCell(3, hidden)
        rnn.bptt.truncation(cell, cell.init(0), np.ones((40, 1, 3)), lambda ys: mg.sum(ys))
        counts.append(len(runs) - sum(counts))
    assert counts[0] == counts[1]


def test_a_window_one_too_short_is_seen():
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 5, 1, 0)
    found = rnn.bptt.truncated(*given(q), 4, 4, state=q.start)
    whole = rnn.bptt.truncated(*given(q), 5, 5, state=q.start)
    with pytest.raises(rnn.testing.Broken):
        agree(dict(found.gradient), dict(whole.gradient), "k = T − 1", q.roundings())


def test_angle_and_ratio_of_the_whole_gradient_are_nothing_and_one():
    q = rnn.testing.problem(rnn.LSTMCell(3, 2), 5, 1, 0)
    found = rnn.bptt.truncation(*given(q), ks=[1, 5])
    assert found.windows[1].ratio == pytest.approx(1, rel=1e-12)
    assert found.windows[1].angle < 1e-10
    assert found.windows[0].bias > 1e-3
    assert "windows: angle" in str(found)


def test_edges_against_time_are_refused():
    q = rnn.testing.problem(rnn.Bidirectional(rnn.GRUCell(3, 2)), 3, 1, 0)
    with pytest.raises(ValueError, match="edges that run against time"):
        rnn.bptt.truncation(*given(q))
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 3, 1, 0)
    with pytest.raises(ValueError, match="wanted 1 ≤ k1 ≤ k2, got k1 = 3, k2 = 2"):
        rnn.bptt.truncated(*given(q), 3, 2)
