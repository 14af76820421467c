"""On an unfolded run every value of every step is found by its name, with its total derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from rnn.testing.problem import problem
from tests.rnn.mistakes import Mistake, told_in_full
from tests.rnn.runs import assert_close


@pytest.mark.parametrize("name", ["h", "C"])
@pytest.mark.parametrize("t", [1, 3, 5])
def test_the_gradient_found_at_a_step_is_that_of_starting_there(name, t):
    """dL/dC⁽³⁾ equals the derivative by C of the loss over the rest of the sequence."""
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 5, 2, 0)
    ys, (h, C) = rnn.run(cell, q.params.tensors(), q.xs, q.start, unfolded=True)
    loss = mg.sum(mg.sin(ys)) + mg.sum(mg.sin(h)) + mg.sum(mg.sin(C))
    loss.backward()
    _, state = rnn.run(cell, q.params, q.xs[:t], q.start)

    def rest(state: Any) -> Any:
        ys, last = rnn.run(cell, q.params, q.xs[t:], state)
        # y is h: the output of step t hangs on this state too.
        return mg.sum(mg.sin(ys)) + sum(mg.sum(mg.sin(s)) for s in last) + mg.sum(mg.sin(state[0]))

    wanted = mg.grad(rest)(state)[cell.state.index(name)]
    if name == "C":
        # C⁽ᵗ⁾ also acts through h⁽ᵗ⁾ = o ⊙ tanh(C), which the later steps are given as a state.
        o = mg.find(loss, "o", t=t).data
        wanted = wanted + mg.grad(rest)(state)[0] * o * (1 - np.tanh(state[1]) ** 2)
    assert_close(mg.find(loss, name, t=t).grad, wanted, q.roundings())


@pytest.mark.parametrize("name", ["f", "i", "C̃", "o", "z_f", "C", "h", "x"])
def test_every_gate_of_every_step_has_its_gradient(name):
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 3, 2, 0)
    ys, _ = rnn.run(cell, q.params.tensors(), mg.Tensor(q.xs), q.start, unfolded=True)
    loss = mg.sum(ys * ys)
    loss.backward()
    for t in (1, 2, 3):
        grad = mg.find(loss, name, t=t).grad
        assert grad is not None
        assert np.any(grad)


def test_a_parameter_has_the_sum_of_the_gradients_of_its_uses():
    cell = rnn.RNNCell(3, 4)
    q = problem(cell, 5, 2, 0)
    p = q.params.tensors()
    ys, _ = rnn.run(cell, p, q.xs, unfolded=True)
    loss = mg.sum(ys * ys)
    loss.backward()
    per_step = [mg.find(loss, "z_h", t=t).grad.sum(0) for t in range(1, 6)]
    assert_close(p.b_h.grad, sum(per_step), q.roundings())


def test_two_runs_of_one_cell_are_told_apart():
    cell = rnn.RNNCell(3, 4)
    q = problem(cell, 2, 1, 0)

    def twice(p: Any, xs: Any) -> Any:
        ys, _ = rnn.run(cell, p, xs, unfolded=True)
        return rnn.run(cell, p, xs[::-1] + 0.0 * ys[:, :, :3], unfolded=True)[0]

    scopes = {node.scope for node in mg.trace(twice, q.params, q.xs).nodes if node.name == "h"}
    assert scopes == {"RNNCell", "RNNCell#2"}


def test_runs_in_scopes_of_their_own_are_found_by_them():
    cell = rnn.RNNCell(3, 4)
    q = problem(cell, 2, 1, 0)
    p = q.params.tensors()
    with mg.scope("encoder"):
        _, state = rnn.run(cell, p, q.xs, unfolded=True)
    with mg.scope("decoder"):
        ys, _ = rnn.run(cell, p, q.xs, state, unfolded=True)
    loss = mg.sum(ys * ys)
    loss.backward()
    assert mg.find(loss, "encoder.RNNCell.h", t=2) is state[0]
    assert mg.find(loss, "decoder.RNNCell.h", t=2).grad is not None


def test_inputs_and_start_values_are_on_the_unfolded_graph_by_name():
    """Also when they were given as arrays: what a person looks for has a gradient."""
    cell = rnn.Bidirectional(rnn.RNNCell(3, 4), rnn.LSTMCell(3, 2))
    ys, _ = rnn.run(cell, cell.init(0).tensors(), np.ones((3, 2, 3)), unfolded=True)
    mg.sum(ys * ys).backward()
    assert mg.find(ys, "x", t=2).grad.shape == (2, 3)
    assert mg.find(ys, "forward.h", t=0).grad.shape == (2, 4)
    assert mg.find(ys, "backward.C", t=4).grad.shape == (2, 2)


def steps(T: int) -> Any:
    return rnn.run(MADE, MADE.init(0).tensors(), np.ones((T, 1, 3)), unfolded=True)[0]


MADE = rnn.RNNCell(3, 4)
MISTAKES: dict[str, Mistake] = {
    "a step that was not run": (
        lambda: mg.find(steps(3), "h", t=7),
        LookupError,
        "no tensor named h at t = 7; "
        "there are: RNNCell.h, RNNCell.x, RNNCell.xs, RNNCell.z_h, W_hh, W_xh, b_h, "
        "at steps 0 to 3",
    ),
    "a name of many steps": (
        lambda: mg.find(steps(2), "h"),
        LookupError,
        "3 tensors are named h: RNNCell, t = 0; RNNCell, t = 1; RNNCell, t = 2; "
        "give t= or scope.name",
    ),
    "a negative number of steps": (
        lambda: mg.unfold(MADE.folded(), -1),
        ValueError,
        "unfold: the number of steps must be a whole number ≥ 0, got -1",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake):
    told_in_full(MISTAKES[mistake])
