"""The way from a folded graph to a schedule: what each stage gives is the same program."""

from __future__ import annotations

import numpy as np

import minigrad as mg
import rnn
from minigrad.folded import EVERY, STATE, STATIC, SUM, Folded, Recurrence, adjoint, same_folded
from minigrad.graph import isomorphic, prune, replay
from minigrad.lower.passes import EARLY, PASSES, changed
from minigrad.lower.pipeline import lowered, planned, prepared
from tests.minigrad.folding import CELLS, every_cell, example, ops, stepwise


@every_cell
def test_front_and_rest_are_the_folded_graph(name: str):
    folded = CELLS[name].folded(2)
    ready, (_, given) = prepared(folded), example(folded, 3, 0)
    found = stepwise(ready.folded, 3, ready.inputs(folded, given))
    for some, others in zip(found, stepwise(folded, 3, given), strict=True):
        for x, y in zip(some, others, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


@every_cell
def test_no_work_on_parameters_alone_is_left_in_the_step(name: str):
    """What the front gives is read by something that changes from step to step."""
    ready = prepared(CELLS[name].folded(2))
    step, roles = ready.folded.step, ready.folded.inputs
    static = {i for i, role in zip(step.inputs, roles, strict=True) if role == STATIC}
    for node in step.nodes:
        if node.op != "constant" and node.inputs:
            assert not {*node.inputs} <= static | {
                k for k, other in enumerate(step.nodes) if other.op == "constant"
            }


@every_cell
def test_lowered_is_what_a_run_and_its_gradient_run(name: str):
    forward, backward = lowered(CELLS[name].folded(2))
    ready = prepared(CELLS[name].folded(2))
    pair = adjoint(ready.folded)
    assert same_folded(forward.folded, pair.forward)
    assert same_folded(backward.given, pair.backward)
    assert same_folded(backward.folded, prepared(pair.backward).folded)
    assert isomorphic(forward.front, ready.front)


@every_cell
def test_passes_leave_nothing_for_a_second_round_of_the_merges(name: str):
    """What they find is found in one run, whose order is that of the table."""
    once = changed(CELLS[name].folded(2), EARLY)
    assert len(changed(once, EARLY).step) == len(once.step)


def test_every_pass_says_why_it_stands_where_it_stands():
    assert len({each.name for each in PASSES}) == len(PASSES)
    assert all(each.why and each.buys and each.change.__doc__ for each in PASSES)


@every_cell
def test_a_schedule_holds_every_node_once(name: str):
    plan = planned(adjoint(CELLS[name].folded(2)).backward)
    nodes = plan.folded.step.nodes
    held = [*plan.static, *plan.summed]
    for block in plan.blocks:
        held += [block] if isinstance(block, int) else [*block.batched, *block.looped]
    assert sorted(held) == [k for k, node in enumerate(nodes)
                            if node.op not in ("constant", "input") or k in held]  # fmt: skip


def test_a_front_is_computed_by_itself():
    folded = rnn.LSTMCell(3, 4).folded(2)
    ready, (_, given) = prepared(folded), example(folded, 1, 0)
    static = [x for x, role in zip(given, folded.inputs, strict=True) if role == STATIC]
    whole = changed(folded, EARLY)
    weights = [whole.step.inputs[k] for k in whole.with_role(STATIC)]
    (joined,) = [k for k, node in enumerate(whole.step.nodes)
                 if node.op == "concatenate" and node.shape == (8, 16)]  # fmt: skip
    (wanted,) = replay(prune(whole.step.nodes, weights, [joined]), static)
    assert any(np.array_equal(x, wanted) for x in replay(ready.front, static))


def test_an_output_that_is_the_same_at_every_step_is_made_in_front():
    step = mg.trace(lambda w, h: (mg.tanh(w), h + 1.0), np.ones(2), np.ones(2))
    ready = prepared(Folded(step, (STATIC, STATE), (EVERY, STATE), (Recurrence(1, 1, 1, "h"),)))
    assert [node.op for node in ready.front.nodes] == ["input", "tanh"]
    assert ops(ready.folded) == ["add"]


def test_roles_of_a_lowered_pair_are_dual():
    forward, backward = lowered(rnn.LSTMCell(3, 4).folded(2))
    assert set(forward.folded.outputs) == {EVERY, STATE}
    assert SUM in backward.folded.outputs
