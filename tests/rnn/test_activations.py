"""Activations by name are what their formulas say."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg
import rnn
from rnn.activations import activation, activations

FORMULAS = {
    "identity": lambda z: z,
    "hard_sigmoid": lambda z: min(max(z / 6 + 0.5, 0.0), 1.0),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_an_activation_is_its_formula(name):
    points = np.array([-7.0, -3.0, -1.25, 0.0, 0.5, 2.999, 3.0, 10.0])
    assert activation(name)(points).tolist() == [FORMULAS[name](z) for z in points]


def test_those_of_one_tensor_entry_by_entry_are_known_and_no_others():
    assert {"tanh", "relu", "gelu", "silu", "elu", "hardtanh", "sigmoid"} <= set(activations())
    assert not {"softmax", "add", "matmul", "sum", "glu"} & set(activations())


def test_a_primitive_and_its_name_are_the_same_activation():
    assert rnn.GRUCell(2, 3, activation=mg.relu) == rnn.GRUCell(2, 3, activation="relu")
    assert activation("tanh")(0.5) == math.tanh(0.5)


@pytest.mark.parametrize("field", ["activation", "gate_activation"])
@pytest.mark.parametrize("kind", [rnn.LSTMCell, rnn.GRUCell, rnn.MGUCell, rnn.CoupledLSTMCell])
def test_an_activation_that_is_none_is_told_with_those_there_are(kind, field):
    with pytest.raises(ValueError, match=f"{kind.__name__}: unknown {field} 'softmax'; there are "):
        kind(2, 3, **{field: "softmax"})


def test_gates_and_candidates_have_each_their_own():
    """f = i = o = z/6 + 1/2 and C̃ = relu(z), by hand for one unit."""
    cell = rnn.LSTMCell(1, 1, activation="relu", gate_activation="hard_sigmoid")
    p = {name: np.full(np.shape(v), 0.5) for name, v in cell.init(0).items()}
    h, C, x = 0.25, 2.0, 1.5
    z = 0.5 * x + 0.5 * h + 0.5
    gate = z / 6 + 0.5
    memory = gate * C + gate * z
    wanted = gate * memory
    row = lambda v: np.full((1, 1), v)
    _, (shown, kept) = rnn.run(cell, p, np.full((1, 1, 1), x), (row(h), row(C)))
    assert shown == pytest.approx(wanted, rel=1e-15)
    assert kept == pytest.approx(memory, rel=1e-15)
    assert "hard_sigmoid" in activations()
