"""A run and what a study reads of it: values, seeds of the loss, gradients."""

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten
from rnn.bptt.recorded import recorded

CELLS = [rnn.RNNCell(2, 3, 2, rnn.cells.RECURRENCES), rnn.LSTMCell(2, 3),
         rnn.Stack([rnn.GRUCell(2, 3), rnn.Dense(3, 2)]),
         rnn.Bidirectional(rnn.RNNCell(2, 3))]  # fmt: skip
XS = np.random.default_rng(0).normal(size=(5, 2, 2))


def loss(ys):
    return mg.sum(mg.sin(ys) * ys)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_seeds_and_gradient_are_those_of_the_run(cell):
    p = cell.init(0)
    found = recorded(cell, p, XS, loss)
    ys = rnn.run(cell, p, XS)[0]
    np.testing.assert_array_equal(found.ys, ys)
    np.testing.assert_allclose(found.seeds, np.cos(ys) * ys + np.sin(ys), rtol=1e-12)
    wanted = flatten(mg.grad(lambda p: loss(rnn.run(cell, p, XS)[0]))(p))[0]
    for x, y in zip(found.gradient.values(), wanted, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS[:2], ids=lambda cell: cell.label)
def test_named_values_are_those_of_the_unfolded_graph(cell):
    found = recorded(cell, cell.init(0), XS)
    ys, _ = rnn.run(cell, cell.init(0).tensors(), XS, unfolded=True)
    for t in range(1, 6):
        np.testing.assert_allclose(found.values["h"][t - 1], mg.find(ys, "h", t=t).data)


def test_what_comes_from_before_is_the_state_one_step_late():
    cell = rnn.LSTMCell(2, 3)
    found = recorded(cell, cell.init(0), XS)
    np.testing.assert_array_equal(found.before[0][0], np.zeros((2, 3)))
    np.testing.assert_allclose(found.before[1][1:], found.values["C"][:-1])


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    found = recorded(CELLS[1], CELLS[1].init(0), XS)
    with pytest.raises(LookupError, match=r"no value is named z; there are: .*C̃"):
        found.node("z")
    with pytest.raises(ValueError, match="without a step there is nothing to study"):
        recorded(CELLS[1], CELLS[1].init(0), XS[:0])
