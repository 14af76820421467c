"""The schedule of a folded graph: what runs before, in and after each loop over time.

The strongly connected components of the step, with its delayed edges, are the loops. Everything
else has no recurrence and runs once, on whole sequences. What depends on parameters alone runs
once, without time. Source: Appleyard, Kociský and Blunsom (2016), whose hand-made steps this rule
gives by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import SUM, Folded, components
from minigrad.graph import Node
from minigrad.lower.nodes import in_buffer, static_nodes


@dataclass(frozen=True, eq=False)
class Nest:
    """Operations that run chunk by chunk: batched ones on the whole chunk, then a loop over steps.

    Attributes:
        direction: +1 or −1, the order of the steps.
        batched: nodes without recurrence, entry by entry, computed for a chunk at once.
        looped: nodes of a loop over time, computed step by step.
    """

    direction: int
    batched: tuple[int, ...]
    looped: tuple[int, ...]

    @cached_property
    def inside(self) -> frozenset[int]:
        """The nodes of the loop, to look one up in."""
        return frozenset(self.looped)


@dataclass(frozen=True, eq=False)
class Schedule:
    """A folded graph and the order in which its parts run.

    Attributes:
        folded: what runs, after the passes.
        static: nodes that depend on static inputs alone; they run once, first.
        blocks: the rest, in order: a node that runs once on whole sequences, or a nest.
        summed: nodes that exist only in a sum over steps; they run after the blocks, as one call.
        fixed: all nodes that are the same at every step.
        users: for each node those that read it.
    """

    folded: Folded
    static: tuple[int, ...]
    blocks: tuple[int | Nest, ...]
    summed: frozenset[int]
    fixed: frozenset[int]
    users: tuple[tuple[int, ...], ...]


def schedule(folded: Folded) -> Schedule:
    """The order in which the parts of a folded graph run."""
    nodes, fixed, summed = folded.step.nodes, static_nodes(folded), sums_only(folded)
    stages: list[tuple[int, list[int]]] = []
    for direction, group in components(folded):
        group = [k for k in group if k not in fixed and k not in summed]
        if not direction and not all(_can_batch(folded, k, fixed) for k in group):
            direction = 1
        if group and stages and not direction and not stages[-1][0]:
            stages[-1][1].extend(group)
        elif group:
            stages.append((direction, group))
    blocks: list[int | Nest] = []
    waiting: list[int] = []
    for direction, group in stages:
        if not direction:
            blocks, waiting = _batch(folded, blocks, waiting, sorted(group))
        else:
            needed = _needed(nodes, waiting, group)
            blocks.append(Nest(direction, tuple(k for k in waiting if k in needed), tuple(group)))
            waiting = [k for k in waiting if k not in needed]
    if waiting:
        blocks.append(Nest(1, tuple(waiting), ()))
    return Schedule(
        folded,
        tuple(k for k in sorted(fixed) if nodes[k].op not in ("input", "constant")),
        tuple(blocks),
        frozenset(summed),
        frozenset(fixed),
        tuple(tuple(k for k, _ in reads) for reads in folded.step.users()),
    )


def _needed(nodes: Sequence[Node], waiting: Sequence[int], group: Sequence[int]) -> set[int]:
    """Those of the waiting nodes that a loop reads, at once or through each other."""
    needed, held = set[int](), set(waiting)
    pending = [i for k in group for i in nodes[k].inputs]
    while pending:
        i = pending.pop()
        if i in held and i not in needed:
            needed.add(i)
            pending += nodes[i].inputs
    return needed


def _batch(
    folded: Folded, blocks: list[int | Nest], waiting: list[int], group: list[int]
) -> tuple[list[int | Nest], list[int]]:
    """Put nodes without recurrence in order: large operations as early as they can run.

    Operations by entries wait for the loop that needs them, to run chunk by chunk in front of it.
    """
    nodes, done, origins = folded.step.nodes, set[int](), folded.origins()
    pending = list(group)
    inside = set(group)
    while pending:
        held = set(waiting)
        later: list[int] = []
        for k in pending:
            blocked = any(i in inside and i not in done and i not in held for i in nodes[k].inputs)
            if k in origins:
                # A delayed value is read as a whole: all its steps must have been computed.
                source = origins[k][0]
                blocked = source in held or (source in inside and source not in done)
            if blocked:
                later.append(k)
            elif nodes[k].op == "input":
                done.add(k)
            elif _waits(nodes[k]) or (
                rearranges(nodes[k]) and any(i in held for i in nodes[k].inputs)
            ):
                waiting.append(k)
                held.add(k)
            elif any(i in held for i in nodes[k].inputs):
                later.append(k)
            else:
                blocks.append(k)
                done.add(k)
        if len(later) == len(pending):
            blocks.append(Nest(1, tuple(waiting), ()))
            done |= held
            waiting = []
        pending = later
    return blocks, waiting


def _waits(node: Node) -> bool:
    """Whether a node is done chunk by chunk: large operations on whole sequences are not."""
    return in_buffer(node) or node.op == "lookup"


def rearranges(node: Node) -> bool:
    """Whether a node is only a view of its operand, or puts operands side by side."""
    by_array = any(isinstance(p, np.ndarray) for p in node.attrs.get("position", ()))
    return node.lowering.joins or (node.lowering.view and not by_array)


def sums_only(folded: Folded) -> set[int]:
    """Nodes that are used for a sum over steps and nothing else: they run after the loops.

    A sum of products over steps is one product over all rows, so these nodes are never computed
    step by step.
    """
    users = folded.step.users()
    wanted: dict[int, set[str]] = {}
    for k, role in enumerate(folded.outputs):
        wanted.setdefault(folded.step.outputs[k], set()).add(role)
    result: set[int] = set()
    for k in range(len(folded.step.nodes) - 1, -1, -1):
        node = folded.step.nodes[k]
        roles = wanted.get(k, set())
        batched = in_buffer(node) and not node.lowering.through  # is done for all steps at once
        if node.op in ("input", "constant") or roles - {SUM} or batched:
            continue
        below = [j for j, _ in users[k]]
        pass_on = all(j in result and folded.step.nodes[j].lowering.through for j in below)
        if pass_on and (roles or below):
            result.add(k)
    return result - static_nodes(folded)


def _can_batch(folded: Folded, k: int, static: set[int]) -> bool:
    node = folded.step.nodes[k]
    if node.op in ("input", "constant"):
        return True
    if node.op == "lookup":
        return node.inputs[0] in static
    return PRIMITIVES[node.op].lift is not None
