"""A bias that was put among the weights stands beside the product again: nothing changes."""

from __future__ import annotations

import numpy as np

import minigrad as mg
import rnn
from minigrad.engines.xla.passes import part_bias
from minigrad.folded import Folded
from minigrad.lower.nodes import looped_nodes
from minigrad.lower.pipeline import lowered, prepared
from tests.minigrad.folding import CELLS, assert_same, every_cell, loop


def columns(folded: Folded) -> set[int]:
    """How wide the left operands are of the products in the loops."""
    nodes, looped = folded.step.nodes, looped_nodes(folded)
    return {nodes[node.inputs[0]].shape[-1] for k, node in enumerate(nodes)
            if k in looped and node.op == "matmul"}  # fmt: skip


def test_a_product_with_a_column_of_ones_becomes_a_product_and_a_sum():
    joined = prepared(rnn.LSTMCell(3, 4).folded(batch=2)).folded
    assert columns(joined) == {3 + 4 + 1}
    assert columns(part_bias(joined)) == {3 + 4}


def test_of_one_operand_nothing_is_left_to_put_side_by_side():
    """A plain network of look-ups: [h 1] [W; b] is h W + b."""
    found = part_bias(prepared(rnn.RNNCell(3, 4).folded(classes=True)).folded)
    nodes, looped = found.step.nodes, looped_nodes(found)
    assert not any(nodes[k].lowering.joins for k in looped)


@every_cell
def test_every_cell_is_the_same_forward_and_backward(name):
    for way in lowered(CELLS[name].folded(batch=2)):
        assert_same(part_bias(way.folded), way.folded)


def test_a_column_of_another_number_stays():
    def step(p, x, h):
        return mg.tanh(mg.concatenate([h, np.full((2, 1), 2.0)], axis=-1) @ p[0])

    folded = loop(step, (5, 4))
    assert part_bias(folded) is folded
