"""Sums over steps: gradients of weights as one call over all steps, or added up in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES, Array
from minigrad.engines.numpy.naming import Naming, Rows
from minigrad.engines.numpy.needs import WHOLE
from minigrad.engines.numpy.source import Lines, call, view_of
from minigrad.graph import Node
from minigrad.lower.schedule import Nest


class Totals:
    """The sums over steps of a program, each computed once."""

    def __init__(self, names: Naming) -> None:
        self.names, self.storage = names, names.storage
        self.nodes, self.plan, self.T = names.nodes, names.plan, names.T
        self._made: dict[int, tuple[str, Array | None]] = {}

    def total(self, k: int, lines: Lines) -> tuple[str, Array | None]:
        """A node's sum over all steps, computed once: its variable, and its array if known."""
        if k not in self._made:
            self._made[k] = self._seen_total(k, lines) or self._made_total(k, lines)
        return self._made[k]

    def _seen_total(self, k: int, lines: Lines) -> tuple[str, Array] | None:
        """A part or another view of a known sum, made once and for all."""
        node = self.nodes[k]
        about = node.lowering
        if k not in self.plan.summed or not (about.view and about.through):
            return None
        view = view_of(node, self.total(node.inputs[0], lines)[1])
        return None if view is None else (self.names.bind(node.op, view), view)

    def _made_total(self, k: int, lines: Lines) -> tuple[str, Array | None]:
        """A sum over steps that has to be computed, by one call where there is one."""
        node, name = self.nodes[k], f"total{k}"
        if k not in self.plan.summed:
            if self.storage.values[k].level == WHOLE:
                return self._into(node, _sum_over(0), [self.names.of(k)], lines)
            lines.append(f"{name} = {self.T} * {self.names.of(k)}")
            return name, None
        if node.lowering.through:
            parts = [self.total(i, lines)[0] for i in node.inputs]
            lines.append(f"{name} = {call(node, parts, self.names.bind)}")
            return name, None
        whole = [self.storage.values[i].level == WHOLE for i in node.inputs]
        operands = [self.names.of(i) for i in node.inputs]
        if node.op == "contract" and all(whole):
            rows = [self.names.rows(i) for i in node.inputs]
            return self._into(node, _transposed_product, rows, lines)
        if node.op == "sum" and whole[0]:
            axes = (-len(self.nodes[node.inputs[0]].shape) - 1, *node.attrs["axis"])
            kept = node.attrs["axis"] if node.attrs["keepdims"] else ()
            return self._into(node, _sum_over(axes), operands, lines, kept)
        one_call = node.op == "put" and all(whole)
        total = (
            self.names.plain(node)
            if one_call
            else self.names.bind("sum", _Total(node, whole, self.T))
        )
        lines.append(f"{name} = {total}({', '.join(operands)})")
        return name, None

    def _into(
        self, node: Node, function: Any, operands: Lines, lines: Lines, kept: tuple[int, ...] = ()
    ) -> tuple[str, Array]:
        """A call that writes into a buffer of its own; it leaves out the axes that are kept."""
        array = self.storage.buffers.new(node.shape, node.dtype)
        out = self.names.bind("total", np.squeeze(array, kept))
        lines.append(f"{self.names.bind(node.op, function)}({', '.join([*operands, out])})")
        return self.names.bind("total", array), array

    def add_up(self, nest: Nest, rows: Rows) -> tuple[Lines, Lines]:
        """Weight gradients of a chunk, added to those of the others: zeros, and what adds."""
        before, lines = [], []
        for k in (k for k, where in self.storage.needs.partial.items() if where == nest):
            node = self.nodes[k]
            part, total = (self.storage.buffers.new(node.shape, node.dtype) for _ in range(2))
            name, other = self.names.bind("total", total), self.names.bind("part", part)
            self._made[k] = name, total
            before.append(f"{name}[...] = 0")
            operands = ", ".join(rows.flat(i) for i in node.inputs)
            lines.append(f"{self.names.bind('contract', _transposed_product)}({operands}, {other})")
            lines.append(f"{self.names.bind('add', np.add)}({name}, {other}, {name})")
        return before, lines


class _Total:
    """A sum over steps, step by step: for operations that know no better."""

    def __init__(self, node: Node, whole: Sequence[bool], steps: int) -> None:
        self.node, self.whole, self.steps = node, whole, steps

    def __call__(self, *xs: Any) -> Array:
        result = np.zeros(self.node.shape, self.node.dtype)
        forward = PRIMITIVES[self.node.op].forward
        for t in range(self.steps):
            step = [x[t] if whole else x for x, whole in zip(xs, self.whole, strict=True)]
            result += forward(*step, **self.node.attrs)
        return result


def _transposed_product(a: Array, b: Array, out: Array) -> None:
    np.matmul(a.T, b, out)


def _sum_over(axes: int | tuple[int, ...]) -> Callable[[Array, Array], None]:
    add: Any = np.add.reduce

    def into(x: Array, out: Array) -> None:
        add(x, axes, None, out)

    return into
