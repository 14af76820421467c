"""Cells of cells: layers on top of each other, and both directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten
from rnn.cell import state_paths
from rnn.testing.problem import problem
from rnn.testing.strategies import SEEDS
from tests.rnn.mistakes import Mistake, told_in_full
from tests.rnn.runs import assert_equal


@given(seed=SEEDS, T=st.integers(1, 5))
def test_both_directions_on_the_reversed_sequence_exchange_their_roles(seed, T):
    cell = rnn.Bidirectional(rnn.GRUCell(3, 2), rnn.GRUCell(3, 2))
    q = problem(cell, T, 2, seed)
    swapped = rnn.Params(forward=q.params["backward"], backward=q.params["forward"])
    ys, (there, back) = rnn.run(cell, q.params, q.xs, q.start)
    turned, (there_, back_) = rnn.run(cell, swapped, q.xs[::-1], q.start[::-1])
    assert_equal(turned[::-1], np.concatenate([ys[..., 2:], ys[..., :2]], axis=-1))
    assert_equal((there_, back_), (back, there))


def test_layers_of_a_stack_are_found_by_their_names():
    cell = rnn.Stack([rnn.LSTMCell(3, 4), rnn.LSTMCell(4, 2)])
    ys, _ = rnn.run(cell, cell.init(0).tensors(), np.ones((3, 1, 3)), unfolded=True)
    assert mg.find(ys, "layer1.C", t=2).shape == (1, 4)
    assert mg.find(ys, "layer2.C", t=2).shape == (1, 2)


def test_cells_in_cells_in_cells_are_found_by_their_names():
    inner = rnn.Stack([rnn.Bidirectional(rnn.RNNCell(3, 2)), rnn.RNNCell(4, 3)])
    cell = rnn.Stack([rnn.RNNCell(2, 3), inner])
    ys, _ = rnn.run(cell, cell.init(0).tensors(), np.ones((3, 2, 2)), unfolded=True)
    assert mg.find(ys, "layer2.layer1.backward.h", t=2).shape == (2, 2)
    assert mg.find(ys, "layer2.layer2.h", t=2).shape == (2, 3)


INNER = {
    "a cell": rnn.LSTMCell(3, 4),
    "a stack": rnn.Stack([rnn.LSTMCell(3, 2), rnn.GRUCell(2, 4)]),
    "both directions": rnn.Bidirectional(rnn.LSTMCell(3, 2), rnn.GRUCell(3, 4)),
    "a start that is learnt": rnn.LearnedStart(rnn.LSTMCell(3, 4)),
}


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("is_given", [True, False])
def test_a_reversed_cell_is_the_cell_on_the_reversed_sequence(name, is_given):
    inner = INNER[name]
    q = problem(rnn.Reversed(inner), 5, 2, 0)
    start = flatten(inner.start(2))[1].unflatten(flatten(q.start)[0])
    ys, state = rnn.run(q.cell, q.params, q.xs, q.start if is_given else None)
    turned, last = rnn.run(inner, q.params, q.xs[::-1], start if is_given else None)
    assert_equal((ys, flatten(state)[0]), (turned[::-1], flatten(last)[0]))
    assert state_paths(q.cell) == state_paths(inner)


def test_both_directions_are_the_cell_and_its_reverse_beside_each_other():
    cell = rnn.Bidirectional(rnn.GRUCell(3, 2), rnn.RNNCell(3, 4))
    q = problem(cell, 4, 2, 1)
    ys, _ = rnn.run(cell, q.params, q.xs, q.start)
    there, _ = rnn.run(cell.forward, q.params["forward"], q.xs, q.start[0])
    back, _ = rnn.run(rnn.Reversed(cell.backward), q.params["backward"], q.xs, q.start[1])
    assert_equal(ys, np.concatenate([there, back], axis=-1))


MISTAKES: dict[str, Mistake] = {
    "a stack of layers that do not fit": (
        lambda: rnn.Stack([rnn.RNNCell(3, 5), rnn.Dense(4, 2)]),
        mg.ShapeError,
        "Stack: layer 1 gives 5 columns, layer 2 takes 4",
    ),
    "an empty stack": (
        lambda: rnn.Stack([]),
        TypeError,
        "Stack takes a list of at least one cell, got []; "
        "write Stack([RNNCell(3, 5), Dense(5, 2)])",
    ),
    "a stack of one cell without a list": (
        lambda: rnn.Stack(rnn.Dense(3, 4)),
        TypeError,
        "Stack takes a list of at least one cell, "
        "got Dense(inputs=3, outputs=4, activation=None); "
        "write Stack([RNNCell(3, 5), Dense(5, 2)])",
    ),
    "two directions of different inputs": (
        lambda: rnn.Bidirectional(rnn.RNNCell(3, 5), rnn.RNNCell(4, 5)),
        mg.ShapeError,
        "Bidirectional: the forward cell takes 3 columns, the backward cell 4",
    ),
    "a merge that is none": (
        lambda: rnn.Bidirectional(rnn.RNNCell(3, 5), merge="mean"),
        ValueError,
        "Bidirectional: unknown merge 'mean'; there are concat, sum, mul, ave",
    ),
    "a sum of directions of different widths": (
        lambda: rnn.Bidirectional(rnn.RNNCell(3, 5), rnn.RNNCell(3, 4), "sum"),
        mg.ShapeError,
        "Bidirectional: the forward cell gives 5 columns, the backward cell 4; "
        "only merge='concat' takes both",
    ),
    "a reverse of what is no cell": (
        lambda: rnn.Reversed(3),
        TypeError,
        "Reversed takes a cell, such as LSTMCell(3, 5), got 3",
    ),
    "a direction that is no cell": (
        lambda: rnn.Bidirectional(3),
        TypeError,
        "Bidirectional takes two cells, got 3",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake: str) -> None:
    told_in_full(MISTAKES[mistake])
