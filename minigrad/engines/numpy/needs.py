"""Needs: how long each value of a schedule is kept, and where it can be made.

A value that is read outside of its loop, or far from where it is made, is kept for all steps
(`whole`); one that is only read in the same chunk of steps for a chunk; one that is only read in
its own step for a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minigrad.graph import Node
from minigrad.lower.nodes import carriers, front_span, in_buffer
from minigrad.lower.schedule import Nest, Schedule

STATIC, STEP, RING, CHUNK, WHOLE = "static", "step", "ring", "chunk", "whole"
ORDER = {STEP: 0, RING: 0, CHUNK: 1, WHOLE: 2}

CACHE = 1 << 19
"""Bytes that the batched part of a chunk may touch: about half of a second-level cache."""

MANY_ROWS = 256
"""From so many rows a chunk on, a weight gradient is added up chunk by chunk."""


def _nbytes(node: Node) -> int:
    """The size of a node's value at one step."""
    width = 0 if node.dtype is None else node.dtype.itemsize
    return int(np.prod(node.shape, dtype=int)) * width


class Needs:
    """What the values of a schedule for T steps need.

    Attributes:
        block: by node, the block in which it is computed.
        levels: by node, how much of its value is kept.
        last: by node, the last block that reads its buffer.
        in_place: for a node the operand that dies with it, in whose place it can be computed.
        lasting: concatenations in which a history stands; what they hold is never overwritten.
        chunk: the number of steps in a chunk, for each nest.
        partial: products that are summed chunk by chunk, in which nest.
    """

    def __init__(self, plan: Schedule, steps: int) -> None:
        self.plan, self.T = plan, steps
        self.nodes: Sequence[Node] = plan.folded.step.nodes
        self.outputs = set(plan.folded.step.outputs)
        self.carriers = carriers(plan.folded)
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
        self.partial = {k: nest for nest in self.chunk for k in self._partial_sums(nest)}
        self.levels = self._find_levels()
        self.last = self._last_reads()

    def _blocks(self) -> dict[int, int]:
        """The block in which each node is computed."""
        where = {}
        for at, block in enumerate(self.plan.blocks):
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
            levels[k] = STEP if k in looped else CHUNK if k in batched else WHOLE

        def raise_to(k: int, level: str) -> None:
            if k in levels and ORDER[levels[k]] < ORDER[level]:
                levels[k] = level

        for k, node in enumerate(self.nodes):
            if k not in self.block and k not in self.plan.summed:
                continue
            for i in node.inputs:
                if self.block.get(i) != self._where(k):
                    raise_to(i, WHOLE)
                elif k in self.partial:
                    raise_to(i, CHUNK)
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
        end = len(self.plan.blocks)
        last = [-1] * len(self.nodes)
        for i in self.outputs:
            last[i] = end
        for k in reversed(range(len(self.nodes))):
            at = end if k in self.plan.summed and k not in self.partial else self._where(k)
            about = self.nodes[k].lowering
            kept = about.view or about.joins or k in self.in_place
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

    def _where(self, k: int) -> int:
        """The block in which a node is computed, or summed chunk by chunk; −1 for others."""
        if k in self.partial:
            return self.block[self.partial[k].looped[0]]
        return self.block.get(k, -1)

    def _partial_sums(self, nest: Nest) -> Iterator[int]:
        """Weight gradients that a nest can add up chunk by chunk, with their rows in the cache.

        Only if the chunks are large, as each costs an addition of the whole gradient, and if
        nothing else needs the rows of all steps.
        """
        inside = set(nest.looped)
        for k in self.plan.summed:
            node = self.nodes[k]
            made = [i for i in node.inputs if i in inside]
            if node.op != "contract" or not made:
                continue
            rows = self.chunk[nest] * int(np.prod(self.nodes[made[0]].shape[:-1], dtype=int))
            others = {j for i in made for j in self.plan.users[i]} - {k}
            alone = others <= inside and not self.outputs.intersection(made)
            if alone and self.chunk[nest] < self.T and rows >= MANY_ROWS:
                yield k

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
