"""Two graphs are the same program however they are numbered, and told apart where they differ."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.graph import (
    Graph,
    canonical,
    difference,
    isomorphic,
    prune,
    replay,
)
from minigrad.testing.strategies import graphs

SEEDS = st.integers(0, 2**32 - 1)


def shuffled(graph: Graph, seed: int) -> Graph:
    """The same program in another order of its lines, and without names."""
    random, left, order = Random(seed), set(range(len(graph))), list[int]()
    while left:
        free = [k for k in sorted(left) if left.isdisjoint(graph.nodes[k].inputs)]
        order.append(random.choice(free))
        left.remove(order[-1])
    place = {k: n for n, k in enumerate(order)}
    nodes = [replace(graph.nodes[k], inputs=tuple(place[i] for i in graph.nodes[k].inputs),
                     name=None, scope="", t=None) for k in order]  # fmt: skip
    return prune(nodes, [place[i] for i in graph.inputs], [place[i] for i in graph.outputs])


@given(program=graphs(), seed=SEEDS)
def test_a_graph_in_another_order_is_the_same_program(program, seed):
    graph = program.graph
    other = shuffled(graph, seed)
    assert isomorphic(graph, other)
    table: dict[Any, int] = {}
    a, b = canonical(graph, table), canonical(other, table)
    assert [a[i] for i in graph.outputs] == [b[i] for i in other.outputs]
    with np.errstate(all="ignore"):
        for x, y in zip(replay(graph, program.values), replay(other, program.values), strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(
    ("f", "g", "said"),
    [
        (lambda x, y: x * y, lambda x, y: y * x, "shared differently"),
        (lambda x, y: mg.exp(x) * mg.exp(x), lambda x, y: (z := mg.exp(x)) * z, "shared"),
        (lambda x, y: mg.sin(x), lambda x, y: mg.cos(x), r"sin\[2\] became %2 = cos\[2\]"),
        (lambda x, y: x * 2.0, lambda x, y: x * 3.0, "multiply reads is 2.0, then 3.0"),
        (lambda x, y: x[0], lambda x, y: x[1], "index"),
        (lambda x, y: x * 2.0, lambda x, y: x * np.float64(2.0), "constant"),
        (lambda x, y: x, lambda x, y: (x, y), "1 and 2 outputs"),
    ],
)
def test_programs_that_differ_are_told_apart_and_where(f, g, said):
    a, b = (mg.trace(each, np.ones(2), np.ones(2)) for each in (f, g))
    assert difference(a, a) is None
    with pytest.raises(AssertionError, match=said):
        assert difference(a, b) is None, difference(a, b)


def test_sums_are_the_same_expression_in_any_order_products_are_not():
    sums = [lambda x, y: (x + y) + mg.sin(x), lambda x, y: mg.sin(x) + (y + x)]
    products = [lambda x, y: x * y, lambda x, y: y * x]
    for pair, alike in ((sums, True), (products, False)):
        table: dict[Any, int] = {}
        made = [mg.trace(f, np.ones(2), np.ones(2)) for f in pair]
        a, b = ([canonical(g, table)[i] for i in g.outputs] for g in made)
        assert (a == b) == alike
