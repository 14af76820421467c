"""Passes change nothing but the number of calls: each, wherever it stands in their row."""

from __future__ import annotations

from dataclasses import replace

import pytest

import minigrad as mg
import rnn
from minigrad.folded import Folded, folded_adjoint, same_folded
from minigrad.lower.passes import EARLY, LATE, PASSES, Pass, changed
from minigrad.lower.pipeline import prepared
from minigrad.lower.regroup import eliminate_common
from minigrad.lower.rewrite import Rewrite
from tests.minigrad.folding import CELLS, assert_same, every_cell, loop, ops


def both_ways(name: str) -> list[Folded]:
    """What the passes run on: a cell's step, and the adjoint of what was made of it."""
    folded = CELLS[name].folded(2)
    return [folded, folded_adjoint(prepared(folded).folded).backward]


@every_cell
def test_no_pass_changes_a_number(name: str):
    for folded in both_ways(name):
        found = eliminate_common(folded)
        for each in PASSES:
            after = each.change(found)
            if after is not found:
                found = eliminate_common(after)
                assert_same(found, folded)


def test_a_pass_that_changes_a_number_is_seen():
    def halve(folded: Folded) -> Folded:
        nodes = [replace(n, op="sin") if n.op == "tanh" else n for n in folded.step.nodes]
        return replace(folded, step=replace(folded.step, nodes=tuple(nodes)))

    folded = rnn.RNNCell(3, 4).folded(2)
    with pytest.raises(AssertionError):
        assert_same(changed(folded, [Pass(halve, "", "")]), folded)


@pytest.mark.parametrize("each", [*EARLY, *LATE[:2]], ids=lambda each: each.name)
def test_every_pass_has_something_to_do_in_some_cell(each: Pass):
    before = PASSES[: PASSES.index(each)]
    some = [changed(folded, before) for name in CELLS for folded in both_ways(name)]
    assert any(not same_folded(each.change(folded), folded) for folded in some)


def test_equal_expressions_are_computed_once_before_and_after_every_pass():
    """A pass may leave them behind twice."""

    def twice(folded: Folded) -> Folded:
        work, nodes = Rewrite(folded), folded.step.nodes
        ((k, last),) = [(k, node) for k, node in enumerate(nodes) if node.op == "multiply"]
        function = nodes[last.inputs[0]]
        again = work.add("sin", function.inputs, function.shape)
        work.nodes[k] = replace(last, inputs=(last.inputs[0], again))
        return work.done()

    folded = loop(lambda p, x, h: mg.sin(h) * mg.sin(h))
    once = changed(folded, [])
    assert [ops(f).count("sin") for f in (folded, once, twice(once))] == [2, 1, 2]
    assert ops(changed(folded, [Pass(twice, "", "")])).count("sin") == 1
