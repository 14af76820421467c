"""Storage: where the values of a scheduled folded graph live.

Each has a buffer for as many steps as it is needed (see `needs`). Views cost nothing,
concatenations are filled in place, and a buffer whose value is dead is used again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.engines.numpy.needs import CHUNK, ORDER, RING, STATIC, STEP, WHOLE, Needs
from minigrad.engines.numpy.source import Buffers, Scope, joined_spans, view_of
from minigrad.engines.numpy.straight import Nested, Straight
from minigrad.folded import SEQUENCE, STATE, Recurrence
from minigrad.graph import Node
from minigrad.lower.nodes import in_buffer
from minigrad.lower.schedule import Nest, Schedule


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
        needs: how long they are kept.
        straight: what runs once, before the blocks.
        buffers: gives them.
    """

    def __init__(
        self,
        plan: Schedule,
        steps: int,
        known: Mapping[int, Array],
        scope: Scope,
        buffers: Buffers,
        nested: Nested,
    ) -> None:
        self.plan, self.T, self.known = plan, steps, known
        self.nodes: Sequence[Node] = plan.folded.step.nodes
        self.values: dict[int, Value] = {}
        self.history: dict[int, Array] = {}
        self.buffers = buffers
        self._free: dict[tuple[tuple[int, ...], Any], list[Array]] = {}
        self._ends: dict[int, list[Array]] = {}
        self._spans: dict[int, dict[int, Any]] = {}
        self.needs = Needs(plan, steps)
        self._place_inputs(scope, nested)
        for at, block in enumerate(plan.blocks):
            if isinstance(block, Nest):
                for k in (*block.batched, *block.looped):
                    self._place(k, block)
            else:
                self._place(block, None)
            self._release(at)

    def _buffer(self, k: int, nest: Nest | None) -> Value:
        """A place of its own for node k, laid out as its reader wants it."""
        level, node = self.needs.levels[k], self.nodes[k]
        shape = self._shape(k, level, nest)
        axes = self._wanted_axes(k)
        lead = len(shape) - len(axes)
        order = (*range(lead), *(lead + a for a in axes))
        laid = tuple(shape[a] for a in order)
        waiting = self._free.get((laid, node.dtype))
        array = waiting.pop() if waiting else self.buffers.new(laid, node.dtype)
        own = self.needs.block[k]
        end = max(own, self.needs.last[k]) if level == WHOLE else own
        self._ends.setdefault(end, []).append(array)
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

    def _place_inputs(self, scope: Scope, nested: Nested) -> None:
        folded = self.plan.folded
        for r in folded.recurrences:
            if r.input not in self.history:
                self._place_history(r)
            carrier, d, history = folded.step.outputs[r.output], r.delay, self.history[r.input]
            if self.is_ring(r):
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
        self._place_static(scope, nested)

    def _place_static(self, scope: Scope, nested: Nested) -> None:
        """Places for what depends on no step: the straight part knows them."""
        there = {k: self.values[k] for k in self.plan.fixed if k in self.values}
        kept = {*self.plan.folded.step.outputs}
        for k, node in enumerate(self.nodes):
            if k not in self.plan.fixed:
                kept.update(node.inputs)
        self.straight = Straight(
            self.nodes,
            self.plan.static,
            kept,
            {k: value.array for k, value in there.items() if value.array is not None},
            {k: value.name for k, value in there.items() if value.array is None},
            scope,
            self.buffers,
            nested,
        )
        known, called = self.straight.known, self.straight.called
        for k in self.plan.static:
            self.values[k] = Value(STATIC, known.get(k), called.get(k, ""))

    def is_ring(self, r: Recurrence) -> bool:
        """Whether a recurrence has two places in turn, not a history of all steps."""
        return self.values[self.plan.folded.step.inputs[r.input]].level == RING

    def _place_history(self, r: Recurrence) -> None:
        """A buffer for the values that a recurrence carries and its start values.

        Where a joined operand `[x h 1]` reads the state, they stand inside of it, so that it never
        has to be copied together; so do those of all other states that it reads.
        """
        folded, inputs = self.plan.folded, self.plan.folded.step.inputs
        reader = inputs[r.input]
        user = self.needs.operand_of(reader)
        if self._passes_on(r):
            node = self.nodes[reader]
            ring = self.history[r.input] = self.buffers.new((2, *node.shape), node.dtype)
            self.values[reader] = Value(RING, ring, is_view=True, turn=int(r.delay < 0))
            return
        if user is None:
            node, d = self.nodes[reader], abs(r.delay)
            history = self.buffers.new((self.T + d, *node.shape), node.dtype)
            self._set_history(r, history, -1)
            return
        waiting = [s for s in folded.recurrences if s.input not in self.history]
        states = {
            inputs[s.input]: s for s in waiting if self.needs.operand_of(inputs[s.input]) == user
        }
        before = max(0, *(-s.delay for s in states.values()))
        after = max(0, *(s.delay for s in states.values()))
        node = self.nodes[user]
        joined = self.buffers.new((before + self.T + after, *node.shape), node.dtype)
        self.values[user] = Value(WHOLE, joined[before : before + self.T])
        for i in node.inputs:
            if i in states:
                first = before - max(0, -states[i].delay)
                rows = joined[first : first + self.T + abs(states[i].delay)]
                self._set_history(states[i], rows[self._span(user, i)], user)

    def _passes_on(self, r: Recurrence) -> bool:
        """Whether a state is only passed on to the next step: nothing outside of its loop reads it.

        Then two places are enough, for this step's value and the next one's.
        """
        folded = self.plan.folded
        reader, carrier = folded.step.inputs[r.input], folded.step.outputs[r.output]
        roles = [folded.outputs[k] for k, i in enumerate(folded.step.outputs) if i == carrier]
        nests = [b for b in self.plan.blocks if isinstance(b, Nest) and carrier in b.looped]
        kept = (
            set(roles) != {STATE} or reader in self.needs.outputs or self.needs.operand_of(reader)
        )
        if abs(r.delay) != 1 or not nests or kept:
            return False
        read, pending = set[int](), [reader, carrier]
        while pending:
            users = self.plan.users[pending.pop()]
            read.update(users)
            pending += [k for k in users if self.nodes[k].lowering.view]
        return read <= set(nests[0].looped) and not read & self._outputs_and_parts()

    def _outputs_and_parts(self) -> set[int]:
        """Views and concatenations that are kept as a whole."""
        found = {k for k in self.needs.block if self.needs.levels[k] == WHOLE}
        return {k for k in found if (about := self.nodes[k].lowering).view or about.joins}

    def _set_history(self, r: Recurrence, history: Array, inside: int) -> None:
        self.history[r.input] = history
        reader = self.plan.folded.step.inputs[r.input]
        part = history[: self.T] if r.delay > 0 else history[-r.delay :]
        self.values[reader] = Value(WHOLE, part, is_view=True, inside=inside)

    def _shape(self, k: int, level: str, nest: Nest | None) -> tuple[int, ...]:
        shape = self.nodes[k].shape
        if level == WHOLE:
            return (self.T, *shape)
        return (self.needs.chunk[nest], *shape) if level == CHUNK and nest is not None else shape

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
        if not node.lowering.view or base is None or base.array is None or base.level == STATIC:
            return False
        if (
            self.needs.block.get(node.inputs[0], self.needs.block[k]) != self.needs.block[k]
            and base.level != WHOLE
        ):
            return False
        view = view_of(node, base.array, None if base.level == STEP else len(base.array))
        if view is None:
            return False
        self.values[k] = Value(base.level, view, is_view=True, turn=base.turn)
        return True

    def _instead(self, k: int) -> bool:
        """Compute node k in the place of an operand that dies with it."""
        operand = self.needs.in_place.get(k)
        place = None if operand is None else self.values[operand]
        if place is None or place.array is None or ORDER[place.level] < ORDER[self.needs.levels[k]]:
            return False
        self.values[k] = Value(place.level, place.array)
        return True

    def _joined_into(self, k: int) -> int | None:
        """A concatenation, in the same block, that a computed node goes into."""
        if not in_buffer(self.nodes[k]):
            return None
        first, k = k, self._seen_as(k)
        users = [j for j in self.plan.users[k] if self.nodes[j].lowering.joins
                 and self.needs.block.get(j) == self.needs.block[first]]  # fmt: skip
        if not users:
            return None
        node = self.nodes[users[0]]
        deep = ORDER[self.needs.levels[users[0]]] >= ORDER[self.needs.levels[k]]
        same = self.nodes[k].dtype == node.dtype and self.plan.users[k].count(users[0]) == 1
        return users[0] if same and deep else None

    def _seen_as(self, k: int) -> int:
        """What alone reads a node as one entry of a pile; otherwise the node."""
        readers = self.plan.users[k]
        alone = len(readers) == 1 and k not in self.needs.outputs
        return readers[0] if alone and self.nodes[readers[0]].op == "expand_dims" else k

    def _place_inside(self, k: int, user: int, nest: Nest | None) -> None:
        if user not in self.values:
            self._place(user, nest)
        whole, seen = self.values[user], self._seen_as(k)
        assert whole.array is not None  # concatenations have buffers
        part = whole.array[self._span(user, seen)]
        self.values[seen] = Value(whole.level, part, is_view=seen != k, inside=user)
        if seen != k:
            axes = tuple(self.nodes[seen].attrs["axis"])
            self.values[k] = Value(whole.level, np.squeeze(part, axes), inside=user)

    def _release(self, at: int) -> None:
        """Buffers that nobody reads after a block can be used again."""
        for array in self._ends.pop(at, ()):
            self._free.setdefault((array.shape, array.dtype), []).append(array)

    def _span(self, k: int, i: int) -> Any:
        """The position, in the buffer of a concatenation k, of an operand that it has once."""
        if k not in self._spans:
            spans = joined_spans(self.nodes, k)
            self._spans[k] = dict(zip(self.nodes[k].inputs, spans, strict=True))
        return self._spans[k][i]
