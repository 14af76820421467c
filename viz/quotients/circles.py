"""The textbook view: one circle for each layer of units, each recurrent value, and the output.

Nothing is known of particular cells. A node is a circle of its own if it is an input of every
step, a result, the origin of a recurrent edge, or a named value that goes through a weight matrix
or on to another layer; every other node belongs to the first circle it flows into. States that are
made from one another and read the same input (h and C of an LSTM) are one unit with two carried
values.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

from minigrad.folded import EVERY, STATE, SUM, Folded, components
from viz.quotients.layers import Layers
from viz.quotients.quotient import Block, Quotient, merge
from viz.quotients.roles import (
    given_name,
    is_adjoint,
    is_product,
    known,
    memories,
    origins,
    sequences,
    statics,
)
from viz.scene.label import scoped, symbol
from viz.scene.scene import identifier


def circles(folded: Folded) -> Quotient:
    """The quotient of a folded graph whose blocks are circles of a textbook.

    >>> import rnn
    >>> view = circles(rnn.RNNCell(3, 5, 2).folded())
    >>> [block.id for block in view.blocks]
    ['x', 'h', 'o']
    >>> [(link.source, link.target, link.delay) for link in view.links]
    [('x', 'h', 0), ('h', 'h', 1), ('h', 'o', 0)]
    """
    nodes = folded.step.nodes
    ends = heads(folded)
    loops = {k: n for n, (_, found) in enumerate(components(folded)) for k in found}
    keys = _flow(folded, set(ends), loops)
    units = _units(folded, ends, keys, loops)
    keys = [key if key is None else units.get(key, key) for key in keys]
    names = {k: _name(folded, k) for k in ends}
    layers = Layers(names.values())
    states, memory = _states(folded), set(memories(folded).values())
    roles = zip(folded.step.outputs, folded.outputs, strict=True)
    outputs = [k for k, role in roles if role == EVERY]
    first = keys[outputs[0]] if outputs else None

    def block(key: Hashable, members: tuple[int, ...]) -> Block:
        own = [k for k in ends if keys[k] == key]
        # A unit goes by the name of the value that it shows to others.
        main = next((k for k in own if k in outputs), own[-1])
        name, scope = names[main]
        sub = layers.sub(name, scope)
        inner = tuple(dict.fromkeys(states[k] for k in own if k in states))
        kind = _kind(folded, key, keys, own, first)
        if inner and memory.issuperset(inner):
            kind = "cell"
        inner = inner if len(inner) > 1 else ()
        return Block(identifier(name, sub), symbol(name, sub=sub), kind, members, (), inner)

    return merge(nodes, keys, block, folded, outputs)


def heads(folded: Folded) -> list[int]:
    """The nodes that are circles of their own, in order."""
    step, nodes = folded.step, folded.step.nodes
    outputs = zip(step.outputs, folded.outputs, strict=True)
    found = {k for k, role in outputs if role != SUM} | {step.inputs[k] for k in sequences(folded)}
    inputs = {step.inputs[k] for k in folded.with_role(STATE)}
    weights = statics(folded)
    for node in nodes:
        for source in node.inputs:
            given = nodes[source]
            if given.name is None or source in weights or given.op == "input":
                continue
            weighed = is_product(node) and any(i in weights for i in node.inputs)
            if weighed or (node.scope != given.scope and bool(given.scope)):
                found.add(source)
    # A state handed on unchanged is a circle too: a value that waits one more step.
    found -= inputs - {source for source, _, _ in origins(folded).values()}
    return sorted(found - weights)


def _flow(folded: Folded, ends: Collection[int], loops: dict[int, int]) -> list[int | None]:
    """For each node the circle that it flows into; None for parameters and what only sums read.

    Of several circles a state takes the node before a result does, unless the result is on the
    way to the state; then one of the node's own loop over time, by its number in `loops`;
    otherwise the earliest.
    """
    step = folded.step
    out = set(step.inputs) | statics(folded) | known(folded)
    states = {source for source, _, _ in origins(folded).values()}
    reached: list[set[int]] = [set() for _ in step.nodes]
    for k in range(len(step.nodes) - 1, -1, -1):
        flows = {k} if k in ends else reached[k]
        for i in step.nodes[k].inputs:
            if i not in out:
                reached[i] |= flows
    keys: list[int | None] = []
    for k, goals in enumerate(reached):
        if k in ends:
            keys.append(k)
        elif goals and k not in out:
            free = [a for a in goals & states if not any(a in reached[b] for b in goals - {a})]
            own = {a for a in free or goals if loops[a] == loops[k]}
            keys.append(min(own or free or goals))
        else:
            keys.append(None)
    return keys


def _units(
    folded: Folded, heads: list[int], keys: list[int | None], loops: dict[int, int]
) -> dict[int, int]:
    """Circles to be merged: states of one loop over time that are made together.

    They read the same outside circle, or one reads what the other is made from.
    """
    made = origins(folded)
    reads: dict[int, set[int]] = {k: set() for k in heads}
    insides: dict[int, set[int]] = {k: set() for k in heads}
    for key, node in zip(keys, folded.step.nodes, strict=True):
        for i in node.inputs:
            source = keys[i]
            if key is None or source in (None, key):
                continue
            if loops[source] != loops[key]:
                reads[key].add(source)
            elif i != source:
                insides[key].add(source)
    ways = _ways(heads, keys, folded)
    merged: dict[int, int] = {}
    states = sorted({source for source, _, _ in made.values()} & set(heads))
    for a in states:
        for b in states:
            together = reads[a] & reads[b] or a in insides[b] or b in insides[a]
            # What stands between two circles would both read their unit and be read by it.
            between = any(
                (a in ways[c] and c in ways[b]) or (b in ways[c] and c in ways[a])
                for c in heads if c not in (a, b)
            )  # fmt: skip
            if a < b and loops[a] == loops[b] and together and not between:
                target = merged.get(b, b)
                merged = {k: target if v == merged.get(a, a) else v for k, v in merged.items()}
                merged[a] = merged[b] = target
    return merged


def _ways(heads: list[int], keys: Sequence[int | None], folded: Folded) -> dict[int, set[int]]:
    """For each circle all that it reads within a step, directly or not."""
    direct: dict[int, set[int]] = {k: set() for k in heads}
    for key, node in zip(keys, folded.step.nodes, strict=True):
        for source in (keys[i] for i in node.inputs):
            if key is not None and source is not None and source != key:
                direct[key].add(source)
    found: dict[int, set[int]] = {}
    for k in heads:
        found[k], stack = set(), list(direct[k])
        while stack:
            source = stack.pop()
            if source not in found[k]:
                found[k].add(source)
                stack += direct[source]
    return found


def _states(folded: Folded) -> dict[int, str]:
    """For each origin of a recurrent edge the edge's name."""
    return {origin: name for origin, _, name in origins(folded).values()}


def _name(folded: Folded, k: int) -> tuple[str, str]:
    """The bare name of a circle and its scope."""
    node, step = folded.step.nodes[k], folded.step
    if k in step.inputs:
        unnamed = "∂y" if is_adjoint(folded) else f"input_{step.inputs.index(k) + 1}"
        return given_name(folded, k) or unnamed, ""
    path = _states(folded).get(k, "") or ".".join(p for p in (node.scope, node.name or "") if p)
    scope, name = scoped(path)
    if k not in _states(folded) and not node.name:
        scope, name = node.scope, "∂x" if is_adjoint(folded) else "y"
    return name, scope


def _kind(
    folded: Folded, key: Hashable, keys: list[int | None], own: list[int], first: Hashable
) -> str:
    """Input, hidden or output; a result that recurs is an output if it reads its own layer."""
    step, nodes = folded.step, folded.step.nodes
    if all(k in step.inputs for k in own):
        return "input"
    if key != first or len(own) > 1:
        return "hidden"
    if own[0] not in {source for source, _, _ in origins(folded).values()}:
        return "output"
    read = {keys[i] for k, node in enumerate(nodes) if keys[k] == key for i in node.inputs}
    layers = {nodes[k].scope for k in read - {key, None, *step.inputs} if k is not None}
    return "output" if nodes[own[0]].scope in layers else "hidden"
