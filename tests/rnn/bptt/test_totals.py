"""Total and immediate derivatives, against the graph of all steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn

import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Attention, given, loss_of, networks, on_graph, unfolded


def check_sums(found, q):
    for d in found.derivatives.values():
        agree(d.immediate + d.later, d.total, f"immediate + later of {d.name}", q.roundings())


@drawn(networks())
def test_total_is_immediate_and_what_comes_from_later_steps(q):
    check_sums(rnn.bptt.totals(*given(q), state=q.start), q)


@drawn(networks())
def test_totals_are_the_gradients_of_the_graph_of_all_steps(q):
    found = rnn.bptt.totals(*given(q), state=q.start)
    loss = loss_of(q)(unfolded(q))
    loss.backward()
    for name, d in found.derivatives.items():
        for t in range(1, q.steps + 1):
            tensor = on_graph(loss, q, name, t)
            if tensor is not None:
                what = f"dL/d{name} at t = {t}"
                agree(d.total[t - 1], tensor.grad, what, q.roundings())
                agree(d.values[t - 1], tensor.data, name, q.roundings())


@drawn(networks())
def test_nothing_comes_back_to_the_last_step(q):
    found = rnn.bptt.totals(*given(q), state=q.start)
    if all(r.delay > 0 for r in q.cell.folded().recurrences):
        assert not any(d.later[-1].any() for d in found.derivatives.values())


@pytest.mark.parametrize("cell", [rnn.LSTMCell(3, 2), rnn.GRUCell(3, 2), Attention(3, 2)], ids=str)
def test_every_state_and_gate_of_the_graph_is_there(cell):
    """No named value of a step is left out, so the comparison above is not empty."""
    q = rnn.testing.problem(cell, 3, 1, 0)
    found = rnn.bptt.totals(*given(q), state=q.start)
    loss = loss_of(q)(unfolded(q))
    named = {node.name for node in cell.folded().step.nodes if node.op != "input" and node.name}
    assert named <= set(found.derivatives)
    assert all(on_graph(loss, q, name, 2) is not None for name in named)
    assert {r.name for r in cell.folded().recurrences} <= set(found.derivatives)


def test_a_missing_later_term_is_seen():
    q = rnn.testing.problem(rnn.LSTMCell(3, 2), 3, 1, 0)
    found = rnn.bptt.totals(*given(q))
    check_sums(found, q)
    found["C"].later[0] = 0.0
    with pytest.raises(rnn.testing.Broken, match="immediate \\+ later of C"):
        check_sums(found, q)


def test_a_cell_without_state_has_only_immediate_derivatives():
    q = rnn.testing.problem(rnn.Dense(3, 2), 3, 1, 0)
    d = rnn.bptt.totals(*given(q))["z"]
    np.testing.assert_array_equal(d.total, d.immediate)
    assert not d.later.any()
