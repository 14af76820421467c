"""Needs: how long each value of a schedule is kept, and where it can be made.

A value that is read outside of its loop, or far from where it is made, is kept for all steps
(`whole`); one that is only read in the same chunk of steps for a chunk; one that is only read in
its own step for a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigrad.folded import STATE, Recurrence
from minigrad.graph import Node
from minigrad.lower.nodes import carriers, front_span, in_buffer
from minigrad.lower.schedule import Nest, Schedule

STATIC, STEP, RING, CHUNK, WHOLE = "static", "step", "ring", "chunk", "whole"
ORDER = {STEP: 0, RING: 0, CHUNK: 1, WHOLE: 2, STATIC: 3}

CACHE = 1 << 19
"""Bytes that the batched part of a chunk may touch: about half of a second-level cache."""


def _nbytes(node: Node) -> int:
    """The size of a node's value at one step."""
    width = 0 if node.dtype is None else node.dtype.itemsize
    return math.prod(node.shape) * width


class Needs:
    """What the values of a schedule for T steps need.

    Attributes:
        order: what runs, in this order: what depends on no step, then the blocks.
        block: by node, its place in the order.
        levels: by node, how much of its value is kept.
        last: by node, the last block that reads its buffer.
        in_place: for a node the operand that dies with it, in whose place it can be computed.
        lasting: concatenations in which a history stands; what they hold is never overwritten.
        chunk: the number of steps in a chunk, for each nest.
    """

    def __init__(self, plan: Schedule, steps: int) -> None:
        self.plan, self.T = plan, steps
        self.nodes: Sequence[Node] = plan.folded.step.nodes
        self.outputs = set(plan.folded.step.outputs)
        self.carriers = carriers(plan.folded)
        self.order = (*plan.static, *plan.blocks)
        self.block = self._blocks()
        self.in_place = {k: i for k in self.block if (i := self._dying(k)) is not None}
        self._owner: list[int] = []
        for k, node in enumerate(self.nodes):
            shares = k in self.in_place or node.lowering.view
            source = self.in_place.get(k, node.inputs[0]) if shares else k
            self._owner.append(self._owner[source] if shares else k)
        self.lasting = {
            user for i in plan.folded.origins() if (user := self.operand_of(i)) is not None
        }
        self.chunk = {b: self._chunk_size(b) for b in plan.blocks if isinstance(b, Nest)}
        self.levels = self._find_levels()
        self.last = self._last_reads()

    def _blocks(self) -> dict[int, int]:
        where = {}
        for at, block in enumerate(self.order):
            for k in (*block.batched, *block.looped) if isinstance(block, Nest) else (block,):
                where[k] = at
        return where

    def _dying(self, k: int) -> int | None:
        """An operand that nobody reads after node k, so that k can be computed in its place."""
        node = self.nodes[k]
        if not in_buffer(node):
            return None
        for i in node.inputs:
            x = self.nodes[i]
            span = front_span(self.nodes, i)
            owner = span[0] if span else i
            made = in_buffer(self.nodes[owner]) or self.nodes[owner].op == "matmul"
            fits = (x.shape, x.dtype) == (node.shape, node.dtype) and node.inputs.count(i) == 1
            here = self.block.get(owner) == self.block[k] and self.plan.users[i] == (k,)
            if not (made and fits and here) or {i, owner} & self.outputs:
                continue
            # Other parts of the same pile must be read apart from this one.
            spans = [front_span(self.nodes, j) for j in self.plan.users[owner]]
            if span is None or all(
                s is not None and (s == span or s[2] <= span[1] or span[2] <= s[1]) for s in spans
            ):
                return i
        return None

    def _find_levels(self) -> dict[int, str]:
        """How much of a value has to be kept: for all steps, for a chunk or for a step."""
        levels: dict[int, str] = {}
        looped = {k for b in self.plan.blocks if isinstance(b, Nest) for k in b.looped}
        batched = {k for b in self.plan.blocks if isinstance(b, Nest) for k in b.batched}
        for k in self.block:
            many = STEP if k in looped else CHUNK if k in batched else WHOLE
            levels[k] = STATIC if k in self.plan.fixed else many

        def raise_to(k: int, level: str) -> None:
            if k in levels and ORDER[levels[k]] < ORDER[level]:
                levels[k] = level

        for k, node in enumerate(self.nodes):
            if k not in self.block and k not in self.plan.summed:
                continue
            for i in node.inputs:
                if self.block.get(i) != self.block.get(k):
                    raise_to(i, WHOLE)
        for i in self.outputs:
            raise_to(i, WHOLE)
        # A view keeps what it looks at as long as itself, a concatenation is kept with its parts.
        for k in reversed(range(len(self.nodes))):
            if k in levels and self.nodes[k].lowering.view:
                for i in self.nodes[k].inputs:
                    raise_to(i, levels[k])
        for k, node in enumerate(self.nodes):
            if k in levels and node.lowering.joins:
                for i in node.inputs:
                    if self.block.get(i) == self.block[k]:
                        raise_to(k, levels[i])
        return levels

    def _last_reads(self) -> list[int]:
        """The last block that reads each node's buffer, through views and in other's places too."""
        end = len(self.order)
        last = [-1] * len(self.nodes)
        for i in self.outputs:
            last[i] = end
        for k in reversed(range(len(self.nodes))):
            at = end if k in self.plan.summed else self.block.get(k, -1)
            about = self.nodes[k].lowering
            kept = about.view or about.joins or k in self.in_place or self.nodes[k].op == "scan"
            reach = max(at, last[k]) if kept else at
            for i in self.nodes[k].inputs:
                last[i] = max(last[i], reach)
        for k, node in enumerate(self.nodes):
            if node.lowering.joins:
                last[k] = max(last[k], *(last[i] for i in node.inputs))
        return last

    def _chunk_size(self, nest: Nest) -> int:
        """Steps whose batched values stay in the cache together; all if none are batched."""
        touched = {k for k in nest.looped if k in self.lasting}
        touched |= {self._owner[i] for k in nest.batched for i in (k, *self.nodes[k].inputs)}
        size = sum(_nbytes(self.nodes[k]) for k in touched if k not in self.plan.fixed)
        return max(1, min(self.T, CACHE // size)) if size else max(self.T, 1)

    def passes_on(self, r: Recurrence) -> bool:
        """Whether a state is only passed on to the next step: nothing outside of its loop reads it.

        Then two places are enough, for this step's value and the next one's.
        """
        folded = self.plan.folded
        reader, carrier = folded.step.inputs[r.input], folded.step.outputs[r.output]
        roles = {folded.outputs[k] for k, i in enumerate(folded.step.outputs) if i == carrier}
        nests = [b for b in self.plan.blocks if isinstance(b, Nest) and carrier in b.looped]
        kept = reader in self.outputs or self.operand_of(reader) is not None
        if not nests or r.delay != nests[0].direction or roles != {STATE} or kept:
            return False
        read, pending = set[int](), [reader, carrier]
        while pending:
            users = self.plan.users[pending.pop()]
            read.update(users)
            pending += [k for k in users if self.nodes[k].lowering.view]
        return read <= nests[0].inside and not any(
            self.levels[k] == WHOLE
            and (self.nodes[k].lowering.view or self.nodes[k].lowering.joins)
            for k in read
        )

    def operand_of(self, reader: int) -> int | None:
        """The concatenation by columns that reads a state, if there is one for it to live in.

        Not one that is a state itself: that has its own history to live in.
        """
        for user in self.plan.users[reader]:
            node = self.nodes[user]
            computed = user in self.block and user not in self.carriers
            if node.lowering.joins and node.attrs["axis"] == -1 and computed:
                once = node.inputs.count(reader) == 1
                if once and all(self.nodes[i].dtype == node.dtype for i in node.inputs):
                    return user
        return None
