"""Passes that take sigmoids apart, into calls on all gates; and weights take the numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from minigrad.core import Array
from minigrad.folded import Folded
from minigrad.lower.nodes import front_span, static_nodes
from minigrad.lower.rewrite import Rewrite


def sigmoid_by_exp(folded: Folded) -> Folded:
    """σ(x) = 1 / (exp(−x) + 1): three calls in place, and weights take the −1.

    It has full relative accuracy as long as σ is a normal number, and then, where exp(−x)
    overflows, it is 0. (tanh(x/2) + 1) / 2 would be quicker by one call, but is 0 for any x that
    is below −37, or −17 in single precision. Half precision overflows too early and is left alone.
    """
    work = Rewrite(folded)
    for k in sigmoids(folded):
        node, one = folded.step.nodes[k], work.constant(1.0)
        turned = work.add("multiply", [node.inputs[0], work.constant(-1.0)], node.shape)
        power = work.add("exp", [turned], node.shape)
        more = work.add("add", [power, one], node.shape)
        work.nodes[k] = replace(node, op="divide", inputs=(one, more))
    return work.done()


def sigmoids(folded: Folded) -> list[int]:
    """The nodes that `sigmoid_by_exp` takes apart: those of steps, as once is no time."""
    fixed = static_nodes(folded)
    return [k for k, node in enumerate(folded.step.nodes) if node.op == "sigmoid"
            and k not in fixed and node.dtype in (np.float32, np.float64)]  # fmt: skip


def scale_weights(folded: Folded) -> Folded:
    """Multiply weights instead of results: −(x W + h U + b) becomes x (−W) + h (−U) + (−b).

    Of piled gates, each with its own number, all are done at once.
    """
    while True:
        scaling = _Scaling(folded)
        if not scaling.piles() | scaling.single():
            return folded
        folded = scaling.work.done()


class _Scaling:
    """One round of moving numbers from results to weights."""

    def __init__(self, folded: Folded) -> None:
        self.work, self.nodes = Rewrite(folded), folded.step.nodes
        self.users, self.static = folded.step.users(), static_nodes(folded)
        self.kept = set(folded.step.outputs)

    def piles(self) -> bool:
        """Gates of which some are multiplied with a number; whether anything was changed."""
        spans_of: dict[int, dict[int, tuple[int, int]]] = {}
        for k in range(len(self.nodes)):
            if (span := front_span(self.nodes, k)) and span[0] not in self.static:
                spans_of.setdefault(span[0], {})[k] = span[1:]
        changed = False
        for pile, spans in spans_of.items():
            numbers = {k: self._number(k) for k in spans}
            alone = {j for j, _ in self.users[pile]} == set(spans) and _apart(spans.values())
            if not alone or not any(numbers.values()):
                continue
            by = np.ones((self.nodes[pile].shape[0], *(1,) * (len(self.nodes[pile].shape) - 1)))
            for k, (low, high) in spans.items():
                by[low:high] = numbers[k] or 1.0
            made = self._scaled(pile, by, pile=True)
            if made is None:
                continue
            for k in spans:
                self.work.nodes[k] = replace(self.nodes[k], inputs=(made,))
                if numbers[k]:
                    self.work.become(self.users[k][0][0], k)
            changed = True
        return changed

    def single(self) -> bool:
        """Other values that are multiplied with a number; whether anything was changed."""
        changed = False
        for k, node in enumerate(self.nodes):
            number = self._number(k)
            if number is None or k in self.static or node.op in ("input", "constant", "index"):
                continue
            made = self._scaled(k, np.full((1,) * len(node.shape), number))
            if made is not None:
                self.work.become(self.users[k][0][0], made)
                changed = True
        return changed

    def _number(self, k: int) -> float | None:
        """The number that the one reader of k multiplies it with."""
        if len(self.users[k]) != 1 or k in self.kept:
            return None
        reader = self.nodes[self.users[k][0][0]]
        if reader.op != "multiply":
            return None
        other = [self.nodes[i] for i in reader.inputs if i != k]
        if len(other) != 1 or other[0].op != "constant":
            return None
        return None if other[0].dtype is not None else float(other[0].value)

    def _scaled(self, k: int, by: Array, pile: bool = False) -> int | None:
        """A node whose value is that of k times numbers, at no cost in the step."""
        node, work = self.nodes[k], self.work
        if node.dtype is None:
            return None
        if k in self.static:
            fitted = _fitted(by, node.shape)
            if fitted is None:
                return None
            return work.add("multiply", [k, work.constant(fitted.astype(node.dtype))], node.shape)
        if k in self.kept or (len(self.users[k]) != 1 and not pile):
            return None
        if node.op == "add":
            parts = [self._scaled(i, by) for i in node.inputs]
            return None if None in parts else work.add("add", _all(parts), node.shape)
        if node.op == "multiply":
            fixed = [i for i in node.inputs if i in self.static]
            part = self._scaled(fixed[0], by) if len(fixed) == 1 else None
            rest = [i for i in node.inputs if i not in self.static]
            return None if part is None else work.add("multiply", [part, *rest], node.shape)
        if node.lowering.weight is not None:
            weight = node.inputs[node.lowering.weight]
            row = _fitted(by, node.shape[-1:])
            if weight not in self.static or row is None or len(self.nodes[weight].shape) != 2:
                return None
            part = self._scaled(weight, row[None])
            inputs = [part if i == weight else i for i in node.inputs]
            return work.add(node.op, _all(inputs), node.shape)
        if node.op in ("reshape", "transpose", "expand_dims"):
            (x,) = node.inputs
            whole = np.broadcast_to(by, node.shape)
            if node.op == "transpose":
                back = np.argsort([a % whole.ndim for a in node.attrs["axes"]])
                whole = np.transpose(whole, back)
            inner = self._scaled(x, whole.reshape(self.nodes[x].shape))
            return None if inner is None else work.add(node.op, [inner], node.shape, **node.attrs)
        if front_span(self.nodes, k) and by.size == 1:
            return work.add("multiply", [k, work.constant(by.item())], node.shape)  # for `piles`
        return None


def _all(parts: Iterable[int | None]) -> list[int]:
    return [i for i in parts if i is not None]


def _apart(spans: Iterable[tuple[int, int]]) -> bool:
    """Whether no two spans overlap."""
    row = sorted(spans)
    return all(a[1] <= b[0] for a, b in itertools.pairwise(row))


def _fitted(by: Array, shape: tuple[int, ...]) -> Array | None:
    """Numbers as an array that fits a smaller shape, if they are equal along what is left out."""
    lead = by.ndim - len(shape)
    for axis in range(by.ndim):
        wide = axis < lead or shape[axis - lead] == 1
        if wide and by.shape[axis] > 1:
            if (by != by.take([0], axis)).any():
                return None
            by = by.take([0], axis)
    return by.reshape(by.shape[lead:]) if lead > 0 else by
