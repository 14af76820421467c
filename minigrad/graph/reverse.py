"""Reverse-mode differentiation of a graph, as a pair of graphs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import SERIALS, Tag, Tensor, ancestors, pull_back
from minigrad.graph.nodes import Graph, apply
from minigrad.graph.tracing import freeze
from minigrad.ops import zeros_like


@dataclass(frozen=True, eq=False)
class GraphAdjoint:
    """A graph made to emit what backward will read, and the graph that reads it.

    Attributes:
        forward: inputs of the original; its outputs, then the residuals.
        backward: residuals, then a cotangent for every differentiable output; gives a cotangent
            for every differentiable input.
        residuals: indices of the residuals in the nodes of `forward`.
        wrt: which inputs of the original are differentiable; `seeded`: which outputs.
    """

    forward: Graph
    backward: Graph
    residuals: tuple[int, ...]
    wrt: tuple[int, ...]
    seeded: tuple[int, ...]

    def __iter__(self) -> Iterator[Graph]:
        return iter((self.forward, self.backward))


def graph_adjoint(
    graph: Graph, silent: Collection[int] = (), fixed: Collection[int] = ()
) -> GraphAdjoint:
    """Reverse-mode differentiation of a graph, as a pair of graphs.

    Outputs in `silent` get no cotangent, inputs in `fixed` are not differentiated.
    """
    with np.errstate(all="ignore"):
        inputs, made = _rerun(graph)
        outputs = [made[i] for i in graph.outputs]
        mark = next(SERIALS)
        wrt = [k for k, x in enumerate(inputs) if x.dtype.kind == "f" and k not in fixed]
        # A constant output has a cotangent too, which nothing reads: roles stay dual.
        kinds = [getattr(graph.nodes[i].dtype, "kind", "") for i in graph.outputs]
        seeded = [k for k, kind in enumerate(kinds) if k not in silent and kind == "f"]
        seeds = []
        start: dict[int, Any] = {}
        for k in seeded:
            node, y = graph.nodes[graph.outputs[k]], outputs[k]
            seed = Tensor(node.example(), f"∂{node.name}" if node.name else None)
            seeds.append(seed)
            if type(y) is Tensor:
                seed.tag = y.tag
                start[y.serial] = start[y.serial] + seed if y.serial in start else seed
        nodes = ancestors(*[outputs[k] for k in seeded if type(outputs[k]) is Tensor])
        found = pull_back(nodes, start, {inputs[k].serial for k in wrt}, recorded=True)
    grads = []
    for k in wrt:
        g = found.get(inputs[k].serial)
        grads.append(zeros_like(inputs[k]) if g is None else g)
    # Whatever the backward nodes read of the forward ones is a residual.
    later = ancestors(*[g for g in grads if type(g) is Tensor], since=mark)
    place = {x.serial: i for i, x in enumerate(made) if type(x) is Tensor}
    read = {p.serial for x in later for p in x.parents if type(p) is Tensor and p.serial < mark}
    read |= {g.serial for g in grads if type(g) is Tensor and g.serial < mark}
    residuals = sorted(place[s] for s in read if graph.nodes[place[s]].op != "constant")
    leaves = [made[i] for i in residuals]
    backward = freeze([*leaves, *seeds], grads)
    forward = graph.giving((*graph.outputs, *residuals))
    return GraphAdjoint(forward, backward, tuple(residuals), tuple(wrt), tuple(seeded))


def _rerun(graph: Graph) -> tuple[list[Tensor], list[Any]]:
    """The graph on example values: its input tensors and what every node became."""
    made: list[Any] = [None] * len(graph.nodes)
    inputs = []
    for i in graph.inputs:
        node = graph.nodes[i]
        leaf = Tensor(node.example(), node.name)
        leaf.tag = Tag(node.scope, node.t) if node.scope or node.t is not None else None
        made[i] = leaf
        inputs.append(leaf)
    for k, node in enumerate(graph.nodes):
        if node.op == "constant":
            made[k] = node.value
        elif node.op != "input":
            made[k] = apply(node, [made[i] for i in node.inputs], Tag(node.scope, node.t))
    return inputs, made
