"""What is known of the nodes of a folded step: passes, schedule and engines read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minigrad.core import PRIMITIVES
from minigrad.folded import STATIC, Folded, components, narrowed
from minigrad.graph import Node


def static_nodes(folded: Folded) -> set[int]:
    """Nodes whose value is the same at every step; not carriers, which have a buffer to fill."""
    result = {i for i, r in zip(folded.step.inputs, folded.inputs, strict=True) if r == STATIC}
    kept = carriers(folded)
    for k, node in enumerate(folded.step.nodes):
        fixed = k not in kept and node.inputs and all(i in result for i in node.inputs)
        if node.op == "constant" or fixed:
            result.add(k)
    return result


def looped_nodes(folded: Folded) -> set[int]:
    """Nodes that take part in a loop over time."""
    return {k for direction, group in components(folded) if direction for k in group}


def carriers(folded: Folded) -> set[int]:
    """Nodes whose values a recurrence carries."""
    return {folded.step.outputs[r.output] for r in folded.recurrences}


def by_entries(node: Node) -> bool:
    """Whether a node works entry by entry, on operands that are broadcast."""
    primitive = PRIMITIVES.get(node.op)
    return primitive is not None and primitive.by_entries and not node.attrs


def in_buffer(node: Node) -> bool:
    """Whether a node works entry by entry, by a NumPy function that writes into a buffer."""
    return by_entries(node) and PRIMITIVES[node.op].kernel is not None


def lifted(node: Node, steps: int) -> dict[str, Any]:
    """The attributes with which an operation works on that many steps along an axis in front."""
    lift = PRIMITIVES[node.op].lift
    return lift(node.attrs, steps) if callable(lift) else dict(node.attrs)


def read_part(scan: Node, projections: Iterable[Node]) -> tuple[Folded, dict[int, int]]:
    """The loop that a node runs with those results alone that are read, and the place of each."""
    whole: Folded = scan.attrs["kept"]
    plain = len(whole.plain)
    used = sorted(n for n in {node.attrs["k"] for node in projections} if n < plain)
    ends = range(plain, plain + len(whole.recurrences))
    return narrowed(whole, frozenset(used)), {n: at for at, n in enumerate([*used, *ends])}


def front_span(nodes: Sequence[Node], k: int) -> tuple[int, int, int] | None:
    """The node and the entries low … high − 1 along its first axis that an index takes."""
    node = nodes[k]
    if node.op != "index" or len(node.attrs["position"]) != 1:
        return None
    (entry,), size = node.attrs["position"], nodes[node.inputs[0]].shape[0]
    if isinstance(entry, slice) and entry.step is None:
        low, high, _ = entry.indices(size)
        return node.inputs[0], low, high
    if isinstance(entry, int):
        return node.inputs[0], entry % size, entry % size + 1
    return None


def column_span(nodes: Sequence[Node], k: int) -> tuple[int, int, int] | None:
    """The node and the columns low … high − 1 that an index takes, if it takes columns."""
    node = nodes[k]
    if node.op != "index":
        return None
    shape, position = nodes[node.inputs[0]].shape, node.attrs["position"]
    whole = all(p == slice(None) for p in position[:-1]) and len(position) == len(shape)
    if not (whole or (len(position) == 2 and position[0] is ...)):
        return None
    span = position[-1]
    if not isinstance(span, slice) or span.step is not None:
        return None
    low, high, _ = span.indices(shape[-1])
    return node.inputs[0], low, high
