"""The stages of the text with numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn

import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Attention, networks, on_graph, unfolded


def test_the_stages_of_an_lstm_are_those_of_the_text():
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 3, 2, 0)
    found = rnn.bptt.stages(q.cell, q.params, q.xs, state=q.start)
    p, C, h = q.params, q.start[1], q.start[0]
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    for t, x in enumerate(q.xs):
        remember = sigmoid(x @ p.W_xf + h @ p.W_hf + p.b_f)
        potential = np.tanh(x @ p.W_xc + h @ p.W_hc + p.b_c)
        C = remember * C + sigmoid(x @ p.W_xi + h @ p.W_hi + p.b_i) * potential
        h = sigmoid(x @ p.W_xo + h @ p.W_ho + p.b_o) * np.tanh(C)
        wanted = {"f": remember, "C̃": potential, "C": C, "h": h}
        agree({name: found[name][t] for name in wanted}, wanted, f"t = {t + 1}", q.roundings())
    assert "percent to remember" in str(found)
    assert "new short-term memory" in str(found)


@drawn(networks())
def test_values_are_those_of_the_graph_of_all_steps(q):
    found = rnn.bptt.stages(q.cell, q.params, q.xs, state=q.start)
    ys = unfolded(q)
    for name, values in found.values.items():
        for t in range(1, q.steps + 1):
            tensor = on_graph(ys, q, name, t)
            if tensor is not None:
                agree(values[t - 1], tensor.data, f"{name} at {t}", q.roundings())


@pytest.mark.parametrize("cell", [rnn.LSTMCell(2, 3), rnn.GRUCell(2, 3)], ids=str)
def test_every_meaning_belongs_to_a_named_value(cell):
    q = rnn.testing.problem(cell, 1, 1, 0)
    assert set(cell.meanings) <= set(rnn.bptt.stages(cell, q.params, q.xs).values)


def test_any_cell_shows_its_named_values_in_order():
    q = rnn.testing.problem(Attention(3, 2), 2, 1, 0)
    found = rnn.bptt.stages(q.cell, q.params, q.xs)
    assert list(found.values)[:3] == ["q", "a", "h"]
    assert "what it is" not in str(found)


def test_a_sample_that_is_not_there_is_said():
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 2, 1, 0)
    with pytest.raises(ValueError, match="there is no sample 3; there are 1"):
        rnn.bptt.stages(q.cell, q.params, q.xs, sample=3)
