"""The textbook view: one circle for each layer of units, each recurrent value, and the output.

Nothing is known of particular cells. A node is a circle of its own if it is an input of every
step, a result, the origin of a recurrent edge, or a named value that goes through a weight matrix
or on to another layer; every other node belongs to the first circle it flows into. States that are
made from one another and read the same input (h and C of an LSTM) are one unit with two carried
values.
"""

from __future__ import annotations

from collections.abc import Hashable

from minigrad.folded import SEQUENCE, STATE, Folded, components
from viz.label import symbol
from viz.quotient import PRODUCTS, Block, Quotient, merge, statics
from viz.scene import identifier


def cells(folded: Folded) -> Quotient:
    """The quotient of a folded graph whose blocks are circles of a textbook.

    >>> import rnn
    >>> view = cells(rnn.RNNCell(3, 5, 2).folded())
    >>> [block.id for block in view.blocks]
    ['x', 'h', 'o']
    >>> [(link.source, link.target, link.delay) for link in view.links]
    [('x', 'h', 0), ('h', 'h', 1), ('h', 'o', 0)]
    """
    nodes = folded.step.nodes
    heads = circles(folded)
    keys = _flow(folded, heads)
    units = _units(folded, heads, keys)
    keys = [key if key is None else units.get(key, key) for key in keys]
    names = {k: _name(folded, k) for k in heads}
    bare = [names[k][0] for k in heads]
    states = _states(folded)
    outputs = [
        i for i, role in zip(folded.step.outputs, folded.outputs, strict=True) if role != STATE
    ]
    first = keys[outputs[0]] if outputs else None

    def block(key: Hashable, members: tuple[int, ...]) -> Block:
        own = [k for k in heads if keys[k] == key]
        # A unit goes by the name of the value that it shows to others.
        main = next((k for k in own if k in outputs), own[-1])
        name, place = names[main]
        sub = place if bare.count(name) > 1 else ""
        inner = tuple(states[k] for k in own if k in states) if len(own) > 1 else ()
        kind = _kind(folded, key, keys, own, first)
        return Block(identifier(name, sub), symbol(name, sub=sub), kind, members, states=inner)

    return merge(nodes, keys, block, folded, outputs)


def circles(folded: Folded) -> list[int]:
    """The nodes that are circles of their own, in order."""
    step, nodes = folded.step, folded.step.nodes
    found = set(step.outputs) | {step.inputs[k] for k in sequences(folded)}
    inputs = {step.inputs[k] for k in folded.with_role(STATE)}
    weights = statics(folded)
    for node in nodes:
        for source in node.inputs:
            given = nodes[source]
            if given.name is None or source in weights or given.op == "input":
                continue
            weighed = node.op in PRODUCTS and any(i in weights for i in node.inputs)
            if weighed or (node.scope != given.scope and bool(given.scope)):
                found.add(source)
    # A state handed on unchanged is a circle too: a value that waits one more step.
    found -= {k for k in inputs if k not in step.outputs}
    return sorted(found - weights)


def sequences(folded: Folded) -> list[int]:
    """The inputs that come with every step; in an adjoint only cotangents, not saved values."""
    given = folded.with_role(SEQUENCE)
    cotangents = [k for k in given if folded.input_name(k).startswith("∂")]
    is_adjoint = any(r.name.startswith("∂") for r in folded.recurrences) or bool(cotangents)
    return cotangents if is_adjoint else given


def _flow(folded: Folded, heads: list[int]) -> list[int | None]:
    """For each node the first circle that it flows into; None for parameters and states."""
    step = folded.step
    keys: list[int | None] = [None] * len(step.nodes)
    out = set(step.inputs) | statics(folded)
    for k in heads:
        keys[k] = k
    for k in range(len(step.nodes) - 1, -1, -1):
        key = keys[k]
        if key is None:
            continue
        for i in step.nodes[k].inputs:
            if i in heads or i in out:
                continue
            # The earliest circle wins, so links of a step cannot run in a circle.
            old = keys[i]
            keys[i] = key if old is None else min(old, key)
    return keys


def _units(folded: Folded, heads: list[int], keys: list[int | None]) -> dict[int, int]:
    """Circles to be merged: states of one loop over time that read the same outside circle."""
    origins = folded.origins()
    group = {k: n for n, (_, found) in enumerate(components(folded)) for k in found}
    reads: dict[int, set[int]] = {k: set() for k in heads}
    for key, node in zip(keys, folded.step.nodes, strict=True):
        for source in (keys[i] for i in node.inputs):
            if key is not None and source is not None and group[source] != group[key]:
                reads[key].add(source)
    merged: dict[int, int] = {}
    states = sorted({source for source, _ in origins.values()} & set(heads))
    for a in states:
        for b in states:
            if a < b and group[a] == group[b] and reads[a] & reads[b]:
                target = merged.get(b, b)
                merged = {k: target if v == merged.get(a, a) else v for k, v in merged.items()}
                merged[a] = merged[b] = target
    return merged


def _states(folded: Folded) -> dict[int, str]:
    """For each origin of a recurrent edge the edge's name."""
    return {
        folded.step.outputs[r.output]: r.name or f"state{k}"
        for k, r in reversed(list(enumerate(folded.recurrences, 1)))
    }


def _name(folded: Folded, k: int) -> tuple[str, str]:
    """The bare name of a circle and the layer it belongs to."""
    node, step = folded.step.nodes[k], folded.step
    if k in step.inputs:
        return node.name or f"input_{step.inputs.index(k) + 1}", ""
    path = _states(folded).get(k, "") or ".".join(p for p in (node.scope, node.name or "") if p)
    scope, _, name = path.rpartition(".")
    if k not in _states(folded) and not node.name:
        role = folded.outputs[step.outputs.index(k)] if k in step.outputs else ""
        scope, name = node.scope, "Σ" if role == "sum" else _result(folded, k)
    return name, place(scope)


def _result(folded: Folded, k: int) -> str:
    """The name of an unnamed result: y, or in an adjoint the cotangent of what it belongs to."""
    is_adjoint = any(r.name.startswith("∂") for r in folded.recurrences)
    return "∂x" if is_adjoint else "y"


def place(scope: str) -> str:
    """A scope as a subscript: the number of a layer, an arrow for a direction.

    >>> place("layer2"), place("layer1.backward")
    ('2', '1←')
    """
    words = {"forward": "→", "backward": "←"}
    parts = [
        p.removeprefix("layer") if p[5:].isdigit() else words.get(p, p) for p in scope.split(".")
    ]
    return "".join(p for p in parts if p)


def _kind(
    folded: Folded, key: Hashable, keys: list[int | None], own: list[int], first: Hashable
) -> str:
    step, nodes = folded.step, folded.step.nodes
    if all(k in step.inputs for k in own):
        return "input"
    if len(own) > 1:
        return "hidden"
    if own[0] in step.outputs and folded.outputs[step.outputs.index(own[0])] == "sum":
        return "weight"
    feeds = [
        keys[i]
        for k, node in enumerate(nodes)
        if keys[k] == key
        for i in node.inputs
        if keys[i] is not None and keys[i] != key and i not in step.inputs
    ]
    carried = own[0] in {source for source, _ in folded.origins().values()}
    if key == first and (feeds or not carried):
        inner = [f for f in feeds if f is not None and nodes[f].scope == nodes[own[0]].scope]
        return "output" if inner or not carried else "hidden"
    return "hidden"
