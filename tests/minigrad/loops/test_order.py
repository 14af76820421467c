"""Several loops in one graph, and what runs between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.errors import FoldError
from minigrad.folded import EVERY, STATE, SUM, same_folded
from minigrad.graph import Graph


def translator(long: int, T: int, loss: bool = False) -> Graph:
    """An encoder, a decoder that looks at all its states, and a loss."""

    def f(w: Any, v: Any, xs: Any, ys: Any) -> Any:
        h: Any = 0.0
        states, terms, found = [], [], []
        for t in range(1, long + 1):
            with mg.scope("encoder", t=t):
                h = mg.tanh(xs[t - 1] * w + h)
                states.append(h)
        seen = mg.stack(states)
        for t in range(1, T + 1):
            with mg.scope("decoder", t=t):
                h = mg.tanh(ys[t - 1] * v + h + mg.sum(seen * h))
                found.append(h)
            with mg.scope("loss", t=t):
                terms.append(mg.square(h - ys[t - 1]))
        return mg.add_n(*terms) if loss else mg.stack(found)

    return mg.trace(f, 0.5, 0.3, np.ones(long), np.ones(T))


def lengths(graph: Graph) -> list[int]:
    return [loop.T for loop in mg.embed(graph).loops]


@pytest.mark.parametrize("loss", [False, True])
@pytest.mark.parametrize("steps", [(5, 5), (5, 7), (7, 5)])
def test_encoder_and_decoder_have_lengths_of_their_own(steps, loss):
    graph = translator(*steps, loss)
    assert lengths(graph) == [*steps]
    outputs = [loop.folded.outputs for loop in mg.embed(graph).loops]
    assert outputs == [(EVERY, STATE), (SUM if loss else EVERY, STATE)]


def test_several_loops_are_no_folded_graph():
    with pytest.raises(FoldError, match=r"2 loops \(t = 1 … 5, t = 1 … 7\); minigrad.embed"):
        mg.fold(translator(5, 7))


@pytest.mark.parametrize("turned", [False, True])
def test_one_cell_that_runs_twice_is_two_loops(turned):
    cell = rnn.RNNCell(2, 2)

    def f(p: Any, xs: Any) -> Any:
        ys, _ = rnn.run(cell, p, xs, unfolded=True)
        ys = mg.flip(ys, axis=0) if turned else ys
        return mg.sum(rnn.run(cell, p, ys, unfolded=True)[0])

    assert lengths(mg.trace(f, cell.init(0), np.ones((5, 1, 2)))) == [5, 5]


def test_two_networks_that_do_not_know_each_other_are_two_loops():
    cell = rnn.RNNCell(2, 2)

    def f(p: Any, *xs: Any) -> Any:
        return [rnn.run(cell, p, x, unfolded=True)[1] for x in xs]

    assert lengths(mg.trace(f, cell.init(0), np.ones((5, 1, 2)), np.ones((4, 1, 2)))) == [5, 4]


def test_the_gradient_of_a_loop_is_a_loop_against_time():
    """Forward and backward are tagged with the same steps: the loss between takes them apart."""

    def f(w: Any, u: Any, xs: Any) -> Any:
        h, hs = 0.0, []
        for t in range(1, 8):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] * w + h * u)
                hs.append(h)
        return mg.exp(mg.add_n(*hs))

    found = mg.embed(mg.trace(mg.grad(f, wrt=(0, 1)), 0.5, 0.3, np.ones(7)))
    delays = [[r.delay for r in loop.folded.recurrences] for loop in found.loops]
    assert delays == [[1], [-1]]


TRAINED = {
    "RNN": rnn.RNNCell(2, 2),
    "LSTM": rnn.LSTMCell(2, 2),
    "both directions": rnn.Bidirectional(rnn.GRUCell(2, 2)),
}


@pytest.mark.parametrize("name", TRAINED)
def test_the_gradient_of_a_cell_has_one_folded_size(name):
    """Backpropagation through time, traced step by step, is found to be a loop again."""
    cell = TRAINED[name]

    def program(T: int) -> mg.Embedded:
        def f(p: Any, xs: Any) -> Any:
            return mg.sum(mg.square(rnn.run(cell, p, xs, unfolded=True)[0]))

        return mg.embed(mg.trace(mg.grad(f), cell.init(0), np.ones((T, 1, 2))))

    found, again = program(7), program(9)
    forward, backward = found.loops
    assert max(r.delay for r in forward.folded.recurrences) == 1
    assert min(r.delay for r in backward.folded.recurrences) == -1
    for a, b in zip(found.loops, again.loops, strict=True):
        assert same_folded(a.folded, b.folded)


def test_an_operation_between_one_step_and_the_next_is_refused():
    def woven(w: Any, xs: Any) -> Any:
        h: Any = 0.0
        for t in range(1, 6):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] + h * w)
            h = mg.sin(h)
        return h

    with pytest.raises(FoldError, match=r"sin \(%\d+\) is computed outside of any step but read"):
        mg.fold(mg.trace(woven, 0.5, np.ones(5)))
