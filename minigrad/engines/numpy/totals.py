"""Sums over steps: gradients of weights as one call over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES, Array
from minigrad.engines.numpy import instructions as code
from minigrad.engines.numpy.instructions import Body
from minigrad.engines.numpy.needs import WHOLE
from minigrad.engines.numpy.operands import Operands
from minigrad.engines.numpy.operations import Function, function, maker, view_of
from minigrad.graph import Node


class Totals:
    """The sums over steps of a program, each computed once."""

    def __init__(self, operands: Operands) -> None:
        self.operands, self.storage = operands, operands.storage
        self.nodes, self.plan, self.T = operands.nodes, operands.plan, operands.T
        self._made: dict[int, code.Operand] = {}

    def total(self, k: int, body: Body) -> code.Operand:
        """A node's sum over all steps, computed once."""
        if k not in self._made:
            self._made[k] = self._total(k, body)
        return self._made[k]

    def _total(self, k: int, body: Body) -> code.Operand:
        """A sum over steps, by one call where there is one."""
        node, of = self.nodes[k], self.operands
        if k not in self.plan.summed:
            if self.storage.values[k].level == WHOLE:
                return self._summed(node, of.of(k), (0,), body)
            return _make(k, "times", lambda x, T=self.T: T * x, (of.of(k),), body)
        if node.lowering.through:
            parts = [self.total(i, body) for i in node.inputs]
            if node.lowering.view and isinstance(parts[0], code.View):
                view = view_of(node, self.operands.buffers.array(parts[0]))
                if view is not None:
                    return of.place(view, node.op)
            return _make(k, node.op, maker(node), parts, body)
        whole = [self.storage.values[i].level == WHOLE for i in node.inputs]
        if node.op == "contract" and all(whole):
            left, right = (of.rows(i, body) for i in node.inputs)
            total = self._buffer(node)
            body.append(code.Product("contract", left, right, total))
            return total
        if node.op == "sum" and whole[0]:
            axes = (-len(self.nodes[node.inputs[0]].shape) - 1, *node.attrs["axis"])
            kept = node.attrs["axis"] if node.attrs["keepdims"] else ()
            return self._summed(node, of.of(node.inputs[0]), axes, body, kept)
        at_once = node.op == "put" and all(whole)
        made = function(node, node.attrs) if at_once else _Total(node, whole, self.T)
        return _make(k, node.op, made, [of.of(i) for i in node.inputs], body)

    def _buffer(self, node: Node) -> code.View:
        return self.operands.place(self.operands.buffers.new(node.shape, node.dtype), "total")

    def _summed(
        self,
        node: Node,
        source: code.Operand,
        axes: tuple[int, ...],
        body: Body,
        kept: tuple[int, ...] = (),
    ) -> code.View:
        """A sum into a buffer of its own; it leaves out the axes that are kept."""
        total = self._buffer(node)
        out = np.squeeze(self.operands.buffers.array(total), kept)
        body.append(code.Reduce(source, axes, self.operands.place(out, "total")))
        return total


def _make(
    k: int, op: str, made: Function, operands: Sequence[code.Operand], body: Body
) -> code.Given:
    """The sum of node k, made at the call."""
    body.append(code.Make(op, made, tuple(operands), f"total{k}"))
    return code.Given(f"total{k}")


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
