"""An unfolded graph has one copy of the step for each time, joined by what were delayed edges."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad.folded import (
    EVERY,
    SEQUENCE,
    STATE,
    STATIC,
    Folded,
    Recurrence,
)
from minigrad.graph import Graph
from tests.minigrad.cells import FOLDED, everything


def test_unfolding_no_steps_passes_the_start_values_on():
    graph = mg.unfold(FOLDED["delays 1 and 3"], 0)
    names = [graph.nodes[i].name for i in graph.outputs]
    assert names == ["h", "g", "g", "g"]
    assert set(graph.outputs) <= set(graph.inputs)


def test_unfolding_one_step_is_the_step():
    folded = FOLDED["LSTM"]
    assert mg.isomorphic(mg.unfold(folded, 1), folded.step)


@everything
def test_the_unfolded_graph_has_one_copy_of_the_parameters_and_T_of_the_rest(name):
    folded = FOLDED[name]
    once = len(folded.with_role(STATIC))
    sizes = [len(mg.unfold(folded, T)) for T in (4, 5, 6)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0]
    assert sizes[1] - sizes[0] <= len(folded.step) - once


def test_a_delayed_edge_joins_the_steps_it_names():
    """h at t reads h at t − 2: a chain of even steps, a chain of odd ones."""
    folded = FOLDED["delay 2"]
    graph = mg.unfold(folded, 5)
    value = {node.t: k for k, node in enumerate(graph.nodes) if node.op == "tanh"}
    behind = {t: reach(graph, k) for t, k in value.items()}
    assert {t: sorted(s for s in value if value[s] in behind[t]) for t in value} == {
        1: [1], 2: [2], 3: [1, 3], 4: [2, 4], 5: [1, 3, 5],
    }  # fmt: skip


def reach(graph: Graph, k: int) -> set[int]:
    """The node and all it is made from."""
    found = {k}
    for j in range(k, -1, -1):
        if j in found:
            found.update(graph.nodes[j].inputs)
    return found


def test_unfolding_ten_thousand_steps_works_and_runs():
    """A running sum: h = h + x. The last state is the sum, the graph 10,000 steps deep."""
    step = mg.trace(lambda x, h: (h + x,) * 2, np.ones(()), np.ones(()))
    folded = Folded(step, (SEQUENCE, STATE), (EVERY, STATE), (Recurrence(1, 1, 1, "h"),))
    T = 10_000
    graph = mg.unfold(folded, T)
    assert len(graph) == 2 * T + 1
    ys, (end,) = graph(list(np.arange(1.0, T + 1)), [np.zeros(())])
    assert end == ys[-1] == T * (T + 1) / 2
    backward = mg.adjoint(graph).backward
    assert len(backward.outputs) == T + 1
