"""A nest is chunks of steps, and in each the steps: the same numbers however it is cut."""

from __future__ import annotations

import pytest

import rnn
from minigrad.engines.numpy.program import Program
from minigrad.folded import folded_adjoint
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import lowered, prepared
from tests.minigrad.folding import CELLS, assert_runs, every_cell


@every_cell
@pytest.mark.parametrize("cache", [1, 300, 2000])
def test_a_program_gives_the_same_numbers_in_chunks_of_any_size(name, cache, monkeypatch):
    """Chunks of one step, of some, with a shorter one at the end; forwards and backwards."""
    monkeypatch.setattr("minigrad.engines.numpy.needs.CACHE", cache)
    ready = prepared(CELLS[name].folded(2)).folded
    adjoints = (
        folded_adjoint(CELLS[name].folded(2)),
        folded_adjoint(ready, fixed=ready.with_role("sequence")),
    )
    for folded in (CELLS[name].folded(2, ragged=True), *adjoints[0], *adjoints[1]):
        assert_runs(Program(folded, 7), folded, 7)


def test_the_loop_of_an_lstm_has_one_product_and_one_tanh_for_all_gates():
    source = Program(rnn.LSTMCell(3, 4).folded(2), 5).source
    calls = [line.split("_")[0].strip() for line in source[source.index("in steps:") :].split("\n")]
    assert calls.count("dot") == 1
    assert calls.count("tanh") == 2  # the gates together, and the memory


def test_steps_run_against_the_order_of_time_on_the_way_back():
    """The places of a loop's variables that have one at each step: the last comes first."""
    for folded, turned in zip(lowered(rnn.RNNCell(3, 4).folded(2)), (False, True), strict=True):
        program = Program(folded.folded, 5, LATE)
        (chunks,) = [v for k, v in program.names.items() if k.startswith("chunks")]
        ((*_, steps),) = chunks
        columns = [[view.ctypes.data for view in views] for views in zip(*steps, strict=True)]
        histories = [places for places in columns if len(set(places)) == 5]
        assert histories
        assert all(places == sorted(places, reverse=turned) for places in histories)
