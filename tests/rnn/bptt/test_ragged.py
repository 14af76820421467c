"""Ragged batches: every study of one is what the studies of its samples are, each alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing.problem import Problem, agree
from tests.rnn.bptt.networks import OWN, causal, networks


@dataclass
class Ragged:
    """A network on a batch in which each sample has its own length, the padding spoiled."""

    q: Problem
    lengths: Any
    weights: Any

    def loss(self, ys: Any) -> Any:
        """Every step of every sample in its own way; behind its end a sample gives 0."""
        return mg.sum(mg.sin(ys) * self.weights)

    @property
    def given(self) -> tuple[Any, ...]:
        return self.q.cell, self.q.params, self.q.xs, self.loss

    @property
    def about(self) -> dict[str, Any]:
        return {"state": self.q.start, "lengths": self.lengths}

    def alone(self, b: int) -> tuple[tuple[Any, ...], Any]:
        """The arguments of a study of one sample, and its start."""
        n, weights = self.lengths[b], self.weights[: self.lengths[b], b : b + 1]
        start = mg.tree_map(lambda s: s[..., b : b + 1, :], self.q.start)
        loss = lambda ys: mg.sum(mg.sin(ys) * weights)
        return (self.q.cell, self.q.params, self.q.xs[:n, b : b + 1], loss), start


def ragged(q: Problem, lengths: Any) -> Ragged:
    for b, n in enumerate(lengths):
        q.xs[n:, b] = np.nan
    weights = np.random.default_rng(1).normal(size=q.run()[0].shape)
    return Ragged(q, np.array(lengths), weights)


def derivatives_are_those_of_samples_alone(r: Ragged) -> None:
    found = rnn.bptt.totals(*r.given, **r.about)
    for b, n in enumerate(r.lengths):
        given, start = r.alone(b)
        for name, wanted in rnn.bptt.totals(*given, state=start).derivatives.items():
            for what in ("values", "total", "immediate", "later"):
                part = getattr(found[name], what)[:n, b : b + 1]
                agree(part, getattr(wanted, what), f"{name} {what}", r.q.roundings())


def added(r: Ragged, study: Any, *more: Any) -> dict[str, Any]:
    """The gradients that a study gives of the samples alone, added up."""
    total: dict[str, Any] = {}
    for b in range(len(r.lengths)):
        given, start = r.alone(b)
        for name, g in study(*given, *more, state=start).gradient.items():
            total[name] = total.get(name, 0) + g
    return total


def gradients_are_those_of_samples_added_up(r: Ragged) -> None:
    """Truncated ones, and those in forward mode."""
    if r.q.cell.folded().recurrences and causal(r.q):
        for k1 in (1, 2):
            found = rnn.bptt.truncated(*r.given, k1, 2, **r.about)
            wanted = added(r, rnn.bptt.truncated, k1, 2)
            agree(dict(found.gradient), wanted, found.name, 2 * r.q.roundings())
        forward = rnn.bptt.rtrl(*r.given, **r.about)
        agree(dict(forward.gradient), added(r, rnn.bptt.rtrl), "rtrl", 2 * r.q.roundings())


def ledger_and_walk_end_in_the_gradient(r: Ragged) -> None:
    q = r.q
    run = lambda p: r.loss(rnn.run(q.cell, p, q.xs, q.start, r.lengths)[0])
    wanted = mg.grad(run)(q.params).named()
    book = rnn.bptt.ledger(*r.given, **r.about, entries=True)
    for name, account in book.accounts.items():
        assert account.entries is not None
        agree(account.entries.sum((0, 1)), wanted[name], f"ledger of {name}", 2 * q.roundings())
        assert not account.norms[max(r.lengths) :].any()
    walked = rnn.bptt.walk(*r.given, **r.about)
    for name in walked.ends:
        agree(walked.cotangents[name], wanted[name], f"walk to {name}", 2 * q.roundings())


def rungs_and_stages_are_those_of_a_sample_alone(r: Ragged) -> None:
    if not r.q.cell.folded().recurrences:
        return
    cell, params, xs = r.given[:3]
    for b, n in enumerate(r.lengths):
        given, start = r.alone(b)
        found = rnn.bptt.ladder(cell, params, xs, to=int(n), sample=b, **r.about)
        wanted = rnn.bptt.ladder(*given[:3], to=int(n), state=start)
        agree(found.jacobians[:n], wanted.jacobians, "ladder", 4 * r.q.roundings())
        told = rnn.bptt.stages(cell, params, xs, sample=b, **r.about)
        assert told.steps == n
        assert {row[0] for row in told.table().rows} == set(range(1, n + 1))


LAWS = (
    derivatives_are_those_of_samples_alone,
    gradients_are_those_of_samples_added_up,
    ledger_and_walk_end_in_the_gradient,
    rungs_and_stages_are_those_of_a_sample_alone,
)
CELLS = (rnn.LSTMCell(3, 2), *OWN, rnn.Bidirectional(rnn.GRUCell(3, 2)))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_of_a_ragged_batch(law: Any, cell: rnn.Cell) -> None:
    law(ragged(rnn.testing.problem(cell, 4, 2, 0), [4, 2]))


@pytest.mark.deep
@drawn(networks(most=4), st.sampled_from(LAWS), st.data())
def test_of_any_ragged_batch(q: Problem, law: Any, data: Any) -> None:
    batch = q.xs.shape[1]
    lengths = data.draw(st.lists(st.integers(1, q.steps), min_size=batch, max_size=batch))
    law(ragged(q, lengths))


def test_one_step_too_many_is_seen() -> None:
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 4, 2, 0)
    r = Ragged(q, np.array([4, 2]), np.ones((4, 2, 2)))
    wrong = Ragged(q, np.array([4, 3]), np.ones((4, 2, 2)))
    found = rnn.bptt.rtrl(*wrong.given, **wrong.about)
    with pytest.raises(rnn.testing.Broken):
        agree(dict(found.gradient), added(r, rnn.bptt.rtrl), "rtrl", q.roundings())


def test_lengths_that_do_not_fit_are_told_by_the_run() -> None:
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 4, 2, 0)
    with pytest.raises(ValueError, match="lengths must be between 0 and T = 4"):
        rnn.bptt.totals(q.cell, q.params, q.xs, mg.sum, lengths=[1, 5])
    found = rnn.bptt.totals(q.cell, q.params, q.xs, mg.sum, lengths=[1, 2])
    assert not found["h"].total[2:].any()
