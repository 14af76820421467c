"""Messages add up to total derivatives, uses to the gradient; switches are truncation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings

import minigrad as mg
import rnn
from minigrad.core import Array
from rnn.bptt.messages import Edge, messages
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Attention, given, networks


def off(found):
    """All delayed edges switched off."""
    return np.zeros((found.run.steps, len(found.run.edges)))


def check_sums(found, result, wanted, kind, q):
    sums = found.total(result, found.run.seeded)
    for name in found.names:
        agree(np.array(sums[name]), getattr(wanted[name], kind), f"{kind} of {name}", q.roundings())


@settings(max_examples=25)  # each traces a graph of its own
@drawn(networks())
def test_messages_add_up_to_total_derivatives_and_without_delayed_edges_to_immediate_ones(q):
    found, wanted = messages(*given(q), state=q.start), rnn.bptt.totals(*given(q), state=q.start)
    check_sums(found, found.found, wanted, "total", q)
    cut = found(*found.arguments(switches=off(found)))
    check_sums(found, cut, wanted, "immediate", q)
    for name in found.names:
        agree(np.array(found.found["values"][name]), wanted[name].values, name, q.roundings())
    for name, uses in zip(found.run.params, found.found["uses"], strict=True):
        agree(sum(uses), found.run.gradient[name], f"dL/d{name}", q.roundings())


@pytest.mark.parametrize("cell", [rnn.LSTMCell(2, 3), Attention(2, 3)], ids=str)
def test_one_loss_at_a_time_is_a_row_of_the_ledger(cell):
    q = rnn.testing.problem(cell, 4, 1, 0)
    found, book = messages(*given(q)), rnn.bptt.ledger(*given(q), entries=True)
    for s in range(4):
        seeds = np.zeros_like(found.run.seeded)
        seeds[s] = found.run.seeded[s]
        uses = found(*found.arguments(seeds))["uses"]
        for name, row in zip(found.run.params, uses, strict=True):
            np.testing.assert_allclose(np.array(row), book[name].entries[s], rtol=1e-9, atol=1e-13)


def windows(found, k: int) -> Array:
    """Switched off is what reaches over the border of a window of k steps."""
    t = np.arange(found.run.steps)[:, None]
    back = t - [r.delay for r in found.run.edges]
    return np.where((back >= 0) & (t // k != back // k), 0.0, 1.0)


@pytest.mark.parametrize("cell", [rnn.LSTMCell(2, 3), Attention(2, 3)], ids=str)
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_switches_are_truncation_in_windows(cell, k):
    q = rnn.testing.problem(cell, 5, 1, 0)
    found = messages(*given(q))
    result = found(*found.arguments(switches=windows(found, k)))
    wanted = rnn.bptt.truncated(*given(q), k1=k, k2=k).gradient
    for name, uses in zip(found.run.params, result["uses"], strict=True):
        np.testing.assert_allclose(sum(uses), wanted[name], rtol=1e-9, atol=1e-13)


def test_readers_are_named_with_their_delay():
    q = rnn.testing.problem(rnn.LSTMCell(2, 3), 3, 1, 0)
    found = messages(*given(q))
    assert [e for e in found.edges if e.value == "C"] == [Edge("C", "h", 0), Edge("C", "C", 1)]
    assert found.heard == "h"


def test_single_precision_stays_single():
    cell, params, xs, loss = given(rnn.testing.problem(rnn.LSTMCell(2, 3), 3, 1, 0))
    params = mg.tree_map(lambda w: w.astype(np.float32), params)
    found = messages(cell, params, xs.astype(np.float32), loss).found
    assert {x.dtype for parts in found["messages"] for x in parts} == {np.dtype(np.float32)}


def test_a_lost_message_is_seen():
    q = rnn.testing.problem(rnn.LSTMCell(2, 3), 3, 1, 0)
    found, wanted = messages(*given(q)), rnn.bptt.totals(*given(q))
    lost = {**found.found, "messages": found.found["messages"][1:] + found.found["messages"][:1]}
    with pytest.raises(AssertionError, match="total of"):
        check_sums(found, lost, wanted, "total", q)
