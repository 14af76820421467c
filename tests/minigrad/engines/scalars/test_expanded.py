"""Instructions on single numbers compute what the engine computes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.engines.scalars import Place, expanded
from tests.minigrad.engines.scalars.programs import REFUSED, RUNS, agree, of_cell, of_operation


@pytest.mark.parametrize("name", RUNS)
@settings(max_examples=20)  # of each of sixty operations
@given(random=st.randoms(use_true_random=False))
def test_every_operation_and_its_derivatives_can_be_told_in_single_numbers(name, random):
    graph, points = of_operation(name, random)
    agree(expanded(graph).evaluate(*points), graph(*points))


@pytest.mark.parametrize("name", REFUSED)
def test_what_decides_by_order_or_is_lapacks_is_refused_by_name(name):
    graph, _ = of_operation(name, Random(0))
    with pytest.raises(ValueError, match=f"^expanded: {name} cannot be told in .*{REFUSED[name]}"):
        expanded(graph)


@pytest.mark.parametrize("cell", [
    rnn.RNNCell(2, 3, 2), rnn.GRUCell(2, 3), rnn.LSTMCell(2, 3),
    rnn.Stack([rnn.GRUCell(2, 3), rnn.Dense(3, 2)]), rnn.Bidirectional(rnn.LSTMCell(2, 2)),
], ids=lambda cell: cell.label)  # fmt: skip
def test_a_cell_with_its_backpropagation_through_time(cell):
    graph, given = of_cell(cell, 3, 0)
    agree(expanded(graph).evaluate(*given), graph(*given))


def test_an_instruction_is_written_once_and_constants_not_at_all():
    def f(x: Any) -> Any:
        y = x * x + 2.0 * mg.exp(np.zeros(2))
        return y + mg.named("z", (x * x)[::-1]), mg.stack([x, x * 1.0 + 0.0])

    sheet = expanded(mg.trace(f, np.ones(2)))
    assert [line.op for line in sheet.lines].count("×") == 2
    assert sorted(line.value for line in sheet.lines if line.op == "constant") == [2.0]
    assert np.array_equal(sheet.outputs[1], [sheet.inputs[0]] * 2)


def test_lines_have_the_names_of_the_graph():
    graph, _ = of_cell(rnn.LSTMCell(1, 2), 2, 0)
    sheet = expanded(graph)
    found = {place: k for k, places in sheet.places.items() for place in places}
    assert sheet.lines[found[Place("LSTMCell", 2, "C", (1, 0))]].op == "+"
    assert sheet.lines[found[Place("", None, "W_xf", (0, 1))]].op == "input"


def test_what_nobody_reads_has_no_line():
    graph = mg.trace(lambda x: (mg.exp(x) * x, mg.cumsum(x)[1]), np.ones(3))
    sheet = expanded(graph)
    read = {i for line in sheet.lines for i in line.operands}
    read |= {int(k) for place in sheet.outputs for k in place.reshape(-1)}
    assert all(k in read for k, line in enumerate(sheet.lines) if line.op != "input")


def test_class_indices_are_fixed():
    cell, indices = rnn.RNNCell(3, 2), np.array([[0], [2], [2]])
    loss = lambda p, xs: mg.sum(rnn.run(cell, p, xs, unfolded=True)[0] ** 2)
    graph = mg.trace(lambda p, xs: mg.value_and_grad(loss)(p, xs), cell.init(0), indices)
    params = cell.init(1)
    last = len(graph.inputs) - 1
    with pytest.raises(ValueError, match=r"input 4 is int64\[3, 1\]; .* give class indices"):
        expanded(graph)
    sheet = expanded(graph, {last: indices})
    agree(sheet.evaluate(params, indices), graph(params, indices))
    assert sheet.inputs[last] is None


def test_what_cannot_be_told_is_refused_by_name_and_step():
    def f(x: Any) -> Any:
        with mg.scope("cell", t=3):
            return mg.astype(x, "float32")

    with pytest.raises(ValueError, match="astype at step t = 3 cannot be told in single numbers: "
                                         "numbers are of double precision here, not float32"):
        expanded(mg.trace(f, np.ones(2)))
    with pytest.raises(ValueError, match=r"input 1 is float32\[2\]; single numbers are float64"):
        expanded(mg.trace(mg.tanh, np.ones(2, np.float32)))
    graph = mg.trace(lambda x: rnn.run(Leaky(2, 2), {}, x)[0], np.ones((3, 1, 2)))
    with pytest.raises(ValueError, match="scan runs a graph of its own: unfold it"):
        expanded(graph)


@dataclass(frozen=True)
class Leaky(rnn.Cell):
    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self) -> dict[str, Any]:
        return {}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        h = mg.named("h", 0.5 * h + x)
        return h, h
