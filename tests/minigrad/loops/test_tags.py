"""Which tagged operations are one loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.graph import Graph
from minigrad.loops.tags import tagged
from tests.minigrad.learners import Loops


def groups(graph: Graph) -> list[dict[int, list[str]]]:
    """The operations of every step, loop by loop."""
    return [{t: [graph.nodes[k].op for k in row] for t, row in steps.items()}
            for steps in tagged(graph)]  # fmt: skip


@pytest.mark.parametrize("ways", [(1,), (1, -1)])
def test_layers_and_directions_with_scopes_of_their_own_are_one_loop(ways):
    kinds = ("hidden-to-hidden",)
    program = Loops((1, 1), ways, kinds, "zero", "every", "stacked", "inside", apart=True)
    (steps,) = groups(program(5))
    assert sorted(steps) == [1, 2, 3, 4, 5]
    assert steps[3].count("tanh") == 2 * len(ways)


def test_loops_over_different_steps_are_loops_of_their_own():
    def f(w: Any, xs: Any, ys: Any) -> Any:
        hs, found = [], []
        for t in range(1, 4):
            with mg.scope("one", t=t):
                hs.append(mg.tanh(xs[t - 1] * w))
        seen = mg.stack(hs)
        for t in range(1, 5):
            with mg.scope("other", t=t):
                found.append(mg.sum(seen * ys[t - 1]))
        return found

    one, other = groups(mg.trace(f, 0.5, np.ones(3), np.ones(4)))
    assert one == {t: ["multiply", "tanh"] for t in (1, 2, 3)}
    assert other == {t: ["multiply", "sum"] for t in (1, 2, 3, 4)}


def test_what_is_read_of_another_place_at_every_step_is_no_operation_of_the_step():
    def f(w: Any, xs: Any) -> Any:
        found = []
        for t in range(1, 4):
            with mg.scope("loop", t=t):
                found.append(xs[t - 1] * w[0])
        return found

    (steps,) = groups(mg.trace(f, np.ones(2), np.ones(3)))
    assert steps == {t: ["index", "multiply"] for t in (1, 2, 3)}
