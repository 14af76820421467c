"""A loop taken out of the graph: its roles, and how its outputs are numbered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, SUM
from minigrad.loops.cut import Cut
from minigrad.loops.find import find_loops


def cut(T: int = 5) -> Cut:
    def f(w: Any, xs: Any, h: Any, before: Any, unused: Any) -> Any:
        hs = [before, h]
        for x, t in zip(xs, range(1, T + 1), strict=True):
            with mg.scope("loop", t=t):
                hs.append(mg.tanh(x * w + hs[-2]))
        return hs

    (steps,) = find_loops(mg.trace(f, 0.5, [1.0] * T, 0.0, 0.0, 0.0))
    return Cut(steps)


MULTIPLY, ADD, TANH = range(3)


def test_what_is_wanted_comes_first_and_states_last():
    found = cut()
    assert [found.every(ADD), found.want(SUM, TANH), found.every(ADD)] == [0, 1, 0]
    folded = found.folded()
    assert folded.outputs == (EVERY, SUM, STATE)
    assert folded.inputs == (STATIC, SEQUENCE, STATE)
    assert [r.delay for r in folded.recurrences] == [2]


def test_an_input_that_nothing_reads_is_an_input_of_the_step():
    found = cut()
    found.unused = [found.steps.graph.inputs[-1]]
    assert found.folded().inputs == (STATIC, SEQUENCE, STATE, STATIC)


@pytest.mark.parametrize(
    ("c", "places", "is_carried"),
    [(TANH, range(4, 6), True), (TANH, range(5, 3, -1), True), (TANH, range(5, 6), True),
     (TANH, range(3, 6), False), (TANH, range(1, 6), False), (ADD, range(4, 6), False)],
)  # fmt: skip
def test_the_last_values_are_those_of_the_state(c, places, is_carried):
    """Not if they are those of all steps: then the output of every step has them."""
    assert (cut().carried(c, places) is not None) == is_carried


def test_a_weight_that_is_looked_up_at_every_step_is_static():
    def f(w: Any, xs: Any) -> Any:
        h: Any = 0.0
        for t in range(1, len(xs) + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] * w[0] + h * w[1])
        return h

    (loop,) = mg.embed(mg.trace(f, np.ones(2), np.ones(5))).loops
    assert loop.folded.inputs.count(STATIC) == 1
