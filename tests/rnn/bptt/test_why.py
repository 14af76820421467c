"""The first place where numbers go wrong, found where it was planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import minigrad as mg
import rnn
from tests.rnn.bptt.networks import Attention, Linear, given


def told(cell, p, xs, loss=lambda ys: mg.sum(ys)):
    return rnn.bptt.why(cell, p, xs, loss)


def kinds(found):
    return {(e.kind, e.backward): e for e in found.events}


def test_nothing_is_found_where_nothing_is_wrong():
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 5, 2, 0)
    found = rnn.bptt.why(*given(q))
    assert found.events == ()
    assert found.sentence == "nothing goes wrong in 5 steps, forward or backward"


@pytest.mark.parametrize("t", [1, 3, 5])
@pytest.mark.parametrize(("gate", "op"), [("f", "sigmoid"), ("C̃", "tanh")])
def test_a_gate_that_saturates_is_named_with_its_step(gate, op, t):
    cell = rnn.LSTMCell(1, 3)
    p = cell.init(0)
    p = {name: 0 * w if name[:3] == "W_x" else w for name, w in p.items()}
    weight = {"f": "W_xf", "C̃": "W_xc"}[gate]
    p[weight] = p[weight] + 1.0
    xs = np.zeros((5, 1, 1))
    xs[t - 1] = 40.0
    event = kinds(told(cell, p, xs))["flat", False]
    assert (event.t, event.value, event.op, event.units) == (t, gate, op, 3)


def test_an_overflow_is_found_forward_and_backward():
    p = {"W_hh": np.array([[1e200]])}
    found = rnn.bptt.why(
        Linear(1, 1), p, np.zeros((4, 1, 1)), lambda ys: mg.sum(ys), (np.array([[1e-150]]),)
    )
    assert kinds(found)["overflow", False].t == 3
    assert kinds(found)["overflow", True].t == 3
    assert kinds(found)["overflow", False].value == "h"


def test_an_underflow_is_found_forward_and_backward():
    p = {"W_hh": np.array([[1e-200]])}
    start = (np.array([[1.0]]),)
    found = rnn.bptt.why(Linear(1, 1), p, np.zeros((5, 1, 1)), lambda ys: mg.sum(ys[-1]), start)
    assert kinds(found)["underflow", False].t == 2
    assert kinds(found)["underflow", True].t == 4
    assert "underflows" in found.sentence


def test_a_sum_that_cancels_is_no_underflow():
    p = {"W_hh": np.array([[1.0, 1.0], [-1.0, -1.0]])}
    found = rnn.bptt.why(
        Linear(1, 2), p, np.zeros((2, 1, 1)), lambda ys: mg.sum(ys), (np.ones((1, 2)),)
    )
    assert found.events == ()


@dataclass(frozen=True)
class Root(rnn.Cell):
    """A reader's own cell that takes the root of what may be negative."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        return {"W": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p, x, h):
        h = mg.named("h", mg.sqrt(mg.named("z", 0.5 * h + x @ p.W)))
        return h, h


def test_a_nan_is_found_where_it_is_made_and_not_where_it_is_passed_on():
    xs = np.array([1.0, 1.0, -9.0, 1.0, 1.0]).reshape(5, 1, 1)
    found = told(Root(1, 2), {"W": np.ones((1, 2))}, xs)
    event = kinds(found)["NaN", False]
    assert (event.t, event.op, event.value, event.units) == (3, "sqrt", "h", 2)
    assert found.sentence.startswith("forward at t = 3, sqrt on the way to h becomes NaN")


def test_a_cell_of_ones_own_is_looked_into():
    q = rnn.testing.problem(Attention(3, 2), 4, 1, 0)
    q.xs[2] = 1e3
    assert kinds(rnn.bptt.why(*given(q)))["flat", False].t == 3


def test_nan_that_is_given_is_found_where_it_is_first_read():
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 4, 1, 0)
    q.xs[2, 0, 1] = np.nan
    found = rnn.bptt.why(*given(q))
    event = kinds(found)["NaN", False]
    assert (event.t, event.op) == (3, "matmul")
    assert found.sentence.startswith("forward at t = 3, matmul on the way to ")
