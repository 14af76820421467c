"""Names in an adjoint: it has lost those of the graph that it is the adjoint of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import STATIC, SUM, Folded, FoldedAdjoint
from minigrad.graph import Node
from viz.quotients.layers import Layers
from viz.quotients.quotient import Quotient
from viz.scene.label import Label, scoped, symbol, words

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
    owner = {forward.step.inputs[r.input]: scoped(r.name)[0] for r in forward.recurrences}
    # The saved values are the first inputs; then come cotangents.
    for k, saved, role in zip(step.inputs, pair.step.residuals, backward.inputs, strict=False):
        if nodes[k].name is None:
            name = WEIGHTS if role == STATIC else _told(forward.step.nodes, saved)
            nodes[k] = replace(nodes[k], name=name)
        nodes[k] = replace(nodes[k], scope=nodes[k].scope or owner.get(saved, ""))
    return replace(backward, step=replace(step, nodes=tuple(nodes)))


def _told(nodes: Sequence[Node], k: int) -> str:
    """A function of one named value as `tanh C` or `1 − z`; anything else only as saved."""
    node = nodes[k]
    read = [i for i in node.inputs if nodes[i].op != "constant" or nodes[i].shape]
    given = nodes[read[0]].name if len(read) == 1 else None
    if given is None or PRIMITIVES[node.op].kind not in ("elementwise", "linear"):
        return SAVED
    signs = [PRIMITIVES[node.op].label]
    for n, i in enumerate(node.inputs):
        if i not in read:
            number = f"{np.asarray(nodes[i].value).item():.4g}".replace("-", "−")
            signs.insert(len(signs) if n else 0, number)
            if n:  # z − 1: what follows the name cannot be said before it
                return SAVED
    return f"{' '.join(signs)} {given}"


def reads(pair: FoldedAdjoint, forward: Quotient, backward: Quotient) -> list[tuple[str, str]]:
    """Which blocks of an adjoint read values of which blocks of the forward run, at their step."""
    nodes, found = pair.backward.step.nodes, dict[tuple[str, str], None]()
    inputs = zip(pair.backward.step.inputs, pair.step.residuals, strict=False)
    of = {k: forward.of[saved] for k, saved in inputs if saved in forward.of}
    reach = {k: {block} for k, block in of.items()}
    for k, node in enumerate(nodes):
        read = set[str]().union(*(reach.get(i, ()) for i in node.inputs))
        if k in backward.of:
            found |= dict.fromkeys((a, backward.of[k]) for a in sorted(read))
        elif read:
            reach[k] = read
    return list(found)


def summed(folded: Folded, view: Quotient) -> dict[str, Label]:
    """For blocks of an adjoint the gradients of parameters that they give at every step."""
    nodes, found = folded.step.nodes, dict[str, Label]()
    layers = Layers((node.name or "", node.scope) for node in nodes)
    for k, role in zip(folded.step.outputs, folded.outputs, strict=True):
        if role != SUM:
            continue
        stack, name = [k], symbol(nodes[k].name or "∂W", sub=layers.sub(*_place(nodes[k])))
        while stack and view.of.get(stack[-1]) is None:
            i = stack.pop()
            stack += [j for j in nodes[i].inputs if j in view.of or nodes[j].inputs]
        if stack:
            block = view.of[stack[-1]]
            found[block] = (*found[block], *words(", "), *name) if block in found else (
                *words("Σ "), *name)  # fmt: skip
    return found


def _place(node: Node) -> tuple[str, str]:
    return node.name or "", node.scope
