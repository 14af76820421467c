"""Steps laid over each other: where every operand comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.folded import SEQUENCE, STATE, STATIC
from minigrad.loops.steps import INNER, Steps
from minigrad.loops.tags import tagged


def steps_of(body: Callable[[Any, Any, list[Any], int], Any], T: int = 5) -> Steps:
    """The steps 1 … T of a loop; its body is given w, x, the values so far and t."""

    def f(w: Any, xs: Any, h: Any, before: Any) -> Any:
        hs = [before, h]
        for t in range(1, T + 1):
            with mg.scope("loop", t=t):
                hs.append(body(w, xs[t - 1], hs, t))
        return hs

    graph = mg.trace(f, 0.5, [1.0] * T, 0.0, 0.0)
    (steps,) = tagged(graph)
    return Steps(graph, 1, [steps[t] for t in range(1, T + 1)])


BODIES: dict[str, tuple[Callable[[Any, Any, list[Any], int], Any], tuple[str, int]]] = {
    "a weight": (lambda w, x, hs, t: mg.tanh(w), (STATIC, 0)),
    "a sequence": (lambda w, x, hs, t: mg.tanh(x), (SEQUENCE, 0)),
    "the step before": (lambda w, x, hs, t: mg.tanh(hs[-1]), (STATE, 1)),
    "two steps before": (lambda w, x, hs, t: mg.tanh(hs[-2]), (STATE, 2)),
    "the same step": (lambda w, x, hs, t: mg.tanh(mg.sin(x)), (INNER, 0)),
    "one number": (lambda w, x, hs, t: mg.multiply(w, 2.0 * np.ones(1)), (STATIC, 0)),
}


@pytest.mark.parametrize("name", BODIES)
def test_an_operand_comes_from_one_place(name):
    body, found = BODIES[name]
    steps = steps_of(body)
    *_, source = steps.ports.values()
    assert (source.role, source.delay) == found
    assert steps.cuts == {}


def test_steps_are_cut_where_an_operand_comes_from_somewhere_else():
    steps = steps_of(lambda w, x, hs, t: mg.tanh(hs[2] if t == 4 else hs[-1]))
    assert steps.cuts == {
        3: "an operand of tanh comes from 3 steps before, until then from 1 step before",
        4: "an operand of tanh comes from 1 step before, until then from 3 steps before",
    }
    steps = steps_of(lambda w, x, hs, t: mg.tanh(x if t < 3 else hs[-1]))
    assert steps.cuts == {
        2: "an operand of tanh comes from 1 step before, until then from outside of the loop"
    }
