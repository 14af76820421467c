"""Storage: where the values of a scheduled folded graph live.

A value that is read outside of its loop, or far from where it is made, has a buffer for all steps
(`whole`); one that is only read in the same chunk of steps has a buffer for a chunk; one that is
only read in its own step has a buffer for a step. Views cost nothing, concatenations are filled in
place, and a buffer whose value is dead is used again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.folded import SEQUENCE, STATE, Recurrence
from minigrad.graph import Node
from minigrad.passes.rewrite import front_span, in_buffer
from minigrad.schedule import Nest, Schedule

Array = np.ndarray[Any, np.dtype[Any]]

STATIC, STEP, RING, CHUNK, WHOLE = "static", "step", "ring", "chunk", "whole"
ORDER = {STEP: 0, RING: 0, CHUNK: 1, WHOLE: 2}

CACHE = 1 << 19
"""Bytes that the batched part of a chunk may touch: about half of a second-level cache."""

MANY_ROWS = 256
"""From so many rows a chunk on, a weight gradient is added up chunk by chunk."""

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
        level: "whole" (all steps, time in front), "chunk", "step" or "static"; a "ring" holds this
            step's and the next one's, in turn.
        array: its buffer, or None if the value is only known at the call.
        name: the variable that holds it then.
        is_view: nothing has to be computed.
        inside: the concatenation in whose buffer it is made, or −1.
        turn: of a ring, the place of step 0.
    """

    level: str
    array: Array | None = None
    name: str = ""
    is_view: bool = False
    inside: int = -1
    turn: int = 0


class Storage:
    """The places of all values of a schedule for T steps.

    Attributes:
        known: the arrays of inputs that are always in the same place, by number.
        values: by node. Nodes that exist only in sums over steps have none.
        history: for each state input the buffer of its recurrence, start values included.
        lasting: concatenations in which a history stands; what they hold is never overwritten.
        chunk: the number of steps in a chunk, for each nest.
        partial: products that are summed chunk by chunk, in which nest.
        nbytes: the size of all buffers.
    """

    def __init__(self, plan: Schedule, steps: int, known: Mapping[int, Array]) -> None:
        self.plan, self.T, self.known = plan, steps, known
        self.nodes: Sequence[Node] = plan.folded.step.nodes
        self.values: dict[int, Value] = {}
        self.history: dict[int, Array] = {}
        self.nbytes = 0
        self._free: dict[tuple[tuple[int, ...], Any], list[Array]] = {}
        self._own: dict[int, Array] = {}
        self._block = self._blocks()
        self._outputs = set(plan.folded.step.outputs)
        self._in_place = {k: i for k in self._block if (i := self._dying(k)) is not None}
        self.lasting = {
            user for i in plan.folded.origins() if (user := self._operand_of(i)) is not None
        }
        self.chunk = {b: self._chunk_size(b) for b in plan.blocks if isinstance(b, Nest)}
        self.partial = {k: nest for nest in self.chunk for k in self._partial_sums(nest)}
        self._levels = self._find_levels()
        self._last = self._last_reads()
        self._place_inputs()
        for at, block in enumerate(plan.blocks):
            if isinstance(block, Nest):
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
            here = self._block.get(owner) == self._block[k] and self.plan.users[i] == (k,)
            if not (made and fits and here) or {i, owner} & self._outputs:
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
        for k in self._block:
            levels[k] = STEP if k in looped else CHUNK if k in batched else WHOLE

        def raise_to(k: int, level: str) -> None:
            if k in levels and ORDER[levels[k]] < ORDER[level]:
                levels[k] = level

        for k, node in enumerate(self.nodes):
            if k not in self._block and k not in self.plan.summed:
                continue
            for i in node.inputs:
                if self._block.get(i) != self._where(k):
                    raise_to(i, WHOLE)
                elif k in self.partial:
                    raise_to(i, CHUNK)
        for i in self._outputs:
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
        """The last block that reads each node's buffer, through views and in other's places too."""
        end = len(self.plan.blocks)
        last = [-1] * len(self.nodes)
        for i in self._outputs:
            last[i] = end
        joins = (*VIEWS, "concatenate")
        for k in reversed(range(len(self.nodes))):
            at = end if k in self.plan.summed and k not in self.partial else self._where(k)
            kept = self.nodes[k].op in joins or k in self._in_place
            reach = max(at, last[k]) if kept else at
            for i in self.nodes[k].inputs:
                last[i] = max(last[i], reach)
        for k, node in enumerate(self.nodes):
            if node.op == "concatenate":
                last[k] = max(last[k], *(last[i] for i in node.inputs))
        return last

    def _chunk_size(self, nest: Nest) -> int:
        """Steps whose batched values stay in the cache together; all if none are batched."""
        touched = {k for k in nest.looped if k in self.lasting}
        for k in nest.batched:
            for i in (k, *self.nodes[k].inputs):
                while i in self._in_place or (self.nodes[i].op in VIEWS and self.nodes[i].inputs):
                    i = self._in_place.get(i, self.nodes[i].inputs[0])
                touched.add(i)
        size = sum(_nbytes(self.nodes[k]) for k in touched if k not in self.plan.fixed)
        return max(1, min(self.T, CACHE // size)) if size else max(self.T, 1)

    def _where(self, k: int) -> int:
        """The block in which a node is computed, or summed chunk by chunk; −1 for others."""
        if k in self.partial:
            return self.plan.blocks.index(self.partial[k])
        return self._block.get(k, -1)

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
            alone = others <= inside and not self._outputs.intersection(made)
            if alone and self.chunk[nest] < self.T and rows >= MANY_ROWS:
                yield k

    # --- places -------------------------------------------------------------------------------

    def new(self, shape: Sequence[int], dtype: Any) -> Array:
        """A buffer, counted."""
        array = empty(shape, dtype)
        self.nbytes += array.nbytes
        return array

    def _buffer(self, k: int, nest: Nest | None) -> Value:
        """A place of its own for node k, laid out as its reader wants it."""
        level, node = self._levels[k], self.nodes[k]
        shape = self._shape(k, level, nest)
        axes = self._wanted_axes(k)
        lead = len(shape) - len(axes)
        order = (*range(lead), *(lead + a for a in axes))
        laid = tuple(shape[a] for a in order)
        waiting = self._free.get((laid, node.dtype))
        array = self._own[k] = waiting.pop() if waiting else self.new(laid, node.dtype)
        return Value(level, array.transpose(np.argsort(order)))

    def _wanted_axes(self, k: int) -> tuple[int, ...]:
        """The order of axes in memory: that of the one transpose of k, where there is one."""
        node, first = self.nodes[k], tuple(range(len(self.nodes[k].shape)))
        orders = {
            tuple(a % len(first) for a in self.nodes[j].attrs["axes"])
            for j in self.plan.users[k]
            if self.nodes[j].op == "transpose"
        }
        return orders.pop() if len(orders) == 1 and node.op != "matmul" else first

    def _place_inputs(self) -> None:
        folded = self.plan.folded
        for r in folded.recurrences:
            if r.input not in self.history:
                self._place_history(r)
            carrier, d, history = folded.step.outputs[r.output], r.delay, self.history[r.input]
            if self._passes_on(r):
                self.values[carrier] = Value(RING, history, turn=int(d > 0))
            else:
                self.values[carrier] = Value(WHOLE, history[d:] if d > 0 else history[: self.T])
        for k, role in enumerate(folded.inputs):
            if role != STATE:
                level = WHOLE if role == SEQUENCE else STATIC
                place = Value(level, self.known.get(k), name=f"x{k}")
                self.values[folded.step.inputs[k]] = place
        for k in self.plan.fixed:
            if self.nodes[k].op == "constant":
                self.values[k] = Value(STATIC, array=self.nodes[k].value)
            elif k not in self.values:
                node = self.nodes[k]
                made = in_buffer(node) and node.dtype is not None and node.shape
                array = self.new(node.shape, node.dtype) if made else None
                self.values[k] = Value(STATIC, array, name=f"s{k}")

    def _place_history(self, r: Recurrence) -> None:
        """A buffer for the values that a recurrence carries and its start values.

        Where a joined operand `[x h 1]` reads the state, they stand inside of it, so that it never
        has to be copied together; so do those of all other states that it reads.
        """
        folded, inputs = self.plan.folded, self.plan.folded.step.inputs
        reader = inputs[r.input]
        user = self._operand_of(reader)
        if self._passes_on(r):
            node = self.nodes[reader]
            ring = self.history[r.input] = self.new((2, *node.shape), node.dtype)
            self.values[reader] = Value(RING, ring, is_view=True, turn=int(r.delay < 0))
            return
        if user is None:
            node, d = self.nodes[reader], abs(r.delay)
            history = self.new((self.T + d, *node.shape), node.dtype)
            self._set_history(r, history, -1)
            return
        waiting = [s for s in folded.recurrences if s.input not in self.history]
        states = {inputs[s.input]: s for s in waiting if self._operand_of(inputs[s.input]) == user}
        before = max(0, *(-s.delay for s in states.values()))
        after = max(0, *(s.delay for s in states.values()))
        node = self.nodes[user]
        joined = self.new((before + self.T + after, *node.shape), node.dtype)
        self.values[user] = Value(WHOLE, joined[before : before + self.T])
        for n, i in enumerate(node.inputs):
            if i in states:
                first = before - max(0, -states[i].delay)
                rows = joined[first : first + self.T + abs(states[i].delay)]
                self._set_history(states[i], joined_part(self.nodes, user, n, rows), user)

    def _passes_on(self, r: Recurrence) -> bool:
        """Whether a state is only passed on to the next step: nothing outside of its loop reads it.

        Then two places are enough, for this step's value and the next one's.
        """
        folded = self.plan.folded
        reader, carrier = folded.step.inputs[r.input], folded.step.outputs[r.output]
        roles = [folded.outputs[k] for k, i in enumerate(folded.step.outputs) if i == carrier]
        nests = [b for b in self.plan.blocks if isinstance(b, Nest) and carrier in b.looped]
        kept = set(roles) != {STATE} or reader in self._outputs or self._operand_of(reader)
        if abs(r.delay) != 1 or not nests or kept:
            return False
        read, pending = set[int](), [reader, carrier]
        while pending:
            users = self.plan.users[pending.pop()]
            read.update(users)
            pending += [k for k in users if self.nodes[k].op in VIEWS]
        return read <= set(nests[0].looped) and not read & self._outputs_and_parts()

    def _outputs_and_parts(self) -> set[int]:
        """Views and concatenations that are kept as a whole."""
        return {k for k in self._block if self.nodes[k].op in (*VIEWS, "concatenate")
                and self._levels[k] == WHOLE}  # fmt: skip

    def _set_history(self, r: Recurrence, history: Array, inside: int) -> None:
        self.history[r.input] = history
        reader = self.plan.folded.step.inputs[r.input]
        part = history[: self.T] if r.delay > 0 else history[-r.delay :]
        self.values[reader] = Value(WHOLE, part, is_view=True, inside=inside)

    def _operand_of(self, reader: int) -> int | None:
        """The concatenation by columns that reads a state, if there is one for it to live in."""
        for user in self.plan.users[reader]:
            node = self.nodes[user]
            if node.op == "concatenate" and node.attrs["axis"] == -1 and user in self._block:
                once = node.inputs.count(reader) == 1
                if once and all(self.nodes[i].dtype == node.dtype for i in node.inputs):
                    return user
        return None

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
        elif not self._instead(k):
            self.values[k] = self._buffer(k, nest)

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
        self.values[k] = Value(base.level, view, is_view=True, turn=base.turn)
        return True

    def _instead(self, k: int) -> bool:
        """Compute node k in the place of an operand that dies with it."""
        operand = self._in_place.get(k)
        place = None if operand is None else self.values[operand]
        if place is None or place.array is None or ORDER[place.level] < ORDER[self._levels[k]]:
            return False
        self.values[k] = Value(place.level, place.array)
        return True

    def _joined_into(self, k: int) -> int | None:
        """A concatenation, in the same block, that a computed node goes into."""
        if not in_buffer(self.nodes[k]):
            return None
        first, k = k, self._seen_as(k)
        users = [j for j in self.plan.users[k] if self.nodes[j].op == "concatenate"
                 and self._block.get(j) == self._block[first]]  # fmt: skip
        if not users:
            return None
        node = self.nodes[users[0]]
        deep = ORDER[self._levels[users[0]]] >= ORDER[self._levels[k]]
        same = self.nodes[k].dtype == node.dtype and node.inputs.count(k) == 1
        return users[0] if same and deep else None

    def _seen_as(self, k: int) -> int:
        """What alone reads a node as one entry of a pile; otherwise the node."""
        readers = self.plan.users[k]
        alone = len(readers) == 1 and k not in self._outputs
        return readers[0] if alone and self.nodes[readers[0]].op == "expand_dims" else k

    def _place_inside(self, k: int, user: int, nest: Nest | None) -> None:
        if user not in self.values:
            self._place(user, nest)
        whole, seen = self.values[user], self._seen_as(k)
        part = joined_part(self.nodes, user, self.nodes[user].inputs.index(seen), whole.array)
        self.values[seen] = Value(whole.level, part, is_view=seen != k, inside=user)
        if seen != k:
            axes = tuple(self.nodes[seen].attrs["axis"])
            self.values[k] = Value(whole.level, np.squeeze(part, axes), inside=user)

    def _release(self, at: int) -> None:
        """Buffers that nobody reads after a block can be used again."""
        for k in [k for k in self._own if self._block[k] <= at]:
            over = self._last[k] if self.values[k].level == WHOLE else self._block[k]
            if max(over, self._block[k]) == at:
                array = self._own.pop(k)
                self._free.setdefault((array.shape, array.dtype), []).append(array)


def joined_part(nodes: Sequence[Node], k: int, n: int, array: Any) -> Any:
    """The part of the buffer of a concatenation k where its n-th operand stands."""
    axis = nodes[k].attrs["axis"]
    ends = list(itertools.accumulate(nodes[i].shape[axis] for i in nodes[k].inputs))
    span = slice(ends[n - 1] if n else 0, ends[n])
    return array[(..., span, *(slice(None),) * (-axis - 1))]
