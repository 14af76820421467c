"""Storage: where the values of a scheduled folded graph live.

Each has a buffer for as many steps as it is needed (see `needs`). Views cost nothing,
concatenations are filled in place, and a buffer whose value is dead is used again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Array
from minigrad.engines.numpy.buffers import Buffers
from minigrad.engines.numpy.needs import CHUNK, ORDER, RING, STATIC, STEP, WHOLE, Needs
from minigrad.engines.numpy.operations import joined_spans, kernel, view_of
from minigrad.folded import SEQUENCE, STATE, Folded, Recurrence
from minigrad.graph import Node
from minigrad.lower.nodes import in_buffer, read_part
from minigrad.lower.schedule import Nest, Schedule

Nested = Callable[[Folded, int, Mapping[int, Array]], Any]
"""Makes the program of a loop: `nested(folded, steps, known)`."""


@dataclass
class Value:
    """Where the value of a node is.

    Attributes:
        level: "whole" (all steps, time in front), "chunk", "step" or "static"; a "ring" holds this
            step's and the next one's, in turn.
        array: its buffer, or None if the value is only known at the call.
        name: what it is called then.
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


class Inner(NamedTuple):
    """The program of a loop: the place of each result, and the nodes that it is called on."""

    program: Any
    places: dict[int, int]
    operands: list[int]


class Storage:
    """The places of all values of a schedule for T steps.

    Attributes:
        known: the arrays of inputs that are always in the same place, by number.
        values: by node. Nodes that exist only in sums over steps have none.
        history: for each state input the buffer of its recurrence, start values included.
        needs: how long they are kept.
        loops: the programs of loops that depend on no step, by node.
        buffers: gives them.
    """

    def __init__(
        self,
        plan: Schedule,
        steps: int,
        known: Mapping[int, Array],
        buffers: Buffers,
        nested: Nested,
    ) -> None:
        self.plan, self.T, self.known = plan, steps, known
        self.nodes: Sequence[Node] = plan.folded.step.nodes
        self.values: dict[int, Value] = {}
        self.history: dict[int, Array] = {}
        self.buffers = buffers
        self.loops: dict[int, Inner] = {}
        self._free: dict[tuple[tuple[int, ...], Any], list[Array]] = {}
        self._ends: dict[int, list[Array]] = {}
        self._spans: dict[int, list[Any]] = {}
        self.needs = Needs(plan, steps)
        self._nested = nested
        self._place_inputs()
        for at, block in enumerate(self.needs.order):
            if isinstance(block, Nest):
                for k in (*block.batched, *block.looped):
                    self._place(k)
            else:
                if in_buffer(self.nodes[block]):
                    self._release(at)  # what works entry by entry may write where it reads
                self._place(block)
            self._release(at)

    def _buffer(self, k: int) -> Value:
        """A place of its own for node k, laid out as its reader wants it."""
        level, node = self.needs.levels[k], self.nodes[k]
        block = self.needs.order[self.needs.block[k]]
        chunk = (self.needs.chunk[block],) if isinstance(block, Nest) else ()
        axes, lead = self._wanted_axes(k), {WHOLE: (self.T,), CHUNK: chunk}.get(level, ())
        order = (*range(len(lead)), *(len(lead) + a for a in axes))
        laid = (*lead, *(node.shape[a] for a in axes))
        waiting = self._free.get((laid, node.dtype))
        array = waiting.pop() if waiting else self.buffers.new(laid, node.dtype)
        own = self.needs.block[k]
        end = max(own, self.needs.last[k]) if level in (WHOLE, STATIC) else own
        self._ends.setdefault(end, []).append(array)
        return Value(level, array.transpose(sorted(range(len(order)), key=order.__getitem__)))

    def _wanted_axes(self, k: int) -> tuple[int, ...]:
        """The order of axes in memory: that of the one transpose of k, where there is one."""
        node, first = self.nodes[k], tuple(range(len(self.nodes[k].shape)))
        orders = {
            tuple(a % len(first) for a in self.nodes[j].attrs["axes"])
            for j in self.plan.users[k]
            if self.nodes[j].op == "transpose"
        }
        # A weight is read as it is, forwards, besides.
        alone = len(orders) == 1 and node.op != "matmul" and k not in self.plan.fixed
        return orders.pop() if alone else first

    def _place_inputs(self) -> None:
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

    def is_fresh(self, k: int) -> bool:
        """Whether a node's value is an array that its operation allocates at each call."""
        node = self.nodes[k]
        shares = node.lowering.view or not node.inputs
        # A scalar is a NumPy number where its operation allocates it, and is made an array.
        return self.values[k].array is None and not shares and bool(node.shape)

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
        if self.needs.passes_on(r):
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

    def _set_history(self, r: Recurrence, history: Array, inside: int) -> None:
        self.history[r.input] = history
        reader = self.plan.folded.step.inputs[r.input]
        part = history[: self.T] if r.delay > 0 else history[-r.delay :]
        self.values[reader] = Value(WHOLE, part, is_view=True, inside=inside)

    def _place(self, k: int) -> None:
        """Give a node its place, and the operands of a concatenation theirs inside of it."""
        node = self.nodes[k]
        if k in self.values or node.op == "input":
            return
        if node.op == "scan" and k in self.plan.fixed:
            self._place_loop(k)
        elif not self._as_view(k):
            if not self._has_buffer(k):
                self.values[k] = Value(STATIC, name=f"v{k}")
            elif (user := self._joined_into(k)) is not None:
                self._place_inside(k, user)
            elif not self._instead(k):
                self.values[k] = self._buffer(k)

    def _has_buffer(self, k: int) -> bool:
        """Whether node k is computed into a buffer; a number that is made once is not worth one."""
        node = self.nodes[k]
        writes = kernel(node) is not None or node.lowering.joins
        return k not in self.plan.fixed or bool(writes and node.shape and node.dtype is not None)

    def _place_loop(self, k: int) -> None:
        """A program for a loop inside, on operands whose arrays are known as far as can be."""
        node, users = self.nodes[k], self.plan.users[k]
        folded, places = read_part(node, [self.nodes[j] for j in users])
        arrays = ((n, self.values[i].array) for n, i in enumerate(node.inputs))
        known = {n: x for n, x in arrays if isinstance(x, np.ndarray) and folded.inputs[n] != STATE}
        program = self._nested(folded, node.attrs["steps"], known)
        rest = [i for n, i in enumerate(node.inputs) if n not in known]
        self.loops[k] = Inner(program, places, rest)
        self.values[k] = Value(STATIC, name=f"v{k}")
        for j in users:
            array = program.results[places[self.nodes[j].attrs["k"]]]
            if array is not None:
                self.values[j] = Value(STATIC, array, is_view=True)

    def _as_view(self, k: int) -> bool:
        """Whether node k is a part of what is there already, which then is its place."""
        node = self.nodes[k]
        base = self.values.get(node.inputs[0]) if node.inputs else None
        if not node.lowering.view or base is None:
            return False
        if base.array is None:
            if node.is_alias and base.level == STATIC:
                self.values[k] = Value(STATIC, name=base.name, is_view=True)
            return k in self.values
        block = self.needs.block
        apart = block.get(node.inputs[0], block[k]) != block[k]
        if apart and base.level not in (WHOLE, STATIC):
            return False
        steps = None if base.level in (STEP, STATIC) else len(base.array)
        view = view_of(node, base.array, steps)
        if view is None:
            return False
        self.values[k] = Value(base.level, view, is_view=True, turn=base.turn)
        return True

    def _instead(self, k: int) -> bool:
        """Compute node k in the place of an operand that dies with it."""
        operand = self.needs.in_place.get(k)
        place = None if operand is None else self.values[operand]
        if place is None or place.array is None or place.level != self.needs.levels[k]:
            return False
        self.values[k] = Value(place.level, place.array)
        return True

    def _joined_into(self, k: int) -> int | None:
        """A concatenation that a node goes into: of the same block, or made once as well."""
        once, block = k in self.plan.fixed, self.needs.block
        if not (in_buffer(self.nodes[k]) or (once and self.nodes[k].lowering.joins)):
            return None
        seen = self._seen_as(k)
        users = [j for j in self.plan.users[seen] if self.nodes[j].lowering.joins
                 and (block.get(j) == block[k] or (once and j in self.plan.fixed))]  # fmt: skip
        if not users:
            return None
        node = self.nodes[users[0]]
        deep = ORDER[self.needs.levels[users[0]]] >= ORDER[self.needs.levels[seen]]
        same = self.nodes[seen].dtype == node.dtype and self.plan.users[seen].count(users[0]) == 1
        return users[0] if same and deep else None

    def _seen_as(self, k: int) -> int:
        """What alone reads a node as one entry of a pile; otherwise the node."""
        readers = self.plan.users[k]
        alone = len(readers) == 1 and k not in self.needs.outputs
        return readers[0] if alone and self.nodes[readers[0]].op == "expand_dims" else k

    def _place_inside(self, k: int, user: int) -> None:
        self._place(user)
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

    def spans(self, k: int) -> list[Any]:
        """The positions, in the buffer of a concatenation k, of its operands."""
        if k not in self._spans:
            self._spans[k] = joined_spans(self.nodes, k)
        return self._spans[k]

    def _span(self, k: int, i: int) -> Any:
        """That of an operand that it has once."""
        return self.spans(k)[self.nodes[k].inputs.index(i)]
