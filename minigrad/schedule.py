"""The schedule of a folded graph: what runs before, in and after each loop over time.

The strongly connected components of the step, with its delayed edges, are the loops. Everything
else has no recurrence and runs once, on whole sequences. What depends on parameters alone runs
once, without time. Source: Appleyard, Kociský and Blunsom (2016), whose hand-made steps this rule
gives by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import STATIC, SUM, Folded, components
from minigrad.graph import Node, prune, same_attrs
from minigrad.tree import flatten


@dataclass(frozen=True)
class Stage:
    """Nodes that run together.

    Attributes:
        direction: +1 or −1 for a loop over the steps in that order, 0 for whole sequences.
        nodes: indices in the step, in order.
    """

    direction: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Schedule:
    """A folded graph and the order in which its parts run.

    Attributes:
        folded: what runs, after the passes.
        static: nodes that depend on static inputs alone; they run once, first.
        stages: the rest.
    """

    folded: Folded
    static: tuple[int, ...]
    stages: tuple[Stage, ...]


def schedule(folded: Folded) -> Schedule:
    """Run the passes and find the stages of a folded graph."""
    folded = reassociate(eliminate_common(own_carriers(folded)))
    static = static_nodes(folded)
    stages: list[Stage] = []
    summed = sums_only(folded)
    for direction, group in components(folded):
        nodes = [k for k in group if k not in static and k not in summed]
        if not nodes:
            continue
        if not direction and not all(_can_batch(folded, k, static) for k in nodes):
            direction = 1
        if stages and not direction and not stages[-1].direction:
            stages[-1] = Stage(0, (*stages[-1].nodes, *nodes))
        else:
            stages.append(Stage(direction, tuple(nodes)))
    runs = {"input", "constant"}
    return Schedule(
        folded,
        tuple(k for k in sorted(static) if folded.step.nodes[k].op not in runs),
        tuple(stages),
    )


def static_nodes(folded: Folded) -> set[int]:
    """Nodes whose value is the same at every step."""
    result: set[int] = set()
    for k, role in enumerate(folded.inputs):
        if role == STATIC:
            result.add(folded.step.inputs[k])
    for k, node in enumerate(folded.step.nodes):
        if node.op == "constant" or (node.inputs and all(i in result for i in node.inputs)):
            result.add(k)
    return result


def sums_only(folded: Folded) -> set[int]:
    """Nodes that are used for a sum over steps and nothing else: they run after the loops.

    A sum of products over steps is one product over all rows, so these nodes are never computed
    step by step; see `minigrad.program`.
    """
    users = folded.step.users()
    wanted: dict[int, set[str]] = {}
    for k, role in enumerate(folded.outputs):
        wanted.setdefault(folded.step.outputs[k], set()).add(role)
    result: set[int] = set()
    for k in range(len(folded.step.nodes) - 1, -1, -1):
        node = folded.step.nodes[k]
        roles = wanted.get(k, set())
        if node.op in ("input", "constant") or roles - {SUM}:
            continue
        below = [j for j, _ in users[k]]
        if all(j in result and folded.step.nodes[j].op in THROUGH for j in below) and (
            roles or below
        ):
            result.add(k)
    return result


THROUGH = frozenset(("add", "sub", "neg", "alias", "transpose", "expand_dims", "squeeze"))
"""Linear operations that a sum over steps passes through."""


def _can_batch(folded: Folded, k: int, static: set[int]) -> bool:
    node = folded.step.nodes[k]
    if node.op in ("input", "constant"):
        return True
    if node.op == "lookup":
        return node.inputs[0] in static
    return PRIMITIVES[node.op].lift is not None


# --- passes: folded graph to folded graph, same numbers -------------------------------------------


def _rebuilt(
    folded: Folded, nodes: list[Node], inputs: Iterable[int], outputs: Iterable[int]
) -> Folded:
    """The folded graph with other nodes; those nobody needs are dropped."""
    results = tuple(outputs)
    tree = flatten(results)[1]
    step = prune(nodes, tuple(inputs), results, folded.step.in_tree, tree)
    return Folded(step, folded.inputs, folded.outputs, folded.recurrences)


def own_carriers(folded: Folded) -> Folded:
    """Give every recurrence a node of its own to carry its value, an alias where one is shared.

    Each recurrence then has one buffer: its start values followed by the values of its node.
    """
    nodes, outputs = list(folded.step.nodes), list(folded.step.outputs)
    static = static_nodes(folded)
    taken: set[int] = set()
    for r in folded.recurrences:
        k = outputs[r.output]
        if k in taken or k in static or nodes[k].op in ("input", "constant"):
            nodes.append(replace(nodes[k], op="alias", inputs=(k,), attrs={}, value=None))
            k = outputs[r.output] = len(nodes) - 1
        taken.add(k)
    return _rebuilt(folded, nodes, folded.step.inputs, outputs)


def eliminate_common(folded: Folded) -> Folded:
    """Compute equal expressions once. Nodes that carry a recurrence are left alone."""
    nodes = list(folded.step.nodes)
    carriers = {folded.step.outputs[r.output] for r in folded.recurrences}
    first: dict[tuple[object, ...], list[int]] = {}
    same: dict[int, int] = {}
    for k, node in enumerate(nodes):
        node = nodes[k] = replace(node, inputs=tuple(same.get(i, i) for i in node.inputs))
        if node.op in ("input", "constant") or k in carriers:
            continue
        alike = first.setdefault((node.op, node.inputs), [])
        for j in alike:
            if same_attrs(nodes[j].attrs, node.attrs) and nodes[j].dtype == node.dtype:
                same[k] = j
                break
        else:
            alike.append(k)
    results = (same.get(i, i) for i in folded.step.outputs)
    return _rebuilt(folded, nodes, folded.step.inputs, results)


def reassociate(folded: Folded) -> Folded:
    """Group what does not recur: (x W + h U) + b becomes (x W + b) + h U.

    In a chain of sums or products inside a loop, the operands from outside the loop are combined
    first; that part then leaves the loop and runs once on whole sequences.
    """
    nodes = folded.step.nodes
    looped = {k for direction, group in components(folded) if direction for k in group}
    users = folded.step.users()
    kept = set(folded.step.outputs)
    order: list[Node] = []
    place: dict[int, int] = {}

    def absorbed(k: int) -> bool:
        """Whether a sum or product is only a term of a larger one."""
        if nodes[k].op not in ("add", "mul") or k not in looped or k in kept or len(users[k]) != 1:
            return False
        above = nodes[users[k][0][0]]
        return above.op == nodes[k].op and above.shape == nodes[k].shape

    def emit(node: Node, *operands: int) -> int:
        order.append(replace(node, inputs=operands))
        return len(order) - 1

    for k, node in enumerate(nodes):
        if absorbed(k):
            continue
        terms = _terms(nodes, k, absorbed) if node.op in ("add", "mul") and k in looped else []
        outside = [i for i in terms if i not in looped]
        if len(outside) < 2 or len(outside) == len(terms):
            place[k] = _chain(emit, order, node, terms, place) if terms else emit(
                node, *(place[i] for i in node.inputs))  # fmt: skip
        else:
            place[k] = _chain(emit, order, node, outside + [i for i in terms if i in looped], place)
    return _rebuilt(
        folded,
        order,
        (place[i] for i in folded.step.inputs),
        (place[i] for i in folded.step.outputs),
    )


def _terms(nodes: Sequence[Node], k: int, absorbed: Callable[[int], bool]) -> list[int]:
    """The operands of a chain of sums or products, in order."""
    terms, pending = [], list(reversed(nodes[k].inputs))
    while pending:
        i = pending.pop()
        if nodes[i].op == nodes[k].op and absorbed(i):
            pending += reversed(nodes[i].inputs)
        else:
            terms.append(i)
    return terms


def _chain(
    emit: Callable[..., int],
    order: Sequence[Node],
    node: Node,
    terms: Sequence[int],
    place: Mapping[int, int],
) -> int:
    """Terms combined from left to right; the last combination is the node itself."""
    total = place[terms[0]]
    for i in terms[1:-1]:
        shape = np.broadcast_shapes(order[total].shape, order[place[i]].shape)
        total = emit(replace(node, name=None, shape=shape), total, place[i])
    return emit(node, total, place[terms[-1]])
