"""What XLA wants otherwise than NumPy, after the passes of all engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minigrad.folded import Folded
from minigrad.graph import Node
from minigrad.lower.nodes import looped_nodes, static_nodes
from minigrad.lower.passes import EARLY, LATE, Pass
from minigrad.lower.rewrite import Rewrite


def part_bias(folded: Folded) -> Folded:
    """[x h 1] [W; U; b] in a loop becomes [x h] [W; U] + b again.

    To NumPy a sum is one more call, to XLA a part of the call that follows; but it copies what is
    put side by side at every step, and its products are slow where rows have odd lengths.
    """
    work, looped, static = Rewrite(folded), looped_nodes(folded), static_nodes(folded)
    nodes = folded.step.nodes
    for k, node in enumerate(nodes):
        if node.lowering.weight != 1 or k not in looped or node.inputs[1] not in static:
            continue
        left, weight = (nodes[i] for i in node.inputs)
        if not left.lowering.joins or left.attrs["axis"] != -1 or not _ones(nodes[left.inputs[-1]]):
            continue
        last = weight.shape[-2] - 1
        rows = [
            work.add("index", node.inputs[1:], (high - low, weight.shape[-1]),
                     position=(slice(low, high),))
            for low, high in ((0, last), (last, last + 1))
        ]  # fmt: skip
        others = left.inputs[:-1]
        beside = work.joined(others, -1) if len(others) > 1 else others[0]
        product = work.add(node.op, (beside, rows[0]), node.shape)
        work.nodes[k] = replace(node, op="add", inputs=(product, rows[1]), attrs={})
    return work.done()


def _ones(node: Node) -> bool:
    """Whether a node is one column of ones."""
    return node.op == "constant" and node.shape[-1:] == (1,) and bool(np.all(node.value == 1))


AFTER: tuple[Pass, ...] = (
    *LATE,
    Pass(part_bias, "a sum is no call, but putting side by side is one", "RNN forward, in XLA's "
         "kernels of a step: 8 → 6"),
)  # fmt: skip
"""On what is to be run, and no longer differentiated."""

ALL: tuple[Pass, ...] = (*EARLY, *AFTER)
"""Those before it is differentiated too, for the graph around its loops."""
