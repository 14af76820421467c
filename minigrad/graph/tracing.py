"""Graphs from functions: run once on tensors, and freeze what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.captured import Static
from minigrad.core import FROZEN, SERIALS, Tensor, ancestors, to_array
from minigrad.frozen import Frozen
from minigrad.graph.nodes import Graph, Node
from minigrad.graph.sameness import difference
from minigrad.habits import function_of
from minigrad.scopes import scope_path
from minigrad.tree import Tree, flatten


def trace(f: Callable[..., Any], *args: Any) -> Graph:
    """Run f once on tensors made of `args` and freeze what happened.

    Shapes, Python control flow and positions of indexing are those of this run; trace again for
    others. Tensors that f closes over become constants.

    >>> import minigrad as mg, numpy as np
    >>> print(mg.trace(lambda x, w: mg.tanh(x @ w), np.ones((2, 3)), np.ones((3, 4))))
    graph(%0: float64[2, 3], %1: float64[3, 4])
      %0 = input: float64[2, 3]
      %1 = input: float64[3, 4]
      %2 = matmul(%0, %1): float64[2, 4]
      %3 = tanh(%2): float64[2, 4]
      return %3
    """
    return _traced(f, args, None)


def _traced(
    f: Callable[..., Any], args: tuple[Any, ...], what: str | None, is_step: bool = False
) -> Graph:
    """The graph of one run; with `what`, decisions on values are refused in its name."""
    start = next(SERIALS)
    values, in_tree = flatten(args)
    inputs, leaves = [], []
    for value, path in zip(values, in_tree.paths(), strict=True):
        if type(value) is Static:
            leaves.append(value.value)
            continue
        leaf = Tensor(value._data if type(value) is Tensor else value)
        known = value.name if type(value) is Tensor else None
        leaf.name = known or (path.split("].")[-1] if "]." in path else None)
        inputs.append(leaf)
        leaves.append(leaf)
    serials = frozenset(x.serial for x in inputs)
    token = FROZEN.set(Frozen(what, serials, is_step) if what else None)
    try:
        result = function_of("trace", f)(*in_tree.unflatten(leaves))
    finally:
        FROZEN.reset(token)
    outputs, out_tree = flatten(result)
    whole = in_tree if len(inputs) == len(leaves) else None
    return freeze(inputs, outputs, whole, out_tree, start)


def trace_for_all(what: str, f: Callable[..., Any], *args: Any, is_step: bool = False) -> Graph:
    """The graph of f for all values that its arguments may have.

    What one trace would freeze is refused, in the name of `what`: decisions on values where they
    are made, and by a second trace, whose graph must be the same, what changes by itself.

    Raises:
        TypeError: a value is decided on.
        ValueError: the two traces differ.
    """
    graph = _traced(f, args, what, is_step)
    off = difference(graph, _traced(f, args, what, is_step))
    if off is not None:
        raise ValueError(
            f"{what}: run twice on the same values, it did not do the same: {off}. A random draw, "
            "the clock or a counter would be frozen at its first value; draw outside and hand the "
            f"numbers in{', in x or in the start state' if is_step else ''}"
        )
    return graph


def freeze(
    inputs: Sequence[Tensor],
    outputs: Sequence[Any],
    in_tree: Tree | None = None,
    out_tree: Tree | None = None,
    since: int = -1,
) -> Graph:
    """The graph from input tensors to outputs; nodes made before `since` are constants."""
    made = ancestors(*[x for x in outputs if type(x) is Tensor], since=since, stop=inputs)
    place: dict[int, int] = {}
    nodes: list[Node] = []
    runs: dict[str, dict[int, int]] = {}

    def add(serial: int | None, node: Node) -> int:
        if serial is not None:
            place[serial] = len(nodes)
        nodes.append(node)
        return len(nodes) - 1

    def node_of(x: Tensor, op: str, inputs: Sequence[int] = (), value: Any = None) -> Node:
        t = x.tag.t if x.tag else None
        scope = scope_path(x.tag, runs)
        return Node(op, tuple(inputs), x.attrs, x.shape, x.dtype, value, x.name, scope, t)

    def constant(value: Any) -> int:
        if type(value) is not Tensor:
            return add(None, _constant(value))
        if value.serial not in place:
            add(value.serial, node_of(value, "constant", value=value._data))
        return place[value.serial]

    for x in inputs:
        add(x.serial, node_of(x, "input"))
    for x in made:
        if x.serial in place:
            continue
        if x.primitive is None:
            constant(x)
            continue
        operands = [
            place[p.serial] if type(p) is Tensor and p.serial in place else constant(p)
            for p in x.parents
        ]
        add(x.serial, node_of(x, x.primitive.name, operands))
    results = []
    for x in outputs:
        if type(x) is Tensor:
            results.append(place[x.serial] if x.serial in place else constant(x))
        else:  # an array is the caller's own, which may be written to
            results.append(constant(to_array(x, "constant") if type(x) is np.ndarray else x))
    in_tree = in_tree or flatten(tuple(inputs))[1]
    out_tree = out_tree or flatten(tuple(outputs))[1]
    return Graph(
        tuple(nodes), tuple(place[x.serial] for x in inputs), tuple(results), in_tree, out_tree
    )


def _constant(value: Any) -> Node:
    if type(value) in (float, int, bool, complex):
        return Node("constant", value=value)
    array = value if isinstance(value, np.ndarray) else to_array(value, "constant")
    return Node("constant", shape=array.shape, dtype=array.dtype, value=array)
