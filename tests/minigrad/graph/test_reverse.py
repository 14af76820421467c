"""The adjoint of a graph is a pair of graphs, run one after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.graph import graph_adjoint, replay
from minigrad.testing.strategies import graphs


@given(program=graphs(), seed=st.integers(0, 2**32 - 1))
def test_the_pair_gives_what_the_vector_jacobian_product_gives(program, seed):
    """To the bit: the same rules on the same numbers, only written down in between."""
    graph, values = program.graph, [np.asarray(x) for x in program.values]
    pair = graph_adjoint(graph)
    with np.errstate(all="ignore"):
        wanted, pull = mg.vjp(lambda *xs: replay(graph, xs), *values)
        rng = np.random.default_rng(seed)
        seeds = [rng.normal(size=np.shape(y)) for y in wanted]
        results = replay(pair.forward, values)
        n = len(graph.outputs)
        found = replay(pair.backward, [*results[n:], *(seeds[k] for k in pair.seeded)])
        cotangents = pull(seeds)
    for a, b in zip(results[:n], wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    for k, g in zip(pair.wrt, found, strict=True):
        np.testing.assert_array_equal(g, cotangents[k])


def test_residuals_are_what_backward_reads_and_no_more():
    graph = mg.trace(lambda x, w: mg.tanh(x @ w) + mg.exp(x) @ w, np.ones((2, 3)), np.ones((3, 3)))
    pair = graph_adjoint(graph)
    ops = [graph.nodes[k].op for k in pair.residuals]
    assert sorted(ops) == ["exp", "input", "input", "tanh"]


def test_silent_outputs_get_no_cotangent_and_fixed_inputs_give_none():
    graph = mg.trace(lambda x, y: (x * y, mg.sin(x)), np.ones(2), np.ones(2))
    pair = graph_adjoint(graph, silent=[1], fixed=[1])
    assert (pair.wrt, pair.seeded) == ((0,), (0,))
    assert "cos" not in {node.op for node in pair.backward.nodes}
