"""Values are kept as long as they are read, and chunks of steps fit into the cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.engines.numpy import needs
from minigrad.engines.numpy.needs import CHUNK, STATIC, STEP, WHOLE, Needs
from minigrad.engines.numpy.program import Program
from minigrad.folded import folded_adjoint
from minigrad.graph import Node
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import lowered, planned, prepared
from minigrad.lower.schedule import Nest
from rnn.testing.problem import problem
from tests.minigrad.folding import CELLS, assert_runs, every_cell, loop
from tests.rnn.runs import assert_close


def test_a_small_cache_makes_chunks(monkeypatch):
    """The law above is not empty: there are chunks of one step, of some and of all."""
    ready = prepared(rnn.LSTMCell(3, 4).folded(2)).folded
    backward = folded_adjoint(ready, fixed=ready.with_role("sequence")).backward
    sizes = set()
    for cache in (1, 2000, 4000, 6000, 10**6):
        monkeypatch.setattr("minigrad.engines.numpy.needs.CACHE", cache)
        program = Program(backward, 7)
        sizes.add(max(program.storage.needs.chunk.values()))
    assert {1, 7} < sizes


def places(k: int, array: Any, node: Node) -> set[Any]:
    """Where the numbers of a value at one step are; elsewhere than all others if not known yet."""
    if array is None:
        return {(k, place) for place in np.ndindex(node.shape)}
    first, steps = array.ctypes.data, array[0].strides
    return {first + int(np.dot(place, steps)) for place in np.ndindex(node.shape)}


@every_cell
@pytest.mark.parametrize("cache", [600, 5000])
def test_the_batched_values_of_a_chunk_fit_into_the_cache(name, cache, monkeypatch):
    """Counted from the buffers that a program has, each once; a chunk has at least one step.

    What can be computed in the place of another counts as that one.
    """
    monkeypatch.setattr(needs, "CACHE", cache)
    for folded in lowered(CELLS[name].folded(2)):
        program = Program(folded.folded, 20, LATE)
        values, nodes = program.storage.values, program.nodes
        for nest, size in program.storage.needs.chunk.items():
            touched: dict[Any, int] = {}
            for i in {i for k in nest.batched for i in (k, *nodes[k].inputs)}:
                if i not in program.plan.fixed and i not in program.storage.needs.in_place:
                    width = nodes[i].dtype.itemsize
                    touched |= dict.fromkeys(places(i, values[i].array, nodes[i]), width)
            assert size == 1 or size * sum(touched.values()) <= cache


@every_cell
def test_a_value_is_kept_until_its_last_reader(name):
    """What is kept for a step or a chunk is read in its own nest; the last reader is the last."""
    for direction in lowered(CELLS[name].folded(2)):
        plan = planned(direction.folded, LATE)
        found, nodes = Needs(plan, 6), plan.folded.step.nodes
        for k, where in found.block.items():
            for i in nodes[k].inputs:
                if i not in found.block:
                    continue
                assert found.last[i] >= where
                if nodes[k].lowering.view or k in found.in_place:
                    assert found.last[i] >= found.last[k]  # the buffer is read under both names
                if found.levels[i] == STEP:
                    block = found.order[where]
                    assert isinstance(block, Nest)
                    assert {i, k} <= block.inside
                if found.levels[i] == CHUNK:
                    assert found.block[i] == where
        for i in found.outputs & found.block.keys():
            assert found.levels[i] == (STATIC if i in plan.fixed else WHOLE)


def test_what_dies_with_its_reader_is_computed_in_its_place():
    """tanh(x W) over x W; but not where x W is read once more."""
    alone = loop(lambda p, x, h: h * mg.tanh(mg.exp(x @ p[0])), (3, 4))
    twice = loop(lambda p, x, h: h * mg.tanh(y := mg.exp(x @ p[0])) + y, (3, 4))
    for folded, wanted in ((alone, True), (twice, False)):
        plan = planned(folded, LATE)
        nodes = plan.folded.step.nodes
        (k,) = [k for k, node in enumerate(nodes) if node.op == "tanh"]
        assert (k in Needs(plan, 3).in_place) == wanted


@dataclass(frozen=True)
class Overlapping(rnn.Cell):
    """A pile of three values, of which two parts are read that share the middle one."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return {"W": rnn.glorot(X, H), "U": rnn.orthogonal(H, H), "V": rnn.orthogonal(H, H)}

    def step(self, p, x, h):
        z = mg.tanh(mg.stack([x @ p.W, h @ p.U, h @ p.V]))
        first, second = z[:2] * 0.5 + 1.0, mg.sin(z[1:])
        h = first[0] * second[0] + first[1] * second[1]
        return h, h


def test_parts_of_a_pile_that_overlap_are_not_overwritten():
    q = problem(Overlapping(3, 2), 6, 2, 0)
    given = q.cell, q.params, q.xs
    assert_close(rnn.run(*given), rnn.run(*given, unfolded=True), 999)
    loss = lambda p, unfolded: mg.sum(mg.sin(rnn.run(q.cell, p, q.xs, unfolded=unfolded)[0]))
    one = lambda unfolded: mg.grad(lambda p: loss(p, unfolded))(q.params)
    assert_close(one(False), one(True), 999)


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("T", [2, 3, 5])
def test_a_state_against_the_order_of_its_loop_is_no_ring(turn, T):
    """A value carried the other way, which no step reads: its last value is an early step's."""
    one = np.ones(2)

    def step(x, h, g):
        z = x + h
        return mg.tanh(z), z

    edges = (mg.Recurrence(0, 1, turn, "h"), mg.Recurrence(1, 2, -turn, "g"))
    roles = ("sequence", "state", "state")
    folded = mg.Folded(mg.trace(step, one, one, one), roles, ("state", "state"), edges)
    assert_runs(Program(folded, T, LATE), folded, T)
