"""Which steps are a loop, and what stands at its ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import FoldError
from minigrad.folded import STATE, same_folded
from minigrad.graph import Graph
from minigrad.loops.embedded import Line, Loop
from rnn.cells import RECURRENCES
from tests.minigrad.learners import Loops


def simple(**change: Any) -> Loops:
    """One layer that has an output at every step."""
    kinds = ("hidden-to-hidden",)
    plain = Loops((1,), (1,), kinds, "zero", "every", "stacked", "inside", apart=False)
    return replace(plain, **change)


def spans(graph: Graph) -> list[tuple[int, int]]:
    """The first and the last step of every loop."""
    return [(loop.first, loop.first + loop.T - 1) for loop in mg.embed(graph).loops]


@pytest.mark.parametrize("kinds", [["hidden-to-hidden"], RECURRENCES], ids=len)
def test_a_loop_of_both_directions_reads_its_sequences_in_one_order(kinds):
    """Unfolded, one direction comes after the other: the operations of a step change places."""
    program = simple(kinds=tuple(kinds), ways=(1, -1), start="given", reader="all but the first")
    found = mg.embed(program(12))
    again = mg.embed(found.unfolded())
    assert same_folded(found.loops[0].folded, again.loops[0].folded)


def test_a_first_step_without_a_start_value_is_operations_before_the_loop():
    found = mg.embed(simple(start="absent", given="list")(9))
    before = [found.graph.nodes[line.node].t for line in found.lines if isinstance(line, Line)]
    assert spans(found.graph) == [(2, 9)]
    assert before == [1, 1, 1, None]


def test_both_ends_of_two_directions_are_outside_of_the_loop():
    assert spans(simple(start="absent", ways=(1, -1), delays=(2,))(9)) == [(3, 7)]


def test_an_output_of_the_last_step_is_no_part_of_the_loop():
    found = mg.embed(simple(outputs="last", reader="the last")(9))
    *_, loop, readout, _ = found.lines
    assert isinstance(loop, Loop)
    assert (loop.first, loop.T, loop.folded.outputs) == (1, 9, (STATE,))
    assert isinstance(readout, Line)
    assert found.graph.nodes[readout.node].t == 9


def test_inputs_first_and_outputs_then_are_two_loops():
    found = mg.embed(simple(outputs="after")(9))
    assert spans(found.graph) == [(1, 3), (4, 9)]
    state = found.loops[1].given[-1][0]
    assert found.loops[0].folded.outputs[state.output] == STATE  # the state that it left


def test_a_network_that_goes_on_by_itself_is_two_loops():
    """What was said to it first, then what it says: its output is its next input."""

    def f(w: Any, xs: Any) -> Any:
        h, ys, y = 0.0, [], None
        for t in range(1, 9):
            with mg.scope("rnn", t=t):
                h = mg.tanh((xs[t - 1] if t <= 3 else y) + h * w)
                ys.append(y := h * 2.0)
        return mg.stack(ys)

    assert spans(mg.trace(f, 0.5, np.ones(3))) == [(1, 3), (4, 8)]


# --- what is no loop ----------------------------------------------------------------------------


def changing(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 9):
        with mg.scope("rnn", t=t):
            h = (mg.relu if t == 4 else mg.tanh)(xs[t - 1] + h * w)
    return h


def restless(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 3):
        with mg.scope("rnn", t=t):
            h = (mg.relu if t == 2 else mg.tanh)(xs[t - 1] + h * w)
    return h


def now_and_then(w: Any, xs: Any) -> Any:
    h, ys = 0.0, []
    for t in range(1, 16):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
            if t % 4 == 0:
                ys.append(h * 2.0)
    return ys


def nameless(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 6):
        with mg.scope(f"step {t}", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
    return h


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (changing, r"steps differ at t = 4: tanh\[\] became relu\[\]"),
        (now_and_then, "steps differ at t = 4: 4 operations instead of 3"),
        (nameless, "every step has a scope of its own; give all steps of a loop one"),
        (restless, r"steps differ at t = 2: tanh\[\] became relu\[\], and no two steps in a row"),
    ],
)
def test_steps_that_are_no_loop_are_refused(program, told):
    with pytest.raises(FoldError, match=told):
        mg.fold(mg.trace(program, 0.5, np.ones(20)))
