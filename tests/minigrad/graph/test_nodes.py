"""A graph holds what its outputs need, and reads as a program."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.graph import (
    prune,
    replay,
)
from minigrad.testing.strategies import graphs

SEEDS = st.integers(0, 2**32 - 1)


@given(program=graphs(), seed=SEEDS)
def test_pruned_graphs_hold_what_their_outputs_need_and_nothing_else(program, seed):
    graph, k = program.graph, Random(seed).randrange(len(program.graph))
    part = prune(graph.nodes, graph.inputs, [k])
    used = {i for node in part.nodes for i in node.inputs} | {*part.inputs, *part.outputs}
    assert used == set(range(len(part)))
    with np.errstate(all="ignore"):
        (found,) = replay(part, program.values)
        (wanted,) = replay(replace(graph, outputs=(k,)), program.values)
    np.testing.assert_array_equal(found, wanted)


def test_a_text_is_read_as_a_program():
    graph = mg.trace(lambda x, w: mg.tanh(x @ w)[0] * 0.5, np.ones((2, 3)), np.ones((3, 4)))
    assert graph.text().splitlines()[3:] == [
        "  %2 = matmul(%0, %1): float64[2, 4]",
        "  %3 = tanh(%2): float64[2, 4]",
        "  %4 = index(%3, position=(0,)): float64[4]",
        "  %5 = constant 0.5: number",
        "  %6 = multiply(%4, %5): float64[4]",
        "  return %6",
    ]
    assert len(graph.text(4).splitlines()) == 1 + 4 + 1 + 1
