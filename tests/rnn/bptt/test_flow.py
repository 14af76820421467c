"""How much of a gradient flows back, against the graph of all steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given as drawn

import minigrad as mg
import rnn
from rnn.testing.problem import Broken, agree
from tests.rnn.bptt.networks import Linear, given, loss_of, networks, on_graph, unfolded


def by_graph(q, name):
    """‖dL/dh⁽ᵗ⁾‖ as `backward` leaves it on the tensors of all steps."""
    ys = unfolded(q)
    loss_of(q)(ys).backward()
    found = [on_graph(ys, q, name, t) for t in range(1, q.steps + 1)]
    return np.array([0.0 if h is None else np.linalg.norm(h.grad) for h in found])


@drawn(networks())
def test_flow_is_the_size_of_the_gradients_of_the_graph_of_all_steps(q):
    assume(q.cell.folded().recurrences)
    found = rnn.bptt.flow(*given(q), state=q.start)
    (name,) = found.states
    if on_graph(unfolded(q), q, name, 1) is not None:
        agree(found.norms[0], by_graph(q, name), f"flow to {name}", q.roundings())


def test_a_flow_of_other_weights_is_seen():
    q = rnn.testing.problem(rnn.LSTMCell(3, 2), 4, 1, 0)
    params = mg.tree_map(lambda w: 1.001 * w, q.params)
    found = rnn.bptt.flow(q.cell, params, q.xs, loss_of(q), state=q.start)
    with pytest.raises(Broken, match="flow"):
        agree(found.norms[0], by_graph(q, "h"), "flow", q.roundings())


def test_of_a_linear_step_the_flow_is_a_power():
    w, xs = {"W_hh": np.array([[0.5]])}, np.zeros((5, 1, 1))
    found = rnn.bptt.flow(Linear(1, 1), w, xs, lambda ys: mg.sum(ys[-1]))
    assert found.norms[0].tolist() == [0.0625, 0.125, 0.25, 0.5, 1.0]
    assert found.left.tolist() == [0.0625]
    assert found.sentence.endswith("at t = 5 there is left at t = 1: 0.0625 in Linear")


def test_a_cell_without_a_state_has_no_flow():
    with pytest.raises(ValueError, match="Dense has no state"):
        rnn.bptt.flow(rnn.Dense(2, 2), rnn.Dense(2, 2).init(0), np.ones((3, 1, 2)), mg.sum)
