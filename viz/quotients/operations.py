"""The views of operations: every one a box ("op"), or affine chains merged into what they feed.

At the level "gate" a chain of products and sums that only feeds an activation becomes one box
with it, so a gate is one box. In an adjoint the slope of a gate, made from saved values alone, is
part of the box that multiplies by it, and the gradients of the parameters that read one cotangent
are one box. Parameters, constants and recurrent inputs are not boxes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from minigrad.facts import SUMS
from minigrad.folded import EVERY, STATIC, SUM, Folded
from minigrad.graph import Node
from viz.quotients.circles import circles
from viz.quotients.labels import (
    LINEAR,
    SEPARATOR,
    adds,
    affine,
    called,
    factor,
    gradients,
    is_activation,
    is_number,
    sign,
)
from viz.quotients.layers import Layers
from viz.quotients.quotient import Block, Quotient, merge
from viz.quotients.roles import (
    gates,
    given_name,
    is_adjoint,
    known,
    memories,
    origins,
    sequences,
)
from viz.scene.label import scoped, symbol
from viz.scene.scene import identifier


def operations(
    folded: Folded, level: str = "op", joined: Collection[int] = (), shared: bool = False
) -> Quotient:
    """The quotient of a folded graph whose blocks are operations.

    Args:
        folded: a cell's step, or an adjoint's.
        level: "op" or "gate".
        joined: nodes to be merged into the only node that reads them.
        shared: make parameters blocks, which all steps share.

    >>> import rnn
    >>> [block.id for block in operations(rnn.LSTMCell(3, 5).folded(), "gate").blocks]
    ['x', 'f', 'i', 'C', 'multiply', 'multiply__2', 'C__2', 'o', 'tanh', 'h']
    """
    step = folded.step
    nodes = list(step.nodes)
    roles = list(zip(step.outputs, folded.outputs, strict=True))
    results = [k for k, role in roles if role == EVERY]
    states = {origin: scoped(name) for origin, _, name in origins(folded).values()}
    boxes = {step.inputs[k] for k in sequences(folded)} | {*results, *states}
    boxes |= {k for k, role in roles if role == SUM}
    free = {k for k, node in enumerate(nodes) if node.op == "input" and k not in boxes}
    times = {}
    for k, (scope, name) in states.items():
        if nodes[k].name is None:
            if is_adjoint(folded):  # it is what the steps from t on give to the value before
                delay = next(d for o, d, _ in origins(folded).values() if o == k)
                times[k] = f"t{delay:+d}".replace("-", "−")
            nodes[k] = replace(nodes[k], name=name, scope=nodes[k].scope or scope)
    for k in boxes & set(step.inputs):
        if nodes[k].name:
            nodes[k] = replace(nodes[k], name=given_name(folded, k))
    for k, role in roles:
        if role == EVERY and nodes[k].name is None:
            nodes[k] = replace(nodes[k], name="∂x" if is_adjoint(folded) else "y")
    units = circles(folded)
    shown = {k for k in states if units[units.of[k]].kind != "output"}
    params = {step.inputs[k] for k in folded.with_role(STATIC)} if shared else set()
    sums = {k for k, role in roles if role == SUM}
    own = {*results, *states}
    if level == "gate":
        return quotient(
            nodes, free | (known(folded) - own - sums), level, folded, results, shown,
            set(states), joined, _only_for(nodes, sums, own), params, memories(folded),
            gates(folded), times,
        )  # fmt: skip
    fixed = sums | set(states)
    return quotient(
        nodes, free, level, folded, results, shown, fixed, joined, (), params, memories(folded),
        gates(folded), times,
    )  # fmt: skip


def layers_of(nodes: Sequence[Node], carried: Collection[str]) -> Layers:
    """The layers of a step, by the names of what it makes or has saved, and of what recurs."""
    named = [(n.name, n.scope) for n in nodes if n.name and (n.inputs or n.scope)]
    states = [scoped(name)[::-1] for name in carried]
    return Layers.whole([*named, *states], {scope for _, scope in states})


def _only_for(nodes: Sequence[Node], goals: set[int], own: set[int]) -> set[int]:
    """What is there for some goals and nothing else."""
    readers: list[list[int]] = [[] for _ in nodes]
    found: set[int] = set()
    for k in range(len(nodes) - 1, -1, -1):
        is_read = k in goals or bool(readers[k])
        if is_read and k not in own and nodes[k].inputs and found.issuperset(readers[k]):
            found.add(k)
        for i in nodes[k].inputs:
            readers[i].append(k)
    return found


def quotient(
    nodes: Sequence[Node],
    free: set[int],
    level: str,
    folded: Folded | None = None,
    results: Sequence[int] = (),
    states: Collection[int] = (),
    fixed: Collection[int] = (),
    joined: Collection[int] = (),
    sums: Collection[int] = (),
    shared: Collection[int] = (),
    memory: Collection[int] = (),
    purposes: Mapping[int, str] = MappingProxyType({}),
    times: Mapping[int, str] = MappingProxyType({}),
) -> Quotient:
    """The quotient of nodes by operation or gate.

    Args:
        nodes: of a graph.
        free: nodes that are not boxes.
        level: "op" or "gate".
        folded: gives the delayed edges.
        results: nodes that are results of the graph, or of every step.
        states: nodes that other steps read.
        fixed: further nodes that are not merged into their reader.
        joined: nodes that are, whatever they do.
        sums: what is there for sums over steps alone; merged with all that read the same box.
        shared: nodes not to be boxes of a step, but boxes that all steps share.
        memory: of the states those that are memories.
        purposes: what gates are for.
        times: of values that are named after another step than theirs, the step.
    """
    free = free | {k for k, node in enumerate(nodes) if is_number(node)}
    carried = set(folded.origins()) if folded else set()
    keys = _keys(nodes, free, level, {*results, *states, *fixed}, free - carried, joined)
    for k in sorted(sums):
        read = [keys[i] for i in nodes[k].inputs if keys[i] is not None]
        if read and k not in free:
            keys[k] = read[-1] if isinstance(read[-1], tuple) else ("sums", read[-1])
    for node, key in zip(nodes, list(keys), strict=True):
        for i in node.inputs if key is not None else ():
            keys[i] = i if i in shared else keys[i]
    layers = Layers((n.name or "", n.scope) for n in nodes)
    if folded is not None:
        layers = layers_of(nodes, [r.name for r in folded.recurrences])

    def block(key: Hashable, members: tuple[int, ...]) -> Block:
        k = members[-1]
        if isinstance(key, tuple):
            return Block("dW", gradients(nodes, members, layers), "weight", members)
        if k in shared:
            return Block(identifier(nodes[k].name or "array"), called(nodes[k]), "weight", members)
        named = next((i for i in reversed(members) if nodes[i].name), k)
        node = nodes[named]
        sub = layers.sub(node.name, node.scope) if node.name else ""
        main = next((i for i in reversed(members) if not nodes[i].is_alias), k)
        label = sign(nodes, main, members)
        is_weighed = level == "gate" and nodes[main].lowering.weight is not None
        if node.name is None and (label == LINEAR or is_weighed):
            label = affine(nodes, members, free - carried)
        if level == "gate" and folded is not None and is_adjoint(folded):
            label = (*label, *factor(nodes, main, keys, layers))
        if node.name:
            letter = symbol(node.name, times.get(named, ""), sub)
            label = letter if node.op in ("input", "constant") else (*label, SEPARATOR, *letter)
        kind = _kind(nodes, main, k in states, k in results, k in memory)
        kind = f"{kind}:{purposes[main]}" if kind == "gate" and main in purposes else kind
        kind = "weight" if k in fixed and k not in states and k not in results else kind
        name = identifier(node.name or nodes[main].op, sub, "" if node.t is None else f"t{node.t}")
        return Block(name, label, kind, members, step=node.t)

    made = merge(nodes, keys, block, folded, results)
    return replace(made, shared=frozenset(made.of[k] for k in shared if k in made.of))


def _keys(
    nodes: Sequence[Node], free: set[int], level: str, fixed: set[int], weights: set[int],
    joined: Collection[int],
) -> list[Hashable]:  # fmt: skip
    """Each node's own number, or that of the node that it is merged into."""
    keys: list[int | None] = [None if k in free else k for k in range(len(nodes))]
    readers: list[set[int]] = [set() for _ in nodes]
    for k, node in enumerate(nodes):
        for i in node.inputs:
            readers[i].add(k)
    chained = [_is_affine(nodes, k, free, weights) for k in range(len(nodes))]
    for k in range(len(nodes) - 1, -1, -1):
        node = nodes[k]
        for i in node.inputs:
            alone = keys[i] is not None and readers[i] == {k} and i not in fixed
            if not alone or node.op == "input" or nodes[i].op == "input":
                continue
            is_rename = node.is_alias
            is_chain = level == "gate" and chained[i] and (chained[k] or is_activation(node))
            # A value in another shape is the same value: at gate level it has no box of its own.
            is_view = level == "gate" and nodes[i].name is None and _is_reshaped(nodes, i)
            if is_rename or is_chain or is_view or i in joined:
                keys[i] = keys[k]
    return list(keys)


def _is_affine(nodes: Sequence[Node], k: int, free: set[int], weights: set[int]) -> bool:
    """A product with a parameter, or a sum that has such a product or a parameter in it."""
    node = nodes[k]
    if node.lowering.weight is not None:
        return any(i in free for i in node.inputs)
    if node.op == "multiply":  # a weight for each unit, as of peepholes
        return any(i in weights and nodes[i].op == "input" for i in node.inputs)
    if node.lowering.chain != SUMS:
        return False
    return any(i in free or (adds(nodes[i]) and _reads(nodes, i, free)) for i in node.inputs)


def _reads(nodes: Sequence[Node], k: int, free: set[int]) -> bool:
    """Whether a chain of sums ends in a product with a parameter."""
    stack = [k]
    while stack:
        node = nodes[stack.pop()]
        if node.lowering.weight is not None and any(i in free for i in node.inputs):
            return True
        if node.lowering.chain == SUMS:
            stack += [i for i in node.inputs if adds(nodes[i])]
    return False


def _is_reshaped(nodes: Sequence[Node], k: int) -> bool:
    """Whether a node has all entries of the one that it reads, in another shape."""
    node = nodes[k]
    if not node.lowering.view or len(node.inputs) != 1:
        return False
    return bool(np.prod(node.shape) == np.prod(nodes[node.inputs[0]].shape))


def _kind(
    nodes: Sequence[Node], k: int, is_state: bool, is_result: bool, is_memory: bool
) -> str:
    if nodes[k].op == "input":
        return "input"
    if nodes[k].op == "constant":
        return "constant"
    if is_state:
        return "cell" if is_memory else "hidden"
    if is_result:
        return "output"
    return "gate" if is_activation(nodes[k]) else "op"
