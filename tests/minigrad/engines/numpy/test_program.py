"""A program gives the numbers of its graph, in calls that do not grow with the sequence."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.engines.numpy.program import Program
from minigrad.folded import folded_adjoint
from minigrad.lower.passes import PASSES
from minigrad.lower.pipeline import prepared
from tests.minigrad.folding import CELLS, assert_runs, every_cell, example


@every_cell
@pytest.mark.parametrize("left_out", [None, *PASSES], ids=lambda p: p.name if p else "all")
def test_a_program_gives_the_numbers_of_the_graph_with_each_pass_left_out(name, left_out):
    passes = [p for p in PASSES if p is not left_out]
    adjoint = folded_adjoint(CELLS[name].folded(2))
    ready = folded_adjoint(prepared(CELLS[name].folded(2)).folded)
    for folded in (CELLS[name].folded(2), *adjoint, *ready):
        for T in (1, 5):
            assert_runs(Program(folded, T, passes), folded, T)


def test_a_program_needs_no_pass_but_one():
    folded = rnn.LSTMCell(3, 4).folded(2)
    assert_runs(Program(folded, 4, [PASSES[-1]]), folded, 4)


def test_build_time_does_not_grow_with_the_number_of_steps():
    cell = rnn.LSTMCell(3, 4)
    short, long = (Program(cell.folded(2), T).source for T in (50, 5000))
    assert len(long.splitlines()) == len(short.splitlines())


def test_results_of_a_call_are_the_callers_those_of_run_are_its_buffers():
    folded = rnn.RNNCell(3, 4).folded(2)
    program, given = Program(folded, 5), [example(folded, 5, seed)[0] for seed in (0, 1)]
    (ys,), _ = program(*given[0])
    buffer, _ = program.run(*given[1])
    assert not np.array_equal(ys, buffer)
    again, _ = program.run(*given[0])
    assert again is program.results[0] is buffer
    np.testing.assert_array_equal(ys, again)


def test_inputs_that_are_known_are_left_out_and_read_anew_at_every_call():
    folded = rnn.RNNCell(3, 4).folded(2)
    arrays, _ = example(folded, 5, 0)
    program = Program(folded, 5, known={0: arrays[0]})
    for factor in (1.0, 2.0):
        arrays[0] *= factor
        (found,), _ = program(*arrays[1:])
        (wanted,), _ = Program(folded, 5)(*arrays)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("way", ["program", "compiled"])
def test_the_buffers_of_a_program_that_is_gone_need_no_collector(way):
    """Else they wait for it outside of every bound, as garbage that goes in circles."""
    cell = rnn.RNNCell(3, 4)
    inputs = [*cell.init(0).values(), np.ones((5, 2, 3)), np.zeros((2, 4))]
    gc.disable()
    try:
        if way == "program":
            run = Program(cell.folded(2), 5).run
        else:
            run = mg.compile(lambda *xs: mg.scan(cell.folded(2), 5, *xs), reuse=True)
        y = run(*inputs)[0]
        buffer = weakref.ref(y if y.base is None else y.base)
        del run, y
        assert buffer() is None
    finally:
        gc.enable()
