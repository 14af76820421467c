"""A buffer is used again when nobody reads it any more, and never before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnn
from minigrad.engines.numpy.buffers import Buffers
from minigrad.engines.numpy.calls import on_all_steps, once
from minigrad.engines.numpy.instructions import Constant, Copy
from minigrad.engines.numpy.needs import RING, WHOLE
from minigrad.engines.numpy.nests import in_steps
from minigrad.engines.numpy.operands import Operands
from minigrad.engines.numpy.program import Program
from minigrad.engines.numpy.storage import Storage
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import lowered
from tests.minigrad.folding import CELLS, assert_runs

DEEP = CELLS | {"three alike": rnn.Stack([rnn.LSTMCell(4, 4)] * 3)}
"""The last has values of one shape, whose buffers are used again by others."""


@pytest.fixture
def poison(monkeypatch: Any) -> list[Any]:
    """What is freed after a block is NaN from then on, as is what was never written; the freed."""
    freed: list[Any] = []
    new, release = Buffers.new, Storage._release

    def filled(self: Any, shape: Any, dtype: Any) -> Any:
        array = new(self, shape, dtype)
        if array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    def noted(self: Any, at: int) -> None:
        dead = [x for x in self._ends.get(at, ()) if x.dtype.kind == "f"]
        freed.extend(dead)
        self.__dict__.setdefault("dead", {}).setdefault(at, []).extend(dead)
        release(self, at)

    def after(block: Any, of: Operands) -> list[Copy]:
        dead = of.storage.dead[of.storage.needs.order.index(block)]
        if isinstance(block, int):  # where it writes what it read there
            dead = [x for x in dead if not np.may_share_memory(x, of.storage.values[block].array)]
        return [Copy(Constant(np.nan, "nan"), of.place(x, "dead")) for x in dead]

    monkeypatch.setattr(Buffers, "new", filled)
    monkeypatch.setattr(Storage, "_release", noted)
    for made in (once, on_all_steps, in_steps):
        monkeypatch.setattr(f"minigrad.engines.numpy.program.{made.__name__}", (
            lambda of, block, made=made: made(of, block) + after(block, of)))  # fmt: skip
    return freed


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("cache", [1, 1 << 19])
def test_nothing_is_read_that_is_dead_or_was_never_written(name, cache, poison, monkeypatch):
    monkeypatch.setattr("minigrad.engines.numpy.needs.CACHE", cache)
    for each in lowered(DEEP[name].folded(2)):
        program = Program(each.folded, 5, LATE)
        assert_runs(program, each.folded, 5)
        assert_runs(program, each.folded, 5, seed=1)


def test_buffers_are_freed_and_used_again(poison):
    """The law above is not empty."""
    _, backward = lowered(DEEP["three alike"].folded(2))
    Program(backward.folded, 5, LATE)
    places = [x.ctypes.data for x in poison]
    assert len(set(places)) < len(places)


def test_a_buffer_that_is_freed_too_early_is_seen(poison, monkeypatch):
    end = Storage._buffer

    def early(self: Any, k: int) -> Any:
        value = end(self, k)
        for arrays in list(self._ends.values()):
            if arrays and arrays[-1].ctypes.data == value.array.ctypes.data:
                self._ends.setdefault(self.needs.block[k], []).append(arrays.pop())
        return value

    monkeypatch.setattr(Storage, "_buffer", early)
    _, backward = lowered(DEEP["three alike"].folded(2))
    with pytest.raises(AssertionError):
        assert_runs(Program(backward.folded, 5, LATE), backward.folded, 5)


def test_start_values_and_the_values_of_a_state_are_one_history():
    storage = Program(rnn.RNNCell(3, 4).folded(2), 5, [LATE[-1]]).storage
    ((place, history),) = storage.history.items()
    reader, (r,) = storage.plan.folded.step.inputs[place], storage.plan.folded.recurrences
    carrier = storage.plan.folded.step.outputs[r.output]
    assert history.shape == (6, 2, 4)
    before, after = storage.values[reader].array, storage.values[carrier].array
    assert before.ctypes.data == history[:5].ctypes.data
    assert after.ctypes.data == history[1:].ctypes.data


def test_a_state_that_a_joined_operand_reads_stands_inside_of_it():
    """[x h 1] is never copied together: h is written where it is read."""
    storage = Program(rnn.LSTMCell(3, 4).folded(2), 5).storage
    nodes = storage.nodes
    (joined,) = [storage.values[k].array for k, node in enumerate(nodes)
                 if node.shape == (2, 8) and node.lowering.joins]  # fmt: skip
    inside = [np.shares_memory(joined, history) for history in storage.history.values()]
    assert sorted(inside) == [False, True]  # of C and h


def test_a_state_that_is_only_passed_on_has_two_places():
    """The cotangent of the state; the state itself is emitted, and has a history."""
    for each, level, places in zip(
        lowered(rnn.RNNCell(3, 4).folded(2)), (WHOLE, RING), (51, 2), strict=True
    ):
        storage = Program(each.folded, 50, LATE).storage
        ((place, history),) = storage.history.items()
        assert storage.values[storage.plan.folded.step.inputs[place]].level == level
        assert len(history) == places
