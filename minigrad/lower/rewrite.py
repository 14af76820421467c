"""What every pass works with: a step under change."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace
from operator import is_
from typing import Any

import numpy as np

from minigrad.folded import Folded
from minigrad.graph import Node, prune
from minigrad.tree import flatten


class Rewrite:
    """A step under change: nodes may be replaced or added in any order, and are sorted at the end.

    Attributes:
        nodes: the nodes so far; new ones are added behind.
        outputs: of the step.
    """

    def __init__(self, folded: Folded) -> None:
        self.folded = folded
        self.nodes = list(folded.step.nodes)
        self.outputs = list(folded.step.outputs)

    def add(self, op: str, inputs: Sequence[int], shape: Sequence[int], /, **attrs: Any) -> int:
        """A new node of a primitive, with the dtype that its operands have together."""
        kinds = [d for d in (self.nodes[i].dtype for i in inputs) if d is not None]
        dtype = kinds[0] if op == "lookup" else np.result_type(*kinds)
        self.nodes.append(Node(op, tuple(inputs), attrs, tuple(shape), dtype))
        return len(self.nodes) - 1

    def constant(self, value: Any) -> int:
        """A weak number, or an array."""
        if np.isscalar(value):
            self.nodes.append(Node("constant", value=value))
        else:
            self.nodes.append(Node("constant", (), {}, value.shape, value.dtype, value))
        return len(self.nodes) - 1

    def front(self, pile: int, low: int, high: int) -> int:
        """Entries low … high − 1 along the first axis of a node; itself if those are all."""
        shape = self.nodes[pile].shape
        if (low, high) == (0, shape[0]):
            return pile
        return self.add("index", [pile], (high - low, *shape[1:]), position=(slice(low, high),))

    def entry(self, pile: int, k: int) -> int:
        """Entry k along the first axis of a node."""
        return self.add("index", [pile], self.nodes[pile].shape[1:], position=(k,))

    def joined(self, parts: Sequence[int], axis: int) -> int:
        """Nodes joined along an axis (counted from the end)."""
        shape = list(self.nodes[parts[0]].shape)
        shape[axis] = sum(self.nodes[i].shape[axis] for i in parts)
        return self.add("concatenate", parts, shape, axis=axis)

    def lifted(self, k: int, rank: int) -> int:
        """The node as one entry of a pile: axes of size 1 in front, up to a rank."""
        shape = self.nodes[k].shape
        gap = rank - len(shape)
        if not gap:
            return k
        axes = tuple(range(-rank, -len(shape)))
        return self.add("expand_dims", [k], (*(1,) * gap, *shape), axis=axes)

    def become(self, k: int, other: int) -> None:
        """Let node k be what another, newly added node is, under its own name."""
        node, old = self.nodes[other], self.nodes[k]
        self.nodes[k] = replace(node, name=old.name, scope=old.scope)

    def done(self) -> Folded:
        """The folded graph with its nodes in order, those nobody needs dropped."""
        before = self.folded.step
        same = len(self.nodes) == len(before.nodes) and all(map(is_, self.nodes, before.nodes))
        if same and tuple(self.outputs) == before.outputs:
            return self.folded
        place = {k: n for n, k in enumerate(_in_order(self.nodes))}
        nodes = []
        for k in place:
            node, inputs = self.nodes[k], tuple(place[i] for i in self.nodes[k].inputs)
            nodes.append(node if inputs == node.inputs else replace(node, inputs=inputs))
        outputs = tuple(place[i] for i in self.outputs)
        inputs = tuple(place[i] for i in before.inputs)
        step = prune(nodes, inputs, outputs, before.in_tree, flatten(outputs)[1])
        return replace(self.folded, step=step)


def _in_order(nodes: Sequence[Node]) -> list[int]:
    """Indices so that every node comes after its operands, otherwise as they stand."""
    missing = [len(set(node.inputs)) for node in nodes]
    users: list[list[int]] = [[] for _ in nodes]
    for k, node in enumerate(nodes):
        for i in set(node.inputs):
            users[i].append(k)
    ready = [k for k, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        k = heapq.heappop(ready)
        order.append(k)
        for user in users[k]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready, user)
    return order
