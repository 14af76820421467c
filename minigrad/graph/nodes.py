"""Frozen straight-line programs: nodes, the graph of them, its text, and running it again.

Nodes refer to earlier nodes by index, so a graph is its own topological order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES, TAG, Tag, Tensor
from minigrad.errors import ShapeError
from minigrad.facts import PLAIN, Lowering
from minigrad.show import picture
from minigrad.tree import Tree, flatten

SHOWN = 200
"""Longer graphs are abridged when printed; `graph.text(limit=None)` gives all."""


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One line of a graph.

    Attributes:
        op: the name of a primitive, or "input", or "constant".
        inputs: indices of earlier nodes, in the order of the primitive's operands.
        attrs: the primitive's attributes.
        shape, dtype: of the value; a Python number has dtype None, because it is weak.
        value: of a constant.
        name, scope, t: how it was named and tagged.
    """

    op: str
    inputs: tuple[int, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] | None = None
    value: Any = None
    name: str | None = None
    scope: str = ""
    t: int | None = None

    @property
    def lowering(self) -> Lowering:
        """What is known of its operation; of inputs and constants nothing."""
        return PRIMITIVES[self.op].lowering if self.op in PRIMITIVES else PLAIN

    @property
    def is_alias(self) -> bool:
        """Whether it is there for the sake of a second name."""
        return self.op == "alias"

    @property
    def label(self) -> str:
        """What pictures show in the node."""
        if self.op in PRIMITIVES:
            return PRIMITIVES[self.op].label
        return self.name or (format(self.value, "g") if np.isscalar(self.value) else self.op)

    def example(self) -> Any:
        """A value of this shape and dtype, to run rules on: halves, or zeros of integers."""
        if self.op == "constant":
            return self.value
        dtype = np.dtype(float) if self.dtype is None else self.dtype
        return np.full(self.shape, 0.5 if dtype.kind == "f" else 0).astype(dtype)

    def signature(self) -> str:
        """Shape and dtype as text, `float64[4, 5]`."""
        kind = "number" if self.dtype is None else self.dtype.name
        return f"{kind}{list(self.shape) if self.shape else ''}"


@dataclass(frozen=True, eq=False)
class Graph:
    """A straight-line program on arrays; call it again on new arrays or on tensors.

    Attributes:
        nodes: every node after its inputs.
        inputs, outputs: indices of nodes, in the order of the leaves of the trees.
        in_tree: the structure of the arguments, a tuple; `out_tree`: that of the result.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    in_tree: Tree
    out_tree: Tree

    def __len__(self) -> int:
        return len(self.nodes)

    def __call__(self, *args: Any) -> Any:
        """Run the program on arguments of the traced structure, shapes and dtypes.

        Raises:
            ShapeError: an argument has another shape than the traced one.
        """
        values, tree = flatten(args)
        if tree.paths() != self.in_tree.paths():
            raise ValueError(
                f"graph: arguments have structure {tree.paths()[:8]}, "
                f"it was traced with {self.in_tree.paths()[:8]}"
            )
        for k, (index, value) in enumerate(zip(self.inputs, values, strict=True)):
            node, shape = self.nodes[index], np.shape(getattr(value, "_data", value))
            if shape != node.shape:
                raise ShapeError(
                    f"graph: input {node.name or k} has shape {shape}, it was traced with "
                    f"{node.shape}; trace again for another shape"
                )
            values[k] = value if isinstance(value, Tensor | np.ndarray) else np.asarray(value)
        return self.out_tree.unflatten(replay(self, values))

    def giving(self, outputs: tuple[int, ...]) -> Graph:
        """The same program with other results."""
        return replace(self, outputs=outputs, out_tree=flatten(outputs)[1])

    def users(self) -> list[list[tuple[int, int]]]:
        """For each node, the `(node, port)` pairs that read it."""
        result: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for k, node in enumerate(self.nodes):
            for port, source in enumerate(node.inputs):
                result[source].append((k, port))
        return result

    def text(self, limit: int | None = SHOWN) -> str:
        """The program as text, one node a line; the same in every process."""
        given = ", ".join(f"%{i}: {self.nodes[i].signature()}" for i in self.inputs)
        lines = [
            f"graph({given if limit is None or len(given) < 400 else f'{len(self.inputs)} inputs'})"
        ]
        skipped = range(0)
        if limit is not None and len(self.nodes) > limit:
            skipped = range(limit * 3 // 4, len(self.nodes) - limit // 4)
        for k in (*range(skipped.start), *range(skipped.stop, len(self.nodes))):
            if k == skipped.stop and skipped:
                lines.append(f"  … {len(skipped)} more nodes")
            lines.append(self._line(k))
        lines.append(f"  return {', '.join(f'%{i}' for i in self.outputs)}")
        return "\n".join(lines)

    def _line(self, k: int) -> str:
        node = self.nodes[k]
        if node.op == "constant":
            call = f"constant {as_text(node.value)}"
        else:
            words = [f"%{i}" for i in node.inputs]
            words += [f"{key}={as_text(value)}" for key, value in node.attrs.items()]
            call = f"{node.op}({', '.join(words)})" if node.op != "input" else "input"
        place = ".".join(part for part in (node.scope, node.name) if part)
        step = f" at t = {node.t}" if node.t is not None else ""
        note = f"  # {place}{step}" if place or step else ""
        return f"  %{k} = {call}: {node.signature()}{note}"

    __str__ = text
    _repr_svg_ = picture

    def __repr__(self) -> str:
        return f"<Graph of {len(self.nodes)} nodes, {len(self.inputs)} inputs>"


def as_text(value: Any) -> str:
    """A value as it is shown in a graph; large arrays by their shape."""
    if isinstance(value, np.ndarray):
        return f"array{list(value.shape)}" if value.size > 8 else f"array({value.tolist()})"
    if isinstance(value, tuple):
        return f"({', '.join(map(as_text, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, slice):
        parts = [value.start, value.stop, *([value.step] if value.step is not None else [])]
        return ":".join("" if part is None else str(part) for part in parts)
    return "…" if value is ... else repr(value)


def replay(graph: Graph, values: Sequence[Any]) -> list[Any]:
    """The outputs for flat input values; names and tags carry over to recorded results."""
    results: list[Any] = [None] * len(graph.nodes)
    for index, value in zip(graph.inputs, values, strict=True):
        results[index] = value
    for k, node in enumerate(graph.nodes):
        if node.op == "constant":
            results[k] = node.value
        elif node.op != "input":
            results[k] = apply(node, [results[i] for i in node.inputs])
    return [results[i] for i in graph.outputs]


def apply(node: Node, operands: list[Any], tag: Tag | None = None) -> Any:
    """What a node's primitive makes of operands, with the node's name and tag."""
    outer = TAG.get()
    if tag is None and (node.scope or node.t is not None):
        path = f"{outer.scope}.{node.scope}" if outer and outer.scope else node.scope
        tag = Tag(path, node.t, outer.run if outer else 0)
    token = TAG.set(tag or outer)
    try:
        result = PRIMITIVES[node.op](*operands, **node.attrs)
    finally:
        TAG.reset(token)
    if type(result) is Tensor:
        result.name = node.name
    return result


def prune(nodes: Sequence[Node], inputs: Sequence[int], outputs: Sequence[int],
          in_tree: Tree | None = None, out_tree: Tree | None = None) -> Graph:  # fmt: skip
    """The graph of those nodes that outputs need, renumbered; inputs stay even if unused."""
    needed = set(inputs) | set(outputs)
    for k in range(len(nodes) - 1, -1, -1):
        if k in needed:
            needed.update(nodes[k].inputs)
    place = {k: j for j, k in enumerate(sorted(needed))}
    kept = list(nodes)
    if len(place) < len(nodes):
        # The fields one by one: `replace` takes twice as long.
        kept = [
            Node(n.op, tuple([place[i] for i in n.inputs]), n.attrs, n.shape, n.dtype, n.value,
                 n.name, n.scope, n.t)
            for n in map(nodes.__getitem__, place)
        ]  # fmt: skip
    return Graph(
        tuple(kept),
        tuple(place[i] for i in inputs),
        tuple(place[i] for i in outputs),
        in_tree or flatten(tuple(inputs))[1],
        out_tree or flatten(tuple(outputs))[1],
    )
