"""All paths of the chain rule add up to the derivative."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Attention, given, loss_of, networks


def check(found, q, name):
    """The products along all paths from a parameter to the loss add up to its gradient."""
    loss = loss_of(q)
    g = mg.grad(lambda p: loss(rnn.run(q.cell, p, q.xs, q.start)[0]))(q.params).named()[name]
    agree(found.derivative, g.reshape(1, -1), f"paths from {name}", q.roundings())


@settings(max_examples=10)
@drawn(networks(most=2), st.data())
def test_paths_add_up_to_the_gradient(q, data):
    name = data.draw(st.sampled_from(sorted(q.params.named())))
    try:
        found = rnn.bptt.paths(*given(q), source=(name, None), state=q.start)
    except (ValueError, LookupError):  # too many; a parameter that nothing reads
        assume(False)
    check(found, q, name)


def test_a_lost_path_is_seen():
    q = rnn.testing.problem(Attention(3, 2), 2, 1, 0)
    found = rnn.bptt.paths(*given(q), source=("W_q", None), state=q.start)
    check(found, q, "W_q")
    with pytest.raises(rnn.testing.Broken, match="paths from W_q"):
        check(replace(found, paths=found.paths[1:]), q, "W_q")


def test_paths_between_two_steps_are_the_ladder():
    q = rnn.testing.problem(rnn.LSTMCell(3, 2), 4, 1, 0)
    found = rnn.bptt.paths(q.cell, q.params, q.xs, None, ("C", 1), ("C", 4), state=q.start)
    wanted = rnn.bptt.ladder(q.cell, q.params, q.xs, state=q.start).jacobians[0]
    agree(found.derivative, wanted, "∂C⁽⁴⁾/∂C⁽¹⁾", q.roundings())
    assert set(found.by_steps) == {3}


def test_paths_are_grouped_by_the_steps_they_cross_as_a_ledger_is():
    q = rnn.testing.problem(rnn.RNNCell(3, 2), 4, 1, 0)
    only_last = lambda ys: mg.sum(mg.sin(ys[3]))
    found = rnn.bptt.paths(q.cell, q.params, q.xs, only_last, ("W_hh", None), state=q.start)
    book = rnn.bptt.ledger(q.cell, q.params, q.xs, only_last, q.start, entries=True)
    for steps, part in found.by_steps.items():
        wanted = book["W_hh"].entries[3, 3 - steps].reshape(1, -1)
        agree(part, wanted, f"{steps} steps back", q.roundings())


def test_a_delay_of_two_crosses_two_steps_at_once():
    q = rnn.testing.problem(Attention(3, 1), 3, 1, 0)
    found = rnn.bptt.paths(q.cell, q.params, q.xs, None, ("h", 1), ("h", 3), state=q.start)
    lengths = {sum(name.startswith("h⁽") for name in p.nodes) for p in found.paths}
    assert lengths == {2, 3}
    assert {p.steps for p in found.paths} == {2}


def test_too_many_paths_are_counted_not_listed():
    q = rnn.testing.problem(rnn.LSTMCell(2, 1), 30, 1, 0)
    with pytest.raises(ValueError, match=r"there are [\d,]+ paths from W_hf to L"):
        rnn.bptt.paths(*given(q), source=("W_hf", None))


def test_no_path_leads_back_in_time():
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 3, 1, 0)
    found = rnn.bptt.paths(q.cell, q.params, q.xs, None, ("h", 3), ("h", 2), state=q.start)
    assert found.paths == ()
    np.testing.assert_array_equal(found.derivative, np.zeros((2, 2)))
