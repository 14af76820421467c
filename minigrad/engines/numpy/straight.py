"""Operations that run once, one behind the other: what depends on no step.

Each is a call that writes into a buffer, a view that is made when the program is, or the run of a
loop that is a program of its own. A buffer whose value nobody reads later is used again, and
concatenations are filled in place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.engines.numpy.source import (
    Buffers,
    Lines,
    Scope,
    call,
    joined_spans,
    kernel,
    number,
    view_of,
)
from minigrad.folded import STATE, Folded
from minigrad.graph import Node
from minigrad.lower.nodes import in_buffer, read_part

Nested = Callable[[Folded, int, Mapping[int, Array]], Any]
"""Makes the program of a loop: `nested(folded, steps, known)`."""


class Straight:
    """The lines for some nodes of a graph.

    Args:
        nodes: all nodes of the graph.
        order: those that are to run, in their order.
        kept: nodes whose values are read afterwards, by others.
        known, called: of the nodes that are there before.
        scope, buffers, nested: give names, arrays, programs.

    Attributes:
        known: by node, the arrays and numbers that are known before any call.
        called: by node, the variables of values that are known at the call only.
        lines: the source.
        loops: the sources of the programs it runs, as functions.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        order: Sequence[int],
        kept: Collection[int],
        known: Mapping[int, Any],
        called: Mapping[int, str],
        scope: Scope,
        buffers: Buffers,
        nested: Nested,
    ) -> None:
        self.nodes, self.known, self.called = nodes, dict(known), dict(called)
        self.lines: Lines = []
        self.loops: Lines = []
        self._scope, self._buffers, self._nested = scope, buffers, nested
        self._users: dict[int, list[int]] = {}
        for k in order:
            for i in nodes[k].inputs:
                self._users.setdefault(i, []).append(k)
        self._kept = set(kept) | self._held(order)
        self._buffer_of: dict[int, Array] = {}
        self._free: dict[tuple[tuple[int, ...], Any], list[Array]] = {}
        self._inside: dict[int, tuple[int, int]] = {}
        self._spans: dict[int, list[Any]] = {}
        self._results: dict[int, tuple[dict[int, int], list[Any]]] = {}
        self._plan_joins(order)
        for k in order:
            self.lines += self._line(k)

    def name(self, k: int) -> str:
        """The name of a node's value in the source."""
        if k in self.known:
            return self._scope.known(k, self.nodes[k].op, self.known[k])
        return self.called[k]

    def is_fresh(self, k: int) -> bool:
        """Whether a node's value is an array that its operation allocates at each call."""
        node = self.nodes[k]
        shares = node.lowering.view or not node.inputs
        # A scalar is a NumPy number where its operation allocates it, and is made an array.
        return k not in self.known and not shares and bool(node.shape)

    def _line(self, k: int) -> Lines:
        """The line that makes the value of node k; none where it is known before any call."""
        node = self.nodes[k]
        operands = [self._operand(i, node) for i in node.inputs]
        if node.op == "scan":
            return [self._scan(k)]
        if node.op == "project":
            places, results = self._results[node.inputs[0]]
            place = places[node.attrs["k"]]
            if (array := results[place]) is None:
                return self._made(k, f"{operands[0]}[{place}]")
            self.known[k] = array
        elif (view := self._view(node)) is not None:
            self.known[k] = view
        elif node.is_alias:
            self.called[k] = operands[0]
        elif node.lowering.joins and node.dtype is not None:
            return self._join(k, operands)
        elif self._has_buffer(node):
            self.known[k] = self._take_buffer(k)
            return [self._kernel(k, operands)]
        else:
            return self._made(k, call(node, operands, self._scope.bind))
        return []

    def _made(self, k: int, value: str) -> Lines:
        self.called[k] = f"v{k}"
        return [f"v{k} = {value}"]

    def _operand(self, i: int, reader: Node) -> str:
        node = self.nodes[i]
        if node.op == "constant" and node.dtype is None:
            weak = self._has_buffer(reader)
            return self._scope.bind("number", number(node, reader) if weak else node.value)
        return self.name(i)

    def _view(self, node: Node) -> Any:
        """A view of a known array, if a node is one."""
        return view_of(node, self.known.get(node.inputs[0])) if node.lowering.view else None

    # --- concatenations -----------------------------------------------------------------------

    def _join(self, k: int, operands: Lines) -> Lines:
        """Copies of the operands into the buffer of a concatenation."""
        node = self.nodes[k]
        if k not in self.known:
            self.known[k] = self._buffers.new(node.shape, node.dtype)
        return [
            f"{self._scope.bind('part', self.known[k][span])}[...] = {operands[n]}"
            for n, (i, span) in enumerate(zip(node.inputs, self._spans_of(k), strict=True))
            if self._inside.get(i) != (k, n)
        ]

    def _spans_of(self, k: int) -> list[Any]:
        """Where in the buffer of a concatenation its operands stand."""
        if k not in self._spans:
            self._spans[k] = joined_spans(self.nodes, k)
        return self._spans[k]

    def _plan_joins(self, order: Sequence[int]) -> None:
        """Places for concatenations that only another one reads, inside of it."""
        for k in reversed(order):
            node, users = self.nodes[k], self._users.get(k, [])
            if not node.lowering.joins or node.dtype is None or len(users) != 1 or k in self._kept:
                continue
            (user,) = users
            if self.nodes[user].lowering.joins and self.nodes[user].dtype == node.dtype:
                if user not in self.known:
                    self.known[user] = self._buffers.new(self.nodes[user].shape, node.dtype)
                n = self.nodes[user].inputs.index(k)
                self.known[k] = self.known[user][self._spans_of(user)[n]]
                self._inside[k] = user, n

    # --- loops --------------------------------------------------------------------------------

    def _scan(self, k: int) -> str:
        """The run of a loop's program, on those operands whose arrays are not known."""
        node = self.nodes[k]
        folded, places = read_part(node, [self.nodes[j] for j in self._users.get(k, ())])
        known = {
            n: self.known[i]
            for n, i in enumerate(node.inputs)
            if isinstance(self.known.get(i), np.ndarray) and folded.inputs[n] != STATE
        }
        program = self._nested(folded, node.attrs["steps"], known)
        self._results[k] = places, program.results
        operands = ", ".join(self.name(i) for n, i in enumerate(node.inputs) if n not in known)
        name = self._scope.bind("scan", program.run)
        self.loops.append(program.source.replace("def program(", f"def {name}(", 1))
        self.called[k] = f"v{k}"
        return f"v{k} = {name}({operands})"

    # --- buffers ------------------------------------------------------------------------------

    def _has_buffer(self, node: Node) -> bool:
        """Whether a node's operation writes into a buffer; numbers are not worth one."""
        return kernel(node) is not None and bool(node.shape) and node.dtype is not None

    def _kernel(self, k: int, operands: Lines) -> str:
        """A call that writes into a node's buffer."""
        node, out = self.nodes[k], self.name(k)
        shapes = [self.nodes[i].shape for i in node.inputs]
        if node.op == "matmul" and len(shapes[1]) == 2:
            if shapes[1][0] == 1:  # a product over one term
                times = self._scope.bind("multiply", np.multiply)
                return f"{times}({operands[0]}, {operands[1]}[0], {out})"
            if len(shapes[0]) > 2:  # the rows of all leading axes at once
                rows = self._scope.bind("rows", self.known[k].reshape(-1, node.shape[-1]))
                left = f"{operands[0]}.reshape(-1, {shapes[0][-1]})"
                return f"{self._scope.bind('matmul', np.matmul)}({left}, {operands[1]}, {rows})"
        return f"{self._scope.bind(node.op, kernel(node))}({', '.join(operands)}, {out})"

    def _take_buffer(self, k: int) -> Array:
        """A buffer for node k: that of an operand which nobody reads later, if there is one.

        What works entry by entry may write where it reads; others get such a buffer afterwards.
        """
        node = self.nodes[k]
        dead = [
            self._buffer_of[i]
            for i in dict.fromkeys(node.inputs)
            if i in self._buffer_of and self._users[i][-1] == k and i not in self._kept
        ]
        alike = [x for x in dead if (x.shape, x.dtype) == (node.shape, node.dtype)]
        if in_buffer(node) and alike:
            buffer = alike[0]
            dead = [x for x in dead if x is not buffer]
        else:
            waiting = self._free.get((node.shape, node.dtype))
            buffer = waiting.pop() if waiting else self._buffers.new(node.shape, node.dtype)
        self._buffer_of[k] = buffer
        for x in dead:
            self._free.setdefault((x.shape, x.dtype), []).append(x)
        return buffer

    def _held(self, order: Sequence[int]) -> set[int]:
        """Nodes whose buffers must not be used again: what views or loops may hold."""
        return {
            i
            for k in order
            if self.nodes[k].lowering.view or self.nodes[k].op == "scan"
            for i in self.nodes[k].inputs
        }
