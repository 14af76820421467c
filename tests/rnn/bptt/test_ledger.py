"""The ledger of a gradient, against untied weights, `rnn.run` and BPTT by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given as drawn

import minigrad as mg
import rnn
from rnn.bptt import adjoints
from rnn.testing.problem import agree
from tests.rnn import reference as by_hand
from tests.rnn.bptt.networks import Attention, Linear, causal, given, loss_of, networks


def entries(book):
    return {name: account.entries for name, account in book.accounts.items()}


def check_sums(book, q):
    """Entries and projections add up to what `rnn.run` has as the gradient."""
    loss = loss_of(q)
    whole = mg.grad(lambda p: loss(rnn.run(q.cell, p, q.xs, q.start)[0]))(q.params).named()
    for name, account in book.accounts.items():
        agree(account.entries.sum((0, 1)), whole[name], f"entries of {name}", q.roundings())
        norm = np.linalg.norm(whole[name])
        agree(account.projections.sum(), norm, f"projections of {name}", q.roundings())


def untied(q):
    """Entries by a copy of the weights for each step, and a run for each loss step."""
    loss = loss_of(q)
    seeds = mg.grad(loss)(q.run()[0])

    def heard(copies, s):
        state = q.start
        for params, x in zip(copies[: s + 1], q.xs, strict=False):
            y, state = rnn.run(q.cell, params, x[None], state)
        return mg.sum(y[0] * seeds[s])

    rows = [mg.grad(lambda c, s=s: heard(c, s))([q.params] * q.steps) for s in range(q.steps)]
    return {
        name: np.array([[use.named()[name] for use in row] for row in rows])
        for name in q.params.named()
    }


@drawn(networks())
def test_entries_add_up_to_the_gradient(q):
    check_sums(rnn.bptt.ledger(*given(q), state=q.start, entries=True), q)


@drawn(networks(most=4))
def test_entries_are_those_of_untied_weights(q):
    assume(causal(q))
    book = rnn.bptt.ledger(*given(q), state=q.start, entries=True)
    agree(entries(book), untied(q), "entries", q.roundings())


@drawn(networks())
def test_entries_are_exactly_zero_where_the_use_is_later_than_the_loss(q):
    assume(causal(q))
    for account in rnn.bptt.ledger(*given(q), state=q.start).accounts.values():
        assert not np.triu(account.norms, 1).any()
        assert not np.triu(account.projections, 1).any()


@drawn(networks())
def test_norms_and_projections_are_those_of_the_entries(q):
    book = rnn.bptt.ledger(*given(q), state=q.start, entries=True)
    for account in book.accounts.values():
        rows = account.entries.reshape(q.steps, q.steps, -1)
        agree(account.norms, np.linalg.norm(rows, axis=-1), "norms", q.roundings())
        along = rows @ account.gradient.ravel()
        agree(account.projections * np.linalg.norm(account.gradient), along, "projections",
              q.roundings())  # fmt: skip


def test_entries_add_up_to_bptt_by_hand():
    cell = rnn.LSTMCell(3, 4, peepholes=True)
    q = rnn.testing.problem(cell, 5, 2, 0)
    loss = loss_of(q)
    book = rnn.bptt.ledger(cell, q.params, q.xs, loss, q.start, entries=True)
    dys = mg.grad(loss)(q.run()[0])
    zeros = tuple(np.zeros_like(s) for s in q.start)
    wanted, *_ = by_hand.lstm.bptt(q.params, q.xs, q.start, dys, zeros)
    found = {name: table.sum((0, 1)) for name, table in entries(book).items()}
    agree(found, dict(wanted), "by hand", q.roundings())


@pytest.mark.parametrize("place", [(0, 0), (3, 1), (4, 4)])
def test_one_wrong_entry_is_seen(place):
    """The check of the sums is not empty: an entry off by a millionth breaks it."""
    q = rnn.testing.problem(Attention(3, 2), 5, 1, 0)
    book = rnn.bptt.ledger(*given(q), state=q.start, entries=True)
    check_sums(book, q)
    book["W_v"].entries[place] *= 1 + 1e-6
    with pytest.raises(rnn.testing.Broken, match="entries of W_v"):
        check_sums(book, q)


def test_more_rows_than_one_run_takes_are_the_same(monkeypatch):
    q = rnn.testing.problem(rnn.GRUCell(3, 4), 7, 2, 0)
    whole = rnn.bptt.ledger(*given(q), entries=True)
    monkeypatch.setattr(adjoints, "FIT", 1)
    for name, account in rnn.bptt.ledger(*given(q), entries=True).accounts.items():
        np.testing.assert_array_equal(account.entries, whole[name].entries)


def test_class_indices_and_one_sample_of_a_loss_are_studied_too():
    cell = rnn.RNNCell(5, 3, 5)
    xs = np.array([[0], [4], [2]])
    loss = lambda ys: rnn.cross_entropy(ys[-1], np.array([1]))
    book = rnn.bptt.ledger(cell, cell.init(0), xs, loss)
    assert not book["W_xh"].norms[:2].any()
    assert book["W_xh"].norms[2].all()
    assert book["W_xh"].lags().sum() == pytest.approx(1)


def test_an_unknown_parameter_is_named():
    q = rnn.testing.problem(rnn.GRUCell(3, 4), 2, 1, 0)
    with pytest.raises(LookupError, match="no parameter W_hh; there are W_xr"):
        rnn.bptt.ledger(*given(q), of="W_hh")


def test_how_far_back_a_gradient_reaches():
    """W_hh has no gradient in one step; of two equal losses, one step back is a third."""
    q = rnn.testing.problem(rnn.RNNCell(3, 2), 1, 1, 0)
    book = rnn.bptt.ledger(q.cell, q.params, q.xs, lambda ys: mg.sum(ys))
    assert [account.near for account in book.accounts.values()] == [0, 0, 0]
    w, x = {"W_hh": np.ones((1, 1))}, np.zeros((2, 1, 1))
    book = rnn.bptt.ledger(Linear(1, 1), w, x, lambda ys: mg.sum(ys), state=(np.ones((1, 1)),))
    assert book["W_hh"].lags().tolist() == pytest.approx([2 / 3, 1 / 3])
    assert book["W_hh"].near == 1


def test_tables_that_do_not_fit_are_refused_before_they_are_made():
    cell = rnn.RNNCell(1, 1)
    with pytest.raises(ValueError, match=r"for 3 parameters take 0\.432 GB at T = 3,000 \(limit"):
        rnn.bptt.ledger(cell, cell.init(0), np.zeros((3000, 1, 1)), lambda ys: mg.sum(ys[-1]))
