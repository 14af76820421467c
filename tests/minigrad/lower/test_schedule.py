"""A schedule computes everything before it is read, and in its loops what waits for the past."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.core import PRIMITIVES
from minigrad.folded import EVERY, SEQUENCE, STATE, SUM, Folded, Recurrence, folded_adjoint
from minigrad.lower.nodes import looped_nodes
from minigrad.lower.passes import LATE
from minigrad.lower.pipeline import lowered, planned
from minigrad.lower.schedule import Nest, Schedule, rearranges, schedule
from tests.minigrad.folding import CELLS, every_cell, loop


def named(plan: Schedule, *ks: int) -> list[str]:
    return [plan.folded.step.nodes[k].op for k in ks]


def members(block: int | Nest) -> tuple[int, ...]:
    return (*block.batched, *block.looped) if isinstance(block, Nest) else (block,)


def both_ways(name: str) -> list[Schedule]:
    pair = folded_adjoint(CELLS[name].folded(2))
    return [planned(each.folded, LATE) for each in lowered(CELLS[name].folded(2))] + [
        schedule(folded) for folded in pair]  # fmt: skip


@every_cell
def test_what_is_read_was_computed_before(name):
    """Nodes of a nest are read in it, step by step or chunk by chunk, and after it."""
    for plan in both_ways(name):
        nodes = plan.folded.step.nodes
        done = {*plan.fixed, *(k for k, node in enumerate(nodes) if node.op == "input")}
        for block in plan.blocks:
            for k in members(block):
                assert done.issuperset(nodes[k].inputs)
                done.add(k)
        assert done.isdisjoint(plan.summed)
        assert all(done | plan.summed >= {*nodes[k].inputs} for k in plan.summed)
        assert done.issuperset(set(plan.folded.step.outputs) - plan.summed)


@every_cell
def test_a_delayed_value_is_read_in_its_own_loop_or_after_all_of_it(name):
    for plan in both_ways(name):
        place = {k: at for at, block in enumerate(plan.blocks) for k in members(block)}
        for reader, (source, _) in plan.folded.origins().items():
            for user in plan.users[reader]:
                if user in place and source in place:
                    own = place[user] == place[source] and user in looped_nodes(plan.folded)
                    assert place[user] > place[source] or own


@every_cell
def test_loops_hold_what_recurs_and_what_has_no_other_way(name):
    for plan in both_ways(name):
        looped = looped_nodes(plan.folded)
        nodes = plan.folded.step.nodes
        inside = {k for block in plan.blocks if isinstance(block, Nest) for k in block.looped}
        computed = {k for k in looped if nodes[k].op != "input"}
        assert computed <= inside | plan.summed
        assert all(nodes[k].op == "lookup" or PRIMITIVES[nodes[k].op].lift is None
                   for k in inside - looped)  # fmt: skip


def test_products_of_the_sequence_run_once_before_the_loop_and_a_readout_after_it():
    cell = loop(lambda p, x, h: mg.tanh(x @ p[0] + h @ p[1]), (3, 4), (4, 4))
    plan = schedule(cell)
    first, nest = plan.blocks
    assert named(plan, first) == ["matmul"]
    assert named(plan, *nest.looped) == ["input", "matmul", "add", "tanh"]
    readout = loop(lambda p, x, h: mg.sin(x) + mg.tanh(h @ p[0]), (4, 4), x=(2, 4))
    (nest,) = schedule(readout).blocks
    assert named(schedule(readout), *nest.batched) == ["sin"]


def test_what_is_only_summed_is_not_computed_step_by_step():
    """A product over all rows is one call; what it reads, and functions, are known at all steps."""
    give = lambda x, h: (mg.contract(mg.tanh(x), x), mg.sum(x * 2.0, 0), mg.sin(x), h + 1.0)
    step = mg.trace(give, np.ones((2, 3)), np.ones(2))
    roles, edges = (SUM, SUM, SUM, STATE), (Recurrence(3, 1, 1, "h"),)
    plan = schedule(Folded(step, (SEQUENCE, STATE), roles, edges))
    assert sorted(named(plan, *plan.summed)) == ["contract", "sum"]
    shown = schedule(Folded(step, (SEQUENCE, STATE), (EVERY, *roles[1:]), edges))
    assert named(shown, *shown.summed) == ["sum"]


def test_what_weights_alone_decide_runs_once_before_all():
    plan = schedule(loop(lambda p, x, h: h @ mg.tanh(p[0] * 2.0), (4, 4)))
    assert named(plan, *plan.static) == ["multiply", "tanh"]


@pytest.mark.parametrize(
    ("f", "is_so"),
    [
        (lambda x: x[0], True),
        (lambda x: x.T, True),
        (lambda x: mg.concatenate([x, x]), True),
        (lambda x: x[np.array([0, 1])], False),
        (mg.tanh, False),
    ],
)
def test_what_rearranges_is_a_view_or_puts_side_by_side(f, is_so):
    graph = mg.trace(f, np.ones((2, 2)))
    assert rearranges(graph.nodes[graph.outputs[0]]) == is_so
