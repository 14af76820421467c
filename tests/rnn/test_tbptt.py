"""Truncated gradients are those of the definition, written as a loop over losses and uses."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.tbptt import tbptt
from rnn.testing.networks import Mixed
from rnn.testing.problem import Problem, problem
from rnn.testing.strategies import SEEDS

CELLS = [
    rnn.RNNCell(3, 4, 2, ("hidden-to-hidden", "output-to-hidden")),
    rnn.Stack([rnn.LSTMCell(3, 4), rnn.GRUCell(4, 2), rnn.Dense(2, 3)]),
]


def by_definition(q: Problem, w: Any, k1: int, k2: int, resets: Any) -> Any:
    """Σ over loss steps s and use steps t ≥ (end of the block of s) − k₂ of the gradient of loss s
    by the parameters used at step t: every step has parameters of its own.
    """
    T, total = q.steps, tree_map(np.zeros_like, q.params)
    for s in range(T):
        first = max(0, s - s % k1 + k1 - k2)

        def loss(own: list[Any], s: int = s, first: int = first) -> Any:
            state = q.start
            for t in range(s + 1):
                if t == first:
                    state = tree_map(mg.detach, state)
                keep = 1.0 - resets[t][:, None]
                y, *state = q.cell.step(
                    own[t], q.xs[t], *tree_map(lambda v, keep=keep: keep * v, tuple(state))
                )
            return mg.sum(w[s] * y)

        grads = mg.grad(loss)([q.params] * (s + 1))
        for t in range(first, s + 1):
            total = tree_map(np.add, total, grads[t])
    return total


@given(
    cell=st.sampled_from(CELLS), T=st.integers(1, 7), k1=st.integers(1, 4), more=st.integers(0, 3),
    seed=SEEDS, resetting=st.booleans(),
)  # fmt: skip
def test_the_gradient_is_that_of_the_definition(
    cell: Any, T: int, k1: int, more: int, seed: int, resetting: bool
) -> None:
    q, rng = problem(cell, T, 2, seed), np.random.default_rng(seed)
    resets = rng.random((T, 2)) < (0.3 if resetting else 0.0)
    ys, state = rnn.run(cell, q.params, q.xs, q.start, resets=resets)
    w = rng.normal(size=ys.shape)
    call = partial(tbptt, cell, k1=k1, k2=k1 + more, resets=resets)
    found = call(q.params, q.xs, q.start)
    for a, b in zip(flatten(found)[0], flatten((ys, state))[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    grads = mg.grad(lambda p: mg.sum(w * call(p, q.xs, q.start)[0]))(q.params)
    wanted = by_definition(q, w, k1, k1 + more, resets)
    for a, b in zip(flatten(grads)[0], flatten(wanted)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("k1", "k2"), [(1, 3), (2, 2), (2, 5), (9, 9)])
def test_training_truncates_as_the_study_of_truncation_does(k1: int, k2: int) -> None:
    cell = Mixed(3, 2, (("h", 1), ("g", (1, 2))), ("new", "leak"))
    q = problem(cell, 7, 2, seed=3)
    loss = lambda ys: mg.sum(mg.sin(ys))  # one loss for both
    wanted = rnn.bptt.truncated(cell, q.params, q.xs, loss, k1, k2, q.start).gradient
    found = mg.grad(lambda p: loss(tbptt(cell, p, q.xs, q.start, k1=k1, k2=k2)[0]))(q.params)
    for name, value in found.named().items():
        np.testing.assert_allclose(value, wanted[name], rtol=1e-9, atol=1e-12)


def test_a_fit_by_windows_is_one_by_truncated_sequences() -> None:
    """Four windows in one batch, or one sequence that is cut: the same gradient."""
    cell = CELLS[1]
    q = problem(cell, 8, 2, seed=0)
    targets = np.sin(q.xs)
    predict = partial(tbptt, k1=2, k2=2)
    once = rnn.fit(cell, (q.xs, targets), 3, predict=predict, carry=True, start=q.params)
    state, losses = cell.start(2), []
    for k in range(0, 8, 2):
        ys, state = rnn.run(cell, q.params, q.xs[k : k + 2], state)
        losses.append(rnn.mse(ys, targets[k : k + 2]))
    np.testing.assert_allclose(once.history.loss[0], np.mean(losses), rtol=1e-12)


@pytest.mark.parametrize(
    ("cell", "k1", "k2", "told"),
    [
        (CELLS[0], 0, 2, "tbptt: k1 must be a whole number ≥ 1, got 0"),
        (CELLS[0], 3, 2, "tbptt: k2 must be a whole number ≥ 3, got 2"),
        (rnn.Bidirectional(CELLS[0]), 1, 2, "tbptt: Bidirectional has edges that run against time"),
    ],
)
def test_what_cannot_be_truncated_is_told(cell: Any, k1: int, k2: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tbptt(cell, cell.init(0), np.ones((4, 1, 3)), k1=k1, k2=k2)
