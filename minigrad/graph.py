"""Graphs: frozen straight-line programs, and what can be done with them without running them.

`trace` runs a function once on tensors and freezes what happened. Nodes refer to earlier nodes by
index, so a graph is its own topological order; it prints, replays, compares and differentiates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minigrad.captured import Static
from minigrad.core import (
    FROZEN,
    PRIMITIVES,
    SERIALS,
    TAG,
    Tag,
    Tensor,
    ancestors,
    pull_back,
    to_array,
)
from minigrad.errors import ShapeError, at
from minigrad.facts import PLAIN, SUMS, Lowering
from minigrad.frozen import Frozen
from minigrad.habits import function_of
from minigrad.ops import zeros_like
from minigrad.scopes import scope_path
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


def trace_for_all(
    what: str, f: Callable[..., Any], *args: Any, is_step: bool = False
) -> Graph:
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
            "numbers in"
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

    def constant(value: Any) -> int:
        if type(value) is Tensor:
            if value.serial not in place:
                node = _constant(value._data, value.name)
                t = value.tag.t if value.tag else None
                add(value.serial, replace(node, scope=scope_path(value.tag, runs), t=t))
            return place[value.serial]
        return add(None, _constant(value, None))

    for x in inputs:
        scope = scope_path(x.tag, runs)
        t = x.tag.t if x.tag else None
        add(x.serial, Node("input", shape=x.shape, dtype=x.dtype, name=x.name, scope=scope, t=t))
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
        add(
            x.serial,
            Node(
                x.primitive.name,
                tuple(operands),
                x.attrs,
                x.shape,
                x.dtype,
                name=x.name,
                scope=scope_path(x.tag, runs),
                t=x.tag.t if x.tag else None,
            ),
        )
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


def _constant(value: Any, name: str | None) -> Node:
    if type(value) in (float, int, bool, complex):
        return Node("constant", value=value)
    array = value if isinstance(value, np.ndarray) else to_array(value, "constant")
    return Node("constant", shape=array.shape, dtype=array.dtype, value=array, name=name)


# --- graphs from graphs -------------------------------------------------------------------------


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
        for k in seeded:
            node = graph.nodes[graph.outputs[k]]
            seed = Tensor(
                np.full(node.shape, 0.5, node.dtype), f"∂{node.name}" if node.name else None
            )
            seed.tag = getattr(outputs[k], "tag", None)
            seeds.append(seed)
        start: dict[int, Any] = {}
        for k, seed in zip(seeded, seeds, strict=True):
            if type(outputs[k]) is not Tensor:
                continue
            serial = outputs[k].serial
            start[serial] = start[serial] + seed if serial in start else seed
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
    forward = replace(
        graph,
        outputs=(*graph.outputs, *residuals),
        out_tree=flatten((*graph.outputs, *residuals))[1],
    )
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


# --- equality -----------------------------------------------------------------------------------


def same_attrs(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether attributes are equal, arrays and slices inside tuples included."""
    return list(a) == list(b) and all(_same(a[key], b[key]) for key in a)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        alike = type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape
        return alike and (np.array_equal(a, b) or a.tobytes() == b.tobytes())  # NaN equals NaN
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if type(a) is not type(b):
        return False
    return a.is_like(b) if hasattr(a, "is_like") else bool(a == b or (a != a and b != b))


def same_node(a: Node, b: Node) -> bool:
    """Whether two nodes do the same, names and tags aside."""
    return (
        a.op == b.op
        and a.shape == b.shape
        and a.dtype == b.dtype
        and len(a.inputs) == len(b.inputs)
        and same_attrs(a.attrs, b.attrs)
        and (a.op != "constant" or _same(a.value, b.value))
    )


def difference(a: Graph, b: Graph) -> str | None:
    """Where two graphs are not isomorphic, in words; None if they are.

    Outputs and operands are ordered, so walking both from their outputs at once finds the only
    mapping there can be. Names, tags and the identity of constants do not count.
    """
    if len(a.inputs) != len(b.inputs) or len(a.outputs) != len(b.outputs):
        return (
            f"{len(a.inputs)} and {len(b.inputs)} inputs, "
            f"{len(a.outputs)} and {len(b.outputs)} outputs"
        )
    there = dict(zip(a.inputs, b.inputs, strict=True))
    back = {j: i for i, j in there.items()}
    pending = list(zip(a.outputs, b.outputs, strict=True))
    while pending:
        i, j = pending.pop()
        p, q = a.nodes[i], b.nodes[j]
        if p.op == "constant" and q.op == "constant":
            if same_node(p, q):
                continue
            reader = next((n for n in a.nodes if i in n.inputs), p)
            place = f"{reader.op}{at(Tag(reader.scope, reader.t))}"
            return f"the constant that {place} reads is {as_text(p.value)}, then {as_text(q.value)}"
        if there.get(i, j) != j or back.get(j, i) != i:
            return f"%{i} ({p.op}) is shared differently from %{j} ({q.op})"
        if not same_node(p, q):
            place = f" at t = {p.t}" if p.t is not None else ""
            return f"%{i} = {p.op}{list(p.shape)}{place} became %{j} = {q.op}{list(q.shape)}"
        if i not in there or p.op != "input":
            there[i], back[j] = j, i
            a_inputs = p.inputs
            pending += [
                (m, n) for m, n in zip(a_inputs, q.inputs, strict=True) if there.get(m) != n
            ]
    return None


def isomorphic(a: Graph, b: Graph) -> bool:
    """Whether two graphs are the same program up to numbering and names."""
    return difference(a, b) is None


def canonical(graph: Graph, table: dict[Any, int]) -> list[int]:
    """A number for every node, equal for equal expressions; sums count as unordered.

    Graphs numbered with the same `table` can be compared: equal numbers, equal expressions.
    """
    keys: list[int] = []
    addends: dict[int, tuple[int, ...]] = {}
    order = {i: k for k, i in enumerate(graph.inputs)}
    for k, node in enumerate(graph.nodes):
        operands: Iterable[int] = (keys[i] for i in node.inputs)
        if node.lowering.chain == SUMS and all(
            graph.nodes[i].shape == node.shape for i in node.inputs
        ):
            terms: list[int] = []
            for key in operands:
                terms += addends.get(key, (key,))
            if len(terms) == 1:
                keys.append(terms[0])
                continue
            about: Any = ("Σ", tuple(sorted(terms)))
        elif node.op == "input":
            about = ("input", order[k])
        elif node.op == "constant":
            about = ("constant", node.shape, as_text(node.value), np.asarray(node.value).tobytes())
        else:
            attrs = tuple((name, as_text(value)) for name, value in node.attrs.items())
            about = (node.op, tuple(operands), attrs)
        key = table.setdefault(about, len(table))
        if about[0] == "Σ":
            addends[key] = about[1]
        keys.append(key)
    return keys
