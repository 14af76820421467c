"""What is known of the nodes of a step is so: held against NumPy, and against a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.folded import EVERY, STATIC, run_folded
from minigrad.lower.nodes import (
    carriers,
    column_span,
    front_span,
    looped_nodes,
    static_nodes,
)
from tests.minigrad.folding import CELLS, every_cell, example, loop

SLICES = st.slices(5).filter(lambda s: s.step in (None, 1))
ITEMS = st.integers(-5, 4) | SLICES | st.just(Ellipsis) | st.slices(5)


@given(position=st.lists(ITEMS, min_size=1, max_size=2).filter(lambda p: p.count(...) < 2))
def test_a_span_is_what_the_index_takes(position: Any):
    """Entries low … high − 1 of the first axis, or of the last, where it says so."""
    x = np.arange(25.0).reshape(5, 5)
    graph = mg.trace(lambda x: x[tuple(position)], x)
    (k,) = graph.outputs
    taken = x[tuple(position)]
    if graph.nodes[k].op != "index":
        return
    if (span := front_span(graph.nodes, k)) is not None:
        np.testing.assert_array_equal(taken.reshape(-1), x[span[1] : span[2]].reshape(-1))
    if (span := column_span(graph.nodes, k)) is not None:
        np.testing.assert_array_equal(taken, x[:, span[1] : span[2]])


@pytest.mark.parametrize(
    ("position", "front", "columns"),
    [
        ((slice(1, 3),), (1, 3), None),
        ((-1,), (4, 5), None),
        ((slice(None), slice(-2, None)), None, (3, 5)),
        ((..., slice(0, 2)), None, (0, 2)),
        ((slice(None, None, 2),), None, None),
        ((slice(None), slice(None, None, -1)), None, None),
        ((0, slice(0, 2)), None, None),
        ((np.array([0, 1]),), None, None),
    ],
)
def test_spans_of_the_entries_and_columns_that_are_read(position, front, columns):
    nodes = mg.trace(lambda x: x[position], np.ones((5, 5))).nodes
    assert front_span(nodes, 1) == (front and (0, *front))
    assert column_span(nodes, 1) == (columns and (0, *columns))


@every_cell
def test_static_nodes_have_one_value_whatever_the_sequences_are(name):
    folded = CELLS[name].folded(2)
    static, n = static_nodes(folded), len(folded.step)
    assert not static & (looped_nodes(folded) | carriers(folded))
    shown = replace(
        folded,
        step=replace(folded.step, outputs=(*range(n), *folded.step.outputs)),
        outputs=(*[EVERY] * n, *folded.outputs),
        recurrences=tuple(replace(r, output=n + r.output) for r in folded.recurrences),
    )
    runs = []
    for seed in (0, 1):
        drawn, fixed = example(folded, 2, seed)[1], example(folded, 2, 2)[1]
        given = [fixed[k] if role == STATIC else drawn[k] for k, role in enumerate(folded.inputs)]
        runs.append(run_folded(shown, 2, given)[0][:n])
    first, second = runs
    moving = {k for k in range(n) if not np.array_equal(first[k], second[k])}
    still = {k for k in range(n) if np.array_equal(first[k][0], first[k][1])}
    assert not moving & static
    assert static <= still
    assert moving >= {k for k, node in enumerate(folded.step.nodes) if node.op == "tanh"} - static


def test_what_is_static_and_what_is_in_the_loop_of_a_cell():
    folded = loop(lambda p, x, h: mg.tanh(mg.sin(x) + h @ (p[0] * 2.0)), (4, 4), x=(2, 4))
    nodes = folded.step.nodes
    static, looped = static_nodes(folded), looped_nodes(folded)
    assert {nodes[k].op for k in static} == {"input", "constant", "multiply"}
    assert {nodes[k].op for k in looped} == {"input", "matmul", "add", "tanh"}
    assert {nodes[k].op for k in carriers(folded)} == {"tanh"}
