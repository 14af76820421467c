"""A start that is learnt is what a run begins with, in every kind of network."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.testing import check_gradients
from rnn.testing.networks import Mixed

XS = np.random.default_rng(0).normal(size=(4, 2, 3))


def learnt(cell):
    rng = np.random.default_rng(1)
    return mg.tree_map(lambda w: w + 0.5 * rng.normal(size=w.shape), cell.init(0))


def test_a_run_begins_with_the_parameters_and_continues_as_ever():
    cell = rnn.LearnedStart(rnn.LSTMCell(3, 4))
    p = learnt(cell)
    rows = tuple(np.broadcast_to(p[name], (2, 4)) for name in ("h_0", "C_0"))
    inner = {name: p[name] for name in cell.cell.parameters()}
    wanted, end = rnn.run(cell.cell, inner, XS, rows)
    ys, state = rnn.run(cell, p, XS)
    assert np.array_equal(ys, wanted)
    assert np.array_equal(rnn.run(cell, p, XS, state)[0], rnn.run(cell.cell, inner, XS, end)[0])


NETS = {
    "a layer of a stack": rnn.Stack([rnn.LearnedStart(rnn.GRUCell(3, 4)), rnn.Dense(4, 2)]),
    "both directions": rnn.Bidirectional(rnn.LearnedStart(rnn.RNNCell(3, 4))),
    "inside a wrapper": rnn.Residual(rnn.LearnedStart(rnn.RNNCell(3, 3))),
    "of delays": rnn.LearnedStart(Mixed(3, 2, (("h", (1, 2)), ("g", 1)), ("new", "leak"))),
}


@pytest.mark.parametrize("name", NETS)
def test_its_gradient_is_that_of_differences_eager_and_compiled(name):
    cell = NETS[name]
    p = learnt(cell)
    loss = lambda p: mg.sum(mg.sin(rnn.run(cell, p, XS)[0]))
    check_gradients(loss, p)
    found, wanted = mg.compile(mg.grad(loss))(p), mg.grad(loss)(p)
    for path, g in wanted.named().items():
        np.testing.assert_allclose(found.named()[path], g, rtol=1e-10, atol=1e-12)
        assert np.any(g), path


def test_a_study_of_gradients_begins_there_too():
    cell = rnn.LearnedStart(rnn.RNNCell(3, 4))
    p = learnt(cell)
    r = rnn.bptt.recorded.recorded(cell, p, XS, lambda ys: mg.sum(ys[-1]))
    assert np.array_equal(r.before[0][0], np.broadcast_to(p.h_0, (2, 4)))


def test_without_parameters_the_start_is_that_of_the_cell():
    (h,) = rnn.LearnedStart(rnn.RNNCell(3, 4)).start(2)
    assert not h.any()


@pytest.mark.parametrize("cell", [rnn.Dense(3, 4), rnn.Stack([rnn.RNNCell(3, 4)])])
def test_what_has_no_state_of_its_own_is_told(cell):
    with pytest.raises(TypeError, match="LearnedStart takes one cell with a state"):
        rnn.LearnedStart(cell)
