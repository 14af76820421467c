"""Names in an adjoint: it has lost those of the graph that it is the adjoint of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minigrad.core import PRIMITIVES
from minigrad.folded import STATIC, SUM, Folded, FoldedAdjoint
from minigrad.graph import Node
from viz.scene.label import scoped

UNNAMED = WEIGHTS, SAVED = "weights", "saved"
"""What is made of parameters alone or kept from the forward run, and is no function of one name."""


def named(pair: FoldedAdjoint) -> Folded:
    """The backward graph: gradients named after their parameters, saved values after what they are.

    >>> import minigrad as mg, rnn
    >>> backward = named(mg.adjoint(rnn.LSTMCell(3, 5).folded()))
    >>> [backward.step.nodes[k].name for k in backward.step.outputs[:3]]
    ['∂W_xf', '∂W_hf', '∂b_f']
    >>> backward.input_name(15)
    'tanh C'
    """
    forward, backward = pair
    step, nodes = backward.step, list(backward.step.nodes)
    for k, of, role in zip(step.outputs, pair.step.wrt, backward.outputs, strict=True):
        name = forward.input_node(of).name
        if role == SUM and name and nodes[k].name is None and nodes[k].inputs:
            scope, bare = scoped(f"∂{name}")
            nodes[k] = replace(nodes[k], name=bare, scope=nodes[k].scope or scope)
    # The saved values are the first inputs; then come cotangents.
    for k, saved, role in zip(step.inputs, pair.step.residuals, backward.inputs, strict=False):
        if nodes[k].name is None:
            name = WEIGHTS if role == STATIC else _told(forward.step.nodes, saved)
            nodes[k] = replace(nodes[k], name=name)
    return replace(backward, step=replace(step, nodes=tuple(nodes)))


def _told(nodes: Sequence[Node], k: int) -> str:
    """A function of one named value as `tanh C`; anything else only as saved."""
    node = nodes[k]
    given = nodes[node.inputs[0]].name if len(node.inputs) == 1 else None
    if given is None or PRIMITIVES[node.op].kind != "elementwise":
        return SAVED
    return f"{PRIMITIVES[node.op].label} {given}"
