"""A network in a file of ONNX: each loop one `Scan`, the numbers those of the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings

import minigrad as mg
import rnn
from minigrad.engines.onnx.model import written
from minigrad.tree import tree_map
from rnn.testing.problem import Problem, problem
from rnn.testing.strategies import recurrent_networks
from tests.minigrad.engines.onnx.test_functions import assert_same, by_onnxruntime
from tests.minigrad.engines.xla.test_loops import CELLS


def run(q: Problem, lengths: Any = None) -> Any:
    """A network in single precision, as a function and what it is given."""
    single = tree_map(lambda x: np.asarray(x, np.float32), (q.params, q.xs, q.start))
    return lambda p, xs, start: rnn.run(q.cell, p, xs, start, lengths), *single


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_loop_runs_with_ragged_batches(cell: str):
    for found, wanted in by_onnxruntime(*run(problem(CELLS[cell], 5, 3, 7), np.array([5, 0, 3]))):
        assert_same(found, wanted)


@settings(max_examples=15, deadline=None)
@given(q=recurrent_networks())
def test_random_networks_run(q: Problem):
    for found, wanted in by_onnxruntime(*run(q)):
        assert_same(found, wanted)


def test_a_training_step_runs_too():
    f, p, xs, start = run(problem(rnn.LSTMCell(3, 2), 4, 2, 1))

    def step(p: Any, xs: Any) -> Any:
        loss, grads = mg.value_and_grad(lambda p: mg.sum(mg.square(f(p, xs, start)[0])))(p)
        return loss, tree_map(lambda w, g: w - 0.125 * g, p, grads)

    for found, wanted in by_onnxruntime(step, p, xs):
        assert_same(found, wanted)


def test_complex_numbers_are_refused():
    with pytest.raises(TypeError, match=r"^export: .* of complex numbers is not written as ONNX"):
        by_onnxruntime(lambda x: x * x, np.ones(2, complex))


def scans(graph: Any) -> list[Any]:
    return [node for node in graph.node if node.op_type == "Scan"]


def test_a_loop_is_one_scan_and_the_file_does_not_grow_with_the_sequence():
    cell, sizes = rnn.Bidirectional(rnn.GRUCell(3, 4)), set()
    p = cell.init(0, np.float32)
    for T in (5, 50):
        graph = mg.trace(lambda xs: rnn.run(cell, p, xs)[0], np.ones((T, 2, 3), np.float32))
        model = onnx.load_from_string(written(graph, ["xs"], ["ys"]))
        sizes.add(len(model.graph.node))
        ways = [list(a.ints) for node in scans(model.graph) for a in node.attribute
                if a.name == "scan_output_directions"]  # fmt: skip
        assert sorted(way[0] for way in ways) == [0, 1]
    assert len(sizes) == 1
