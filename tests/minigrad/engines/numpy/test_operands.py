"""An operand is the value it stands for: at its step, in its chunk, or all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.engines.numpy.instructions import Constant, Given, View
from minigrad.engines.numpy.needs import CHUNK, RING, WHOLE
from minigrad.engines.numpy.program import Program
from minigrad.engines.numpy.source import Variables
from minigrad.folded import Folded, Recurrence
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import lowered
from tests.minigrad.folding import CELLS, assert_runs, every_cell, loop
from tests.rnn.runs import assert_close


def place(array: Any) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    return array.ctypes.data, array.shape, array.strides


@every_cell
@pytest.mark.parametrize("turn", [1, -1])
def test_the_variable_of_a_step_is_the_place_of_its_value(name, turn, monkeypatch):
    """The history at t, the t-th row of its chunk, or one of two places in turn."""
    monkeypatch.setattr("minigrad.engines.numpy.needs.CACHE", 600)
    for each in lowered(CELLS[name].folded(2)):
        program = Program(each.folded, 5, LATE)
        values = {k: v for k, v in program.storage.values.items()
                  if v.array is not None and v.level in (WHOLE, CHUNK, RING)}  # fmt: skip
        lo, hi = 2, 3 if any(v.level == CHUNK and len(v.array) < 2 for v in values.values()) else 4
        variables = Variables(program.storage.buffers, 5, by_step=True)
        for k in values:
            variables.of(program.operands.moving(k))
        steps = variables.steps(lo, hi, turn)
        assert len(steps) == hi - lo
        for n, views in enumerate(steps):
            t = lo + n if turn > 0 else hi - 1 - n
            for value, view in zip(values.values(), views, strict=True):
                row = t % len(value.array)
                at = {WHOLE: t, CHUNK: row, RING: (t + value.turn) % 2}[value.level]
                assert place(view) == place(value.array[at, ...])


def test_the_variable_of_a_chunk_is_its_rows():
    program = Program(loop(lambda p, x, h: mg.tanh(x + h), x=(2, 4)), 6, LATE)
    rows = Variables(program.storage.buffers, 6, by_step=False)
    (k,) = [k for k, v in program.storage.values.items()
            if v.level == WHOLE and program.nodes[k].op == "tanh"]  # fmt: skip
    assert rows.of(program.operands.moving(k)) == f"v{k}"
    (whole,) = rows.views(2, 5)
    assert place(whole) == place(program.storage.values[k].array[2:5])
    assert rows.pattern() == f"(v{k},)"


def test_a_value_that_is_only_known_at_the_call_is_cut_there():
    program = Program(loop(lambda p, x, h: mg.tanh(x + h), x=(2, 4)), 6, LATE)
    (x,) = [k for k, v in program.storage.values.items() if v.name == "x0"]
    assert program.operands.moving(x) == Given("x0", moves=True)
    assert program.operands.of(x) == Given("x0")
    assert "= x0[lo:hi]" in program.source or "x0_t in zip(steps, x0[lo:hi])" in program.source


@pytest.mark.parametrize("x", [(4,), (1, 4), (2, 4)])
def test_operands_of_other_ranks_meet_behind_the_axis_of_steps(x):
    """A row for each step, broadcast over the batch: time stays in front."""
    folded = loop(lambda p, x, h: mg.exp(mg.sin(x) + p[0]) + h, (2, 4), x=x)
    assert_runs(Program(folded, 3, LATE), folded, 3)
    two = loop(lambda p, x, h: mg.sum(mg.sin(x) * mg.stack([x, x]), 0) + h, x=(2, 4))
    assert_runs(Program(two, 3, LATE), two, 3)


def test_matrices_of_all_steps_meet_piles_of_them():
    """Once for the sequence as it is given, and for what was computed of it."""
    for f in (lambda x: x, lambda x: mg.cumsum(x, 0)):
        step = lambda p, x, h, f=f: mg.sum(mg.matmul(mg.stack([x, x * 2.0]), f(x)), 0) + h
        folded = loop(step, x=(4, 4), h=(4, 4))
        assert_runs(Program(folded, 3, LATE), folded, 3)


def test_a_value_has_one_operand_and_a_weak_number_the_precision_of_its_reader():
    folded = loop(lambda p, x, h: mg.tanh(h * 0.5 + p[0]), (4,), dtype=np.float32)
    program = Program(folded, 3, LATE)
    operands, nodes = program.operands, program.nodes
    (k,) = [k for k, node in enumerate(nodes) if node.op == "multiply"]
    (half,) = [i for i in nodes[k].inputs if nodes[i].op == "constant"]
    weak = operands.operand(k, half)
    assert isinstance(weak, Constant)
    assert (weak.value, weak.value.dtype) == (0.5, np.float32)
    kept = [i for i, v in program.storage.values.items() if v.array is not None]
    assert all(operands.of(i) is operands.of(i) for i in kept)
    for i in kept:
        view = operands.of(i)
        if isinstance(view, View):
            array = program.storage.values[i].array
            assert place(program.storage.buffers.array(view)) == place(array)


@pytest.mark.parametrize("T", [0, 1, 4])
def test_two_values_of_one_label_are_two_values(T):
    """x and dL/dy, both rows of a swapped batch, each copied: dL/dW is xᵀ(dL/dy)."""
    turned = lambda x: mg.transpose(x, (1, 0, 2))
    dense, xs = rnn.Dense(3, 3), np.random.default_rng(0).normal(size=(2, T, 3))
    stack = rnn.Stack([rnn.RNNCell(3, 4), rnn.Dense(4, 2)])
    for cell in (dense, stack):
        swapped = lambda p, xs, c=cell: turned(rnn.run(c, p, turned(mg.tanh(xs)))[0])
        f = mg.value_and_grad(lambda p, xs, run=swapped: mg.sum(mg.square(run(p, xs))))
        assert_close(mg.compile(f)(cell.init(0), xs), f(cell.init(0), xs), 999)


@pytest.mark.parametrize("T", [0, 1, 3])
def test_constants_that_are_emitted_keep_their_values(T):
    """Of one operation, whatever their shapes."""
    step = lambda a, b, x, h: (np.full(2, 1.0), np.full(2, 2.0), mg.tanh(a), mg.tanh(b), x + h)
    two, three = np.ones(2), np.ones(3)
    folded = Folded(
        mg.trace(step, two, three, two, two), ("static", "static", "sequence", "state"),
        (*["every"] * 4, "state"), (Recurrence(4, 3, 1, "h"),),
    )  # fmt: skip
    found, _ = Program(folded, T, LATE)(two, 2.0 * three, np.ones((T, 2)), two)
    wanted = (np.full(2, 1.0), np.full(2, 2.0), np.tanh(two), np.tanh(2.0 * three))
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(x, np.broadcast_to(y, (T, *y.shape)), strict=True)
