"""Storage: where the values of a scheduled folded graph live.

A value that is read outside of its loop, or far from where it is made, has a buffer for all steps
(`whole`); one that is only read in the same chunk of steps has a buffer for a chunk; one that is
only read in its own step has a buffer for a step. Views cost nothing, concatenations are filled in
place, and a buffer whose value is dead is used again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import SEQUENCE, STATE
from minigrad.graph import Node
from minigrad.schedule import Nest, Schedule

Array = np.ndarray[Any, np.dtype[Any]]

STATIC, STEP, CHUNK, WHOLE = "static", "step", "chunk", "whole"

CACHE = 1 << 19
"""Bytes that the batched part of a chunk may touch: about half of a second-level cache."""

VIEWS = frozenset(
    ("reshape", "transpose", "expand_dims", "squeeze", "broadcast_to", "index", "flip", "alias")
)
"""Operations that NumPy does without moving an entry, most of the time."""


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """An array on a 64-byte boundary, where vector instructions are fastest."""
    size = int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array: Array = raw[start : start + size].view(dtype).reshape(tuple(shape))
    return array


def _nbytes(node: Node) -> int:
    """The size of a node's value at one step."""
    width = 0 if node.dtype is None else node.dtype.itemsize
    return int(np.prod(node.shape, dtype=int)) * width


@dataclass
class Value:
    """Where the value of a node is.

    Attributes:
        level: "whole" (all steps, time in front), "chunk", "step" or "static".
        array: its buffer, or None if the value is only known at the call.
        name: the variable that holds it then.
        is_view: nothing has to be computed.
        inside: the concatenation in whose buffer it is made, or −1.
    """

    level: str
    array: Array | None = None
    name: str = ""
    is_view: bool = False
    inside: int = -1


class Storage:
    """The places of all values of a schedule for T steps.

    Attributes:
        values: by node. Nodes that exist only in sums over steps have none.
        history: for each state input the buffer of its recurrence, start values included.
        chunk: the number of steps in a chunk, for each nest.
        nbytes: the size of all buffers.
    """

    def __init__(self, plan: Schedule, steps: int) -> None:
        self.plan, self.T = plan, steps
        self.nodes: Sequence[Node] = plan.folded.step.nodes
        self.values: dict[int, Value] = {}
        self.history: dict[int, Array] = {}
        self.chunk: dict[Nest, int] = {}
        self.nbytes = 0
        self._free: dict[tuple[tuple[int, ...], Any], list[Array]] = {}
        self._block = self._blocks()
        self._levels = self._find_levels()
        self._carriers = {plan.folded.step.outputs[r.output] for r in plan.folded.recurrences}
        self._last = self._last_reads()
        self._place_inputs()
        for at, block in enumerate(plan.blocks):
            if isinstance(block, Nest):
                self.chunk[block] = self._chunk_size(block)
                for k in (*block.batched, *block.looped):
                    self._place(k, block)
            else:
                self._place(block, None)
            self._release(at)

    # --- what is needed where -----------------------------------------------------------------

    def _blocks(self) -> dict[int, int]:
        """The block in which each node is computed."""
        where = {}
        for at, block in enumerate(self.plan.blocks):
            for k in (*block.batched, *block.looped) if isinstance(block, Nest) else (block,):
                where[k] = at
        return where

    def _find_levels(self) -> dict[int, str]:
        """How much of a value has to be kept: for all steps, for a chunk or for a step."""
        order = {STEP: 0, CHUNK: 1, WHOLE: 2}
        levels: dict[int, str] = {}
        looped = {k for b in self.plan.blocks if isinstance(b, Nest) for k in b.looped}
        batched = {k for b in self.plan.blocks if isinstance(b, Nest) for k in b.batched}
        for k in self._block:
            levels[k] = STEP if k in looped else CHUNK if k in batched else WHOLE

        def raise_to(k: int, level: str) -> None:
            if k in levels and order[levels[k]] < order[level]:
                levels[k] = level

        for k, node in enumerate(self.nodes):
            if k not in self._block and k not in self.plan.summed:
                continue
            for i in node.inputs:
                if self._block.get(i) != self._block.get(k, -1):
                    raise_to(i, WHOLE)
        for i in self.plan.folded.step.outputs:
            raise_to(i, WHOLE)
        # A view keeps what it looks at as long as itself, a concatenation is kept with its parts.
        for k in reversed(range(len(self.nodes))):
            if k in levels and self.nodes[k].op in VIEWS:
                for i in self.nodes[k].inputs:
                    raise_to(i, levels[k])
        for k, node in enumerate(self.nodes):
            if k in levels and node.op == "concatenate":
                for i in node.inputs:
                    if self._block.get(i) == self._block[k]:
                        raise_to(k, levels[i])
        return levels

    def _last_reads(self) -> list[int]:
        """The last block that reads each node, through views and concatenations too."""
        end = len(self.plan.blocks)
        last = [-1] * len(self.nodes)
        for i in self.plan.folded.step.outputs:
            last[i] = end
        joins = (*VIEWS, "concatenate")
        for k in reversed(range(len(self.nodes))):
            at = end if k in self.plan.summed else self._block.get(k, -1)
            reach = max(at, last[k]) if self.nodes[k].op in joins else at
            for i in self.nodes[k].inputs:
                last[i] = max(last[i], reach)
        for k, node in enumerate(self.nodes):
            if node.op == "concatenate":
                last[k] = max(last[k], *(last[i] for i in node.inputs))
        return last

    def _chunk_size(self, nest: Nest) -> int:
        """Steps whose batched values stay in the cache together; all if none are batched."""
        touched = set(nest.batched) | {i for k in nest.batched for i in self.nodes[k].inputs}
        size = sum(_nbytes(self.nodes[k]) for k in touched if k not in self.plan.fixed)
        return max(1, min(self.T, CACHE // size)) if size else max(self.T, 1)

    # --- places -------------------------------------------------------------------------------

    def _buffer(self, shape: Sequence[int], dtype: Any) -> Array:
        waiting = self._free.get((tuple(shape), dtype))
        if waiting:
            return waiting.pop()
        array = empty(shape, dtype)
        self.nbytes += array.nbytes
        return array

    def _place_inputs(self) -> None:
        folded = self.plan.folded
        for r in folded.recurrences:
            carrier, d = folded.step.outputs[r.output], r.delay
            node = self.nodes[carrier]
            history = empty((self.T + abs(d), *node.shape), node.dtype)
            self.nbytes += history.nbytes
            self.history[r.input] = history
            self.values[carrier] = Value(WHOLE, history[d:] if d > 0 else history[: self.T])
            reader = folded.step.inputs[r.input]
            self.values[reader] = Value(
                WHOLE, history[: self.T] if d > 0 else history[-d:], is_view=True
            )
        for k, role in enumerate(folded.inputs):
            if role != STATE:
                level = WHOLE if role == SEQUENCE else STATIC
                self.values[folded.step.inputs[k]] = Value(level, name=f"x{k}")
        for k in self.plan.fixed:
            if self.nodes[k].op == "constant":
                self.values[k] = Value(STATIC, array=self.nodes[k].value)
            elif k not in self.values:
                self.values[k] = Value(STATIC, name=f"s{k}")

    def _shape(self, k: int, level: str, nest: Nest | None) -> tuple[int, ...]:
        shape = self.nodes[k].shape
        if level == WHOLE:
            return (self.T, *shape)
        return (self.chunk[nest], *shape) if level == CHUNK and nest is not None else shape

    def _place(self, k: int, nest: Nest | None) -> None:
        """Give a node its place, and the operands of a concatenation theirs inside of it."""
        if k in self.values or self.nodes[k].op == "input":
            return
        if self._as_view(k):
            return
        user = self._joined_into(k)
        if user is not None:
            self._place_inside(k, user, nest)
            return
        level = self._levels[k]
        shape = self._shape(k, level, nest)
        self.values[k] = Value(level, self._buffer(shape, self.nodes[k].dtype))

    def _as_view(self, k: int) -> bool:
        node = self.nodes[k]
        base = self.values.get(node.inputs[0]) if node.inputs else None
        if node.op not in VIEWS or base is None or base.array is None or base.level == STATIC:
            return False
        if (
            self._block.get(node.inputs[0], self._block[k]) != self._block[k]
            and base.level != WHOLE
        ):
            return False
        primitive, attrs = PRIMITIVES[node.op], dict(node.attrs)
        if base.level != STEP:
            lift: Any = primitive.lift
            attrs = attrs if isinstance(lift, str) else lift(attrs, len(base.array))
        view = base.array if node.op == "alias" else primitive.forward(base.array, **attrs)
        if not np.may_share_memory(base.array, view):
            return False
        self.values[k] = Value(base.level, view, is_view=True)
        return True

    def _joined_into(self, k: int) -> int | None:
        """The one concatenation by columns, in the same block, that a computed node goes into."""
        if PRIMITIVES[self.nodes[k].op].kernel is None or self.nodes[k].attrs:
            return None
        readers = self.plan.users[k]
        if len(readers) == 1 and self.nodes[readers[0]].op == "reshape":
            k = readers[0]  # what is seen as columns is made as columns
        users = [
            j
            for j in self.plan.users[k]
            if self.nodes[j].op == "concatenate" and self.nodes[j].attrs["axis"] == -1
        ]
        if len(users) != 1 or self._block.get(users[0]) != self._block[k]:
            return None
        node = self.nodes[users[0]]
        fits = self.nodes[k].shape[:-1] == node.shape[:-1] and self.nodes[k].dtype == node.dtype
        order = (STEP, CHUNK, WHOLE)
        deep = order.index(self._levels[users[0]]) >= order.index(self._levels[k])
        return users[0] if fits and deep and node.inputs.count(k) == 1 else None

    def _place_inside(self, k: int, user: int, nest: Nest | None) -> None:
        if user not in self.values:
            level = self._levels[user]
            self.values[user] = Value(
                level, self._buffer(self._shape(user, level, nest), self.nodes[user].dtype)
            )
        whole, node = self.values[user], self.nodes[user]
        low = 0
        for i in node.inputs:
            high = low + self.nodes[i].shape[-1]
            seen = self.nodes[i].op == "reshape" and self.nodes[i].inputs == (k,)
            if whole.array is not None and (i == k or seen):
                part = whole.array[..., low:high]
                if i != k:
                    self.values[i] = Value(whole.level, part, is_view=True, inside=user)
                    lead = part.shape[: part.ndim - len(self.nodes[i].shape)]
                    part = part.reshape(*lead, *self.nodes[k].shape)
                self.values[k] = Value(whole.level, part, inside=user)
            low = high

    def _release(self, at: int) -> None:
        """Buffers that nobody reads after a block can be used again."""
        for k, value in self.values.items():
            computed = self._block.get(k) is not None and not value.is_view and value.inside < 0
            if computed and value.array is not None and k not in self._carriers:
                over = self._last[k] if value.level == WHOLE else self._block[k]
                if max(over, self._block[k]) == at:
                    key = (value.array.shape, self.nodes[k].dtype)
                    self._free.setdefault(key, []).append(value.array)
