"""Sums and products grouped another way are the same, and more of them leaves the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.folded import EVERY, SEQUENCE, STATE, Folded, Recurrence, same_folded
from minigrad.lower import regroup
from minigrad.lower.nodes import looped_nodes
from minigrad.lower.regroup import eliminate_common
from minigrad.lower.rewrite import Rewrite
from tests.minigrad.folding import assert_same, loop, ops


def became(change: Any, folded: Folded) -> Folded:
    """The graph after a pass, which changes no number."""
    found = eliminate_common(change(folded))
    assert_same(found, folded)
    return found


def inside(folded: Folded) -> list[str]:
    """The operations in the loop."""
    nodes, looped = folded.step.nodes, looped_nodes(folded)
    return sorted(nodes[k].op for k in looped if nodes[k].inputs)


# Each pass, a step that shows what it does, and how often an operation is in the loop before and
# after it; then a step where it must do nothing.
x4: dict[str, Any] = {"x": (2, 4)}
LONG = np.arange(400) % 4
GROUPED: dict[str, tuple[Any, Folded, str, int, int]] = {
    "terms from outside first": (
        regroup.reassociate,
        loop(lambda p, x, h: ((x @ p[0] + h) + p[1]) + mg.sin(x @ p[0]), (3, 4), (4,)),
        "add", 3, 1,
    ),
    "factors from outside first": (
        regroup.reassociate,
        loop(lambda p, x, h: (x * h) * mg.sin(x), **x4),
        "multiply", 2, 1,
    ),
    "a x + b x": (
        regroup.factor_out,
        loop(lambda p, x, h: mg.sin(x) * h + mg.cos(x) * h, **x4),
        "multiply", 2, 1,
    ),
    "-(a x)": (
        regroup.factor_out,
        loop(lambda p, x, h: -(mg.sin(x) * h), **x4),
        "negative", 1, 0,
    ),
    "factors go to the entries of a pile": (
        lambda folded: regroup.reassociate(regroup.distribute(folded)),
        loop(lambda p, x, h: mg.sum(mg.concatenate([mg.expand_dims(f(x) * h, 0)
             for f in (mg.sin, mg.cos)], 0) * mg.stack([x, mg.exp(x)]), 0), **x4),
        "multiply", 3, 2,
    ),
    "columns of a product that others do not read": (
        regroup.narrow_products,
        loop(lambda p, x, h: mg.tanh((h @ p[0])[:, :4]), (4, 9)),
        "index", 1, 0,
    ),
    "parts that fill an array": (
        regroup.pile_up,
        loop(lambda p, x, h: (z := mg.ops.scatter(h, mg.sin(h), positions=((1,), (0,)),
             shape=(2, 2, 4)))[0] - z[1] * 2.0),
        "scatter", 1, 0,
    ),
    "a pile on a pile": (
        regroup.flatten_piles,
        loop(lambda p, x, h: mg.sum(mg.concatenate([mg.concatenate([h, h * 2.0]), h]).reshape(
             (3, 2, 4)), 0)),
        "concatenate", 2, 1,
    ),
    "equal expressions": (
        eliminate_common,
        loop(lambda p, x, h: mg.sin(h) * mg.sin(h) + 2.0 * (h * 2.0)),
        "sin", 2, 1,
    ),
}  # fmt: skip

LEFT: dict[str, tuple[Any, Folded]] = {
    "one term from outside": (
        regroup.reassociate, loop(lambda p, x, h: h + x @ p[0], (3, 4))),
    "a x + b y": (
        regroup.factor_out, loop(lambda p, x, h: mg.sin(x) * h + mg.cos(x) * mg.sin(h), **x4)),
    "a factor that is broadcast": (
        regroup.factor_out, loop(lambda p, x, h: (h * p[0]) * p[1], (4,), (4,))),
    "a pile that is read twice": (
        regroup.distribute,
        loop(lambda p, x, h: mg.sum((z := mg.concatenate([mg.expand_dims(f(x) * h, 0)
             for f in (mg.sin, mg.cos)], 0))
             * mg.stack([x, mg.exp(x)]) + z, 0), **x4)),
    "a product that is read whole": (
        regroup.narrow_products,
        loop(lambda p, x, h: (z := h @ p[0])[:, :4] * mg.sum(z), (4, 9))),
    "parts that leave a gap": (
        regroup.pile_up,
        loop(lambda p, x, h: mg.sum(mg.ops.scatter(h, h * 2.0, positions=((2,), (0,)),
             shape=(3, 2, 4)), 0))),
    "parts that overlap": (
        regroup.pile_up,
        loop(lambda p, x, h: mg.sum(mg.ops.scatter(h, h * 2.0, positions=((0,), (0,)),
             shape=(1, 2, 4)), 0))),
    "a pile along another axis": (
        regroup.flatten_piles,
        loop(lambda p, x, h: mg.concatenate([mg.concatenate([h[:1], h[1:]]), h], -1)[:, :4])),
    "a pile that is read by itself": (
        regroup.flatten_piles,
        loop(lambda p, x, h: mg.sum(z := mg.concatenate([h, h * 2.0]))
             + mg.concatenate([z, h])[2:4])),
    "functions with other attributes": (
        eliminate_common, loop(lambda p, x, h: h[:, ::-1] * h[:, ::1])),
    "positions that are too long to be told apart by their text": (
        eliminate_common,
        loop(lambda p, x, h: h + mg.sum(h[:, LONG] * h[:, LONG[::-1]], -1, keepdims=True))),
}  # fmt: skip


@pytest.mark.parametrize("what", GROUPED)
def test_what_is_grouped_another_way_is_less_in_the_loop(what):
    change, folded, op, before, after = GROUPED[what]
    assert inside(folded).count(op) == before
    assert inside(became(change, folded)).count(op) == after


@pytest.mark.parametrize("what", LEFT)
def test_what_cannot_be_grouped_is_left_alone(what):
    change, folded = LEFT[what]
    assert same_folded(change(folded), folded)
    assert_same(change(folded), folded)


def test_every_state_gets_a_node_of_its_own():
    """Two states that are one value, and one that only passes the sequence on."""
    step = mg.trace(lambda x, a, b, c: [y := mg.tanh(x + a + b + c), y, y, x], *[np.ones(2)] * 4)
    edges = tuple(Recurrence(k, k, 1, name) for k, name in ((1, "a"), (2, "b"), (3, "c")))
    folded = Folded(step, (SEQUENCE, *[STATE] * 3), (EVERY, *[STATE] * 3), edges)
    found = regroup.own_carriers(folded)
    carried = [found.step.outputs[r.output] for r in found.recurrences]
    assert len(set(carried)) == 3
    assert [found.step.nodes[k].op for k in carried] == ["tanh", "alias", "alias"]
    assert_same(found, folded)
    assert ops(eliminate_common(found)) == ops(found)  # they stay


def test_the_terms_of_a_sum_are_those_of_the_whole_chain_in_order():
    folded = loop(lambda p, x, h: ((h + x) + mg.sin(h)) + (x * h + mg.cos(h)), **x4)
    chains, nodes = regroup.Chains(folded), folded.step.nodes
    (root,) = [k for k in chains.roots() if nodes[k].op == "add"]
    assert [nodes[i].name or nodes[i].op for i in chains.terms(root)] == [
        "input", "input", "sin", "multiply", "cos"]  # fmt: skip


def test_two_numbers_in_a_chain_are_one():
    folded = loop(lambda p, x, h: h * 2.0 + 3.0)
    work = Rewrite(folded)
    numbers = [work.constant(x) for x in (2.0, 3.0)]
    assert work.nodes[regroup.chain_up(work, "multiply", numbers)].value == 6.0
    assert work.nodes[regroup.chain_up(work, "add", numbers)].value == 5.0
