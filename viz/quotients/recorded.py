"""Recorded graphs: what a tensor was made from, or a traced graph, with values and gradients.

A tensor's ancestors become the nodes of a graph, so that it is drawn by the same code as a cell.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array, Tensor, ancestors
from minigrad.graph import Graph, Node, apply
from viz.quotients.roles import reached

SMALL = 4096
"""Equal arrays of a step that are no larger are drawn once."""


@dataclass(frozen=True)
class Record:
    """Nodes in order, which of them are results, what is known of their numbers.

    Attributes:
        serials: of recorded tensors the number of the node, by the tensor's serial number.
    """

    nodes: tuple[Node, ...]
    results: tuple[int, ...]
    values: Mapping[int, Array] = field(default_factory=dict)
    gradients: Mapping[int, Array] = field(default_factory=dict)
    serials: Mapping[int, int] = field(default_factory=dict)

    @property
    def times(self) -> list[int]:
        """The time steps from 1 that nodes are tagged with, sorted."""
        return sorted({node.t for node in self.nodes if node.t is not None and node.t > 0})

    def carried(self) -> set[int]:
        """Nodes whose name, at some step, another step reads: states, by what happened to them."""
        places = {
            (self.nodes[i].scope, self.nodes[i].name)
            for node in self.nodes
            for i in node.inputs
            if None not in (node.t, self.nodes[i].t) and node.t != self.nodes[i].t
        }
        return {
            k for k, node in enumerate(self.nodes)
            if node.name and node.t is not None and (node.scope, node.name) in places
            and node.op not in ("input", "constant")
        }  # fmt: skip

    def memories(self, carried: Collection[int]) -> set[int]:
        """Of carried values those that another one of their step is made from, without a weight."""
        fixed = self.free()
        steps: dict[tuple[str, int | None], list[int]] = {}
        for k, node in enumerate(self.nodes):
            steps.setdefault((node.scope, node.t), []).append(k)
        own = {k: steps[self.nodes[k].scope, self.nodes[k].t] for k in carried}
        return {k for k in own if reached(self.nodes, k, fixed, own[k]) & own.keys()}

    def shares(self) -> dict[tuple[int, int], Array]:
        """The gradient of each shared parameter by each node that reads it; they add up to it.

        Empty where the gradients are not those of the one number that was made.
        """
        given = self.free() & self.gradients.keys()
        uses = [(k, j) for j, node in enumerate(self.nodes) for k in {*node.inputs} & given]
        result = self.results[0]
        if not uses or self.nodes[result].shape:
            return {}

        def made(read: list[Any]) -> Any:
            of, values = dict(zip(uses, read, strict=True)), list[Any]()
            for j, node in enumerate(self.nodes):
                inputs = [of.get((i, j), values[i]) for i in node.inputs]
                values.append(apply(node, inputs) if node.inputs else self.values[j])
            return values[result]

        found = dict(zip(uses, mg.grad(made)([self.values[k] for k, _ in uses]), strict=True))
        for k in given:
            whole = sum(g for (i, _), g in found.items() if i == k)
            if not np.allclose(whole, self.gradients[k], equal_nan=True):
                return {}
        return found

    def free(self) -> set[int]:
        """In a graph over time, what all steps share: drawn as tags beside its readers."""
        if not self.times:
            return set()
        leaves = ("input", "constant")
        return {k for k, node in enumerate(self.nodes) if node.op in leaves and node.t is None}


def of_graph(graph: Graph) -> Record:
    """The record of a traced graph: no values but those of constants."""
    values = {k: np.asarray(n.value) for k, n in enumerate(graph.nodes) if n.op == "constant"}
    return Record(graph.nodes, tuple(dict.fromkeys(graph.outputs)), values)


def of_tensor(tensor: Tensor) -> Record:
    """The record of all that a tensor was made from.

    >>> import minigrad as mg
    >>> w = mg.Tensor([1.0, 2.0], name="w")
    >>> [node.op for node in of_tensor((w * 3.0).sum()).nodes]
    ['input', 'constant', 'multiply', 'sum']
    """
    nodes: list[Node] = []
    values: dict[int, Array] = {}
    gradients: dict[int, Array] = {}
    place: dict[int, int] = {}
    arrays: dict[Any, int] = {}

    def constant(value: Any, reader: Tensor) -> int:
        """A number or array that was no tensor; an array is one box for all readers of a step."""
        array = np.asarray(value)
        t = reader.t if array.ndim else None
        key = (t, array.shape, array.dtype.str, array.tobytes()) if array.size <= SMALL else None
        if array.ndim and key in arrays:
            return arrays[key]
        op = "constant" if t is None else "input"
        nodes.append(Node(op, (), {}, array.shape, array.dtype, value, scope=reader.scope, t=t))
        values[len(nodes) - 1] = array
        if key is not None:
            arrays[key] = len(nodes) - 1
        return len(nodes) - 1

    for x in ancestors(tensor):
        operands = tuple(
            place[p.serial] if type(p) is Tensor else constant(p, x) for p in x.parents
        )
        op = x.primitive.name if x.primitive else "input"
        place[x.serial] = k = len(nodes)
        given = {"name": x.name, "scope": x.scope, "t": x.t}
        nodes.append(Node(op, operands, x.attrs, x.shape, x.dtype, **given))
        values[k] = x.data
        if x.grad is not None:
            gradients[k] = x.grad
    return Record(tuple(nodes), (place[tensor.serial],), values, gradients, place)
