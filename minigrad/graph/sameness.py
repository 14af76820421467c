"""When two graphs are the same program, and where they are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.core import Tag
from minigrad.errors import at
from minigrad.facts import SUMS
from minigrad.graph.nodes import Graph, Node, as_text


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
            operands = zip(p.inputs, q.inputs, strict=True)
            pending += [(m, n) for m, n in operands if there.get(m) != n]
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
