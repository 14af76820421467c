"""Nests in generated source: chunks of steps, and in each the steps one by one.

All views are made once, so a step is a list of plain calls on the variables of a loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.engines.numpy.naming import Naming, Rows, See
from minigrad.engines.numpy.needs import WHOLE
from minigrad.engines.numpy.source import Lines, kernel
from minigrad.engines.numpy.tiles import Cut, cut_of
from minigrad.engines.numpy.totals import Totals
from minigrad.graph import Node
from minigrad.lower.nodes import lifted
from minigrad.lower.schedule import Nest


class NestWriter:
    """The lines of one nest.

    Attributes:
        outer, inner: the variables of its chunks, and of the steps in them.
        before: what is done once, ahead of the nest.
    """

    def __init__(self, nest: Nest, names: Naming, totals: Totals) -> None:
        self.nest, self.names, self.totals, self.storage = nest, names, totals, names.storage
        self.nodes, self.plan, self.T = names.nodes, names.plan, names.T
        self.outer, self.inner = Rows(names, False), Rows(names, True)
        self.before: Lines = []

    def lines(self) -> Lines:
        """Chunks of steps; in each the batched operations, then the steps one by one."""
        nest, outer, inner = self.nest, self.outer, self.inner
        first = [line for k in nest.batched for line in self._batched(k)]
        # What a joined operand takes from outside of the loop is copied for the chunk at once.
        for k in nest.looped:
            if self.nodes[k].lowering.joins:
                first += self.names.copies(k, self._outside(k), outer)
        then = [line for k in nest.looped for line in self._stepped(k)]
        zeros, after = self.totals.add_up(nest, outer)
        size = self.storage.needs.chunk[nest]
        spans = [(lo, min(lo + size, self.T)) for lo in range(0, self.T, size)]
        chunks = [
            (lo, hi, outer.views(lo, hi), inner.steps(lo, hi, nest.direction))
            for lo, hi in spans[:: nest.direction]
        ]
        if not chunks or not (first or then):
            return []
        lines = [
            *self.before,
            *zeros,
            f"for lo, hi, {outer.pattern()}, steps in {self.names.bind('chunks', chunks)}:",
        ]
        lines += [f"    {line}" for line in first]
        if then:
            back = "[::-1]" if nest.direction < 0 else ""
            given = [f"{name}[lo:hi]{back}" for name in inner.given]
            pattern, source = inner.pattern(), "steps"
            if given:
                pattern = ", ".join([pattern, *(f"{name}_t" for name in inner.given)])
                source = f"zip(steps, {', '.join(given)})"
            lines.append(f"    for {pattern} in {source}:")
            lines += [f"        {line}" for line in then]
        return lines + [f"    {line}" for line in after]

    def _batched(self, k: int) -> Lines:
        """The call for one node, on all steps of a chunk."""
        node = self.nodes[k]
        if self._is_there(k):
            return []
        if node.lowering.joins:
            return self.names.copies(k, range(len(node.inputs)), self.outer)
        align = PRIMITIVES[node.op].lift == "align"
        gaps = [self.names.gap(k, i) if align else 0 for i in node.inputs]
        return self._call(k, self.outer, gaps) or [
            f"{self.outer.read(k)}[...] = {self.names.bind(node.op, _on_chunk(node))}"
            f"({', '.join(self._operands(k, self.outer, gaps))})"
        ]

    def _stepped(self, k: int) -> Lines:
        """The call for one node, at one step."""
        node = self.nodes[k]
        if self._is_there(k):
            return []
        if node.lowering.joins:
            outside = set(self._outside(k))
            parts = [n for n in range(len(node.inputs)) if n not in outside]
            return self.names.copies(k, parts, self.inner)
        if node.op == "matmul" and (product := self._product(k)):
            return [product]
        gaps = [0] * len(node.inputs)
        return self._call(k, self.inner, gaps) or [
            f"{self.inner.read(k)}[...] = {self.names.plain(node)}"
            f"({', '.join(self._operands(k, self.inner, gaps))})"
        ]

    def _is_there(self, k: int) -> bool:
        """Whether nothing has to be done for a node."""
        return self.nodes[k].op == "input" or self.storage.values[k].is_view

    def _operands(self, k: int, rows: Rows, gaps: list[int]) -> Lines:
        return [
            self.names.operand(k, i) if self.nodes[i].op == "constant" else rows.aligned(i, gap)
            for i, gap in zip(self.nodes[k].inputs, gaps, strict=True)
        ]

    def _call(self, k: int, rows: Rows, gaps: list[int]) -> Lines:
        """The operation as calls that write into their buffer; none where it has no such calls."""
        node = self.nodes[k]
        if node.op != "add_n" and not kernel(node):
            return []
        names, target = self._operands(k, rows, gaps), rows.read(k)
        if kernel(node):
            return [f"{self.names.bind(node.op, kernel(node))}({', '.join(names)}, {target})"]
        add = self.names.bind("add", np.add)
        lines = [f"{add}({names[0]}, {names[1]}, {target})"] if len(names) > 1 else []
        return lines + [f"{add}({target}, {name}, {target})" for name in names[2:]] or [
            f"{target}[...] = {names[0]}"
        ]

    def _product(self, k: int) -> str | None:
        """A step's product with a fixed weight: cut into tiles if that pays, or plain."""
        node, (left, right), rows = self.nodes[k], self.nodes[k].inputs, self.inner
        a, y = (self.names.sample(i) for i in (left, k))
        if right not in self.plan.fixed or a is None or y is None or node.dtype is None:
            return None
        if a.ndim != 2 or len(self.nodes[right].shape) != 2:
            return None
        if self.nodes[left].dtype != node.dtype or self.nodes[right].dtype != node.dtype:
            return None
        (m, n), K = node.shape, self.nodes[right].shape[0]
        cut = cut_of(m, K, n, node.dtype.name)
        weight = self._weight(right, cut)
        if cut is not None:
            tag = f"_{cut.m}x{cut.n}"
            operands = rows.read(left, cut.left, tag), weight, rows.read(k, cut.out, tag)
            return f"{self.names.matmul}({', '.join(operands)})"
        # `dot` has less to decide than `matmul`, but copies what has gaps.
        plain = a.flags.c_contiguous and y.flags.c_contiguous
        product = self.names.bind("dot", np.dot) if plain else self.names.matmul
        return f"{product}({rows.read(left)}, {weight}, {rows.read(k)})"

    def _weight(self, k: int, cut: Cut | None) -> str:
        """A fixed weight in the layout of its product: copied once a run, if it is another."""
        value, node = self.storage.values[k], self.nodes[k]
        see: See = cut.weight if cut else lambda w: w
        if value.array is not None and see(value.array).flags.c_contiguous:
            return self.names.bind("weight", see(value.array))
        shape = see(np.empty(node.shape, np.uint8)).shape
        copy = self.names.bind("weight", self.storage.buffers.new(shape, node.dtype))
        if value.array is None:
            given = f"{self.names.bind('layout', see)}({value.name})"
        else:
            given = self.names.bind("layout", see(value.array))
        self.before.append(f"{copy}[...] = {given}")
        return copy

    def _outside(self, k: int) -> list[int]:
        """Operands of a concatenation in a loop that can be copied into it ahead of the loop."""
        if self.storage.values[k].level != WHOLE:
            return []
        return [n for n, i in enumerate(self.nodes[k].inputs) if i not in self.nest.inside]


def _on_chunk(node: Node) -> Callable[..., Any]:
    """The operation on all steps of a chunk, however many it has."""
    forward = PRIMITIVES[node.op].forward
    return lambda x, *xs: forward(x, *xs, **lifted(node, len(x)))
