"""Passes of algebra: equal expressions once, and sums and products grouped another way."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from minigrad.folded import Folded
from minigrad.graph import Node, as_text, same_attrs
from minigrad.lower.nodes import carriers, column_span, front_span, looped_nodes, static_nodes
from minigrad.lower.rewrite import Rewrite


def own_carriers(folded: Folded) -> Folded:
    """Give every recurrence a node of its own to carry its value, an alias where one is shared.

    Each recurrence then has one buffer: its start values followed by the values of its node.
    """
    work, static, taken = Rewrite(folded), static_nodes(folded), set[int]()
    for r in folded.recurrences:
        k = work.outputs[r.output]
        if k in taken or k in static or work.nodes[k].op in ("input", "constant"):
            k = work.outputs[r.output] = work.add("alias", [k], work.nodes[k].shape)
        taken.add(k)
    return work.done()


def eliminate_common(folded: Folded) -> Folded:
    """Compute equal expressions once, and weak numbers too; carriers are left alone."""
    work, kept = Rewrite(folded), carriers(folded)
    first: dict[tuple[object, ...], list[int]] = {}
    same: dict[int, int] = {}
    for k, node in enumerate(work.nodes):
        inputs = tuple(same.get(i, i) for i in node.inputs)
        if inputs != node.inputs:
            node = work.nodes[k] = replace(node, inputs=inputs)
        number = node.op == "constant" and node.dtype is None
        if node.op == "input" or (node.op == "constant" and not number) or k in kept:
            continue
        if node.is_alias:
            same[k] = node.inputs[0]
            continue
        about = repr(node.value), *map(as_text, node.attrs.values())
        alike = first.setdefault((node.op, node.inputs, about), [])
        for j in alike:
            if same_attrs(work.nodes[j].attrs, node.attrs) and work.nodes[j].dtype == node.dtype:
                same[k] = j
                break
        else:
            alike.append(k)
    work.outputs = [same.get(i, i) for i in work.outputs]
    return work.done()


class Chains:
    """Sums and products in a loop, each taken whole: ((a + b) + c) + d has the terms a b c d."""

    def __init__(self, folded: Folded) -> None:
        self.nodes, self.users = folded.step.nodes, folded.step.users()
        self.looped, self.kept = looped_nodes(folded), set(folded.step.outputs)

    def sole(self, k: int) -> bool:
        """Whether one node reads k, and nothing else needs its value."""
        return len(self.users[k]) == 1 and k not in self.kept

    def _absorbed(self, k: int) -> bool:
        """Whether a sum or product is only a term of a larger one."""
        if self.nodes[k].lowering.chain is None or k not in self.looped or not self.sole(k):
            return False
        above = self.nodes[self.users[k][0][0]]
        own = self.nodes[k]
        return (above.lowering.chain, above.shape) == (own.lowering.chain, own.shape)

    def roots(self) -> list[int]:
        """The nodes that stand for a whole chain."""
        return [
            k
            for k, node in enumerate(self.nodes)
            if node.lowering.chain is not None and k in self.looped and not self._absorbed(k)
        ]

    def terms(self, root: int) -> list[int]:
        """The operands of the whole chain, from left to right."""
        found, pending = [], list(reversed(self.nodes[root].inputs))
        while pending:
            i = pending.pop()
            same = self.nodes[i].lowering.chain == self.nodes[root].lowering.chain
            if same and self._absorbed(i):
                pending += reversed(self.nodes[i].inputs)
            else:
                found.append(i)
        return found


def chain_up(work: Rewrite, op: str, terms: list[int]) -> int:
    """Terms added or multiplied from left to right."""
    total, *rest = terms
    for i in rest:
        a, b = work.nodes[total], work.nodes[i]
        if a.dtype is None and b.dtype is None:  # two weak numbers are one
            total = work.constant(a.value * b.value if op == "multiply" else a.value + b.value)
            continue
        total = work.add(op, [total, i], np.broadcast_shapes(a.shape, b.shape))
    return total


def reassociate(folded: Folded) -> Folded:
    """Group what does not recur: (x W + h U) + b becomes (x W + b) + h U.

    In a chain of sums or products inside a loop, the operands from outside the loop are combined
    first; that part then leaves the loop and runs once on whole sequences. Numbers come first of
    all, with the entry of a pile where there is one, so that neighbouring entries can be merged.
    """
    work, chains = Rewrite(folded), Chains(folded)
    nodes, looped = folded.step.nodes, chains.looped

    def late(i: int) -> int:
        return 0 if nodes[i].shape == () else 1 if front_span(nodes, i) else 2

    for k in chains.roots():
        terms = chains.terms(k)
        outside = [i for i in terms if i not in looped]
        if not 2 <= len(outside) < len(terms):
            continue
        op = nodes[k].lowering.chain
        assert op is not None
        total = chain_up(work, op, sorted(outside, key=late))
        rest = [i for i in terms if i in looped]
        if len(rest) > 1:
            total = chain_up(work, op, [total, *rest[:-1]])
        work.nodes[k] = replace(nodes[k], op=op, inputs=(total, rest[-1]))
    return work.done()


def factor_out(folded: Folded) -> Folded:
    """In a loop, s a b, −s a and s a + s b become s times a factor from outside of it.

    Cotangents that come from one another by such factors then all come from one, and can be
    computed at once: in a GRU those of r, z and the candidate from that of h.
    """
    work, chains = Rewrite(folded), Chains(folded)
    nodes, looped = folded.step.nodes, chains.looped
    forms: dict[int, tuple[int, int]] = {}
    for k, node in enumerate(nodes):
        form = _form(work, node, looped, forms) if k in looped else None
        if form is None:
            continue
        forms[k] = form
        source, factor = form
        if work.nodes[factor].shape == node.shape == nodes[source].shape:
            work.nodes[k] = replace(node, op="multiply", inputs=(factor, source), attrs={})
    return work.done()


def _form(
    work: Rewrite, node: Node, looped: set[int], forms: dict[int, tuple[int, int]]
) -> tuple[int, int] | None:
    """A node in a loop as the product of another one in it and a factor from outside."""
    nodes = work.folded.step.nodes
    inside = [i for i in node.inputs if i in looped]
    if node.op == "negative" and inside and inside[0] in forms:
        source, factor = forms[inside[0]]
        return source, work.add("negative", [factor], work.nodes[factor].shape)
    if node.op == "multiply" and len(inside) == 1:
        (other,) = [i for i in node.inputs if i not in looped]
        if node.shape != nodes[inside[0]].shape or nodes[other].shape != node.shape:
            return None
        if inside[0] not in forms:
            return inside[0], other
        source, factor = forms[inside[0]]
        return source, work.add("multiply", [factor, other], node.shape)
    if node.op in ("add", "subtract") and len(inside) == 2 and {*inside} <= forms.keys():
        (source, a), (same, b) = (forms[i] for i in node.inputs)
        if source == same and work.nodes[a].shape == work.nodes[b].shape == node.shape:
            return source, work.add(node.op, [a, b], node.shape)
    return None


def distribute(folded: Folded) -> Folded:
    """[a s, b t] F becomes [a s F₁, b t F₂] in a loop, where a, b and F are from outside of it.

    The factors can then be grouped, and only one product is left in the loop.
    """
    work, chains = Rewrite(folded), Chains(folded)
    nodes, looped = folded.step.nodes, chains.looped

    def scaled(i: int) -> bool:
        """Whether a part is a product with a factor from outside of the loop."""
        inner = nodes[i].inputs[0] if nodes[i].op == "expand_dims" and chains.sole(i) else i
        node = nodes[inner]
        outside = not looped.issuperset(node.inputs)
        return node.op == "multiply" and chains.sole(inner) and outside

    for k in chains.roots():
        node = nodes[k]
        if node.op != "multiply":
            continue
        pile, factor = node.inputs if node.inputs[0] in looped else node.inputs[::-1]
        beside = nodes[pile]
        axis = -len(node.shape)
        if (
            not beside.lowering.joins
            or beside.attrs["axis"] != axis
            or factor in looped
            or not chains.sole(pile)
            or beside.shape != node.shape
            or not all(map(scaled, beside.inputs))
        ):
            continue
        parts, low = [], 0
        piled = len(nodes[factor].shape) == len(node.shape)
        many = piled and nodes[factor].shape[0] > 1
        for i in beside.inputs:
            high = low + nodes[i].shape[0]
            if nodes[i].op == "expand_dims":  # one entry
                inner = nodes[i].inputs[0]
                own = work.entry(factor, low if many else 0) if piled else factor
                part = work.add("multiply", [inner, own], nodes[inner].shape)
                parts.append(work.lifted(part, len(node.shape)))
            else:
                own = work.front(factor, low, high) if many else factor
                parts.append(work.add("multiply", [i, own], nodes[i].shape))
            low = high
        work.nodes[k] = replace(node, op="concatenate", inputs=tuple(parts), attrs={"axis": axis})
    return work.done()


def narrow_products(folded: Folded) -> Folded:
    """Columns of a product are the product with those columns of the weight.

    So the part of a product that nobody reads is not computed, and one that does not recur leaves
    the loop: in backward, the cotangents of a layer's inputs.
    """
    work, static, looped = Rewrite(folded), static_nodes(folded), looped_nodes(folded)
    nodes, users, kept = folded.step.nodes, folded.step.users(), set(folded.step.outputs)
    for k, node in enumerate(nodes):
        if node.op != "matmul" or k in static or node.inputs[1] not in static or k in kept:
            continue
        readers = [j for j, _ in users[k]]
        spans = [column_span(nodes, j) for j in readers]
        inside = [j for j in readers if j in looped]
        if None in spans or len(inside) > 1 or len(readers) - len(inside) > 1:
            continue
        left, weight = node.inputs
        for j, span in zip(readers, spans, strict=True):
            assert span is not None  # as tested
            rows = nodes[weight].shape[:-1]
            part = work.add(
                "index", [weight], (*rows, span[2] - span[1]), position=(..., slice(*span[1:]))
            )
            work.nodes[j] = replace(nodes[j], op="matmul", inputs=(left, part), attrs={})
    return work.done()


def pile_up(folded: Folded) -> Folded:
    """Parts put at places that fill an array's first axis are a concatenation.

    That is what the transpose of reading entries one by one is.
    """
    work = Rewrite(folded)
    for k, node in enumerate(folded.step.nodes):
        spans = _filled(node) if node.op == "scatter" else None
        if spans is None:
            continue
        order = sorted(range(len(spans)), key=lambda n: spans[n])
        parts = [work.lifted(node.inputs[n], len(node.shape)) for n in order]
        attrs = {"axis": -len(node.shape)}
        work.nodes[k] = replace(node, op="concatenate", inputs=tuple(parts), attrs=attrs)
    return work.done()


def flatten_piles(folded: Folded) -> Folded:
    """A concatenation in a concatenation along the same axis becomes part of it."""
    work, nodes, users = Rewrite(folded), folded.step.nodes, folded.step.users()
    outputs = set(folded.step.outputs)

    def alike(k: int, i: int) -> bool:
        return nodes[i].lowering.joins and nodes[i].attrs == nodes[k].attrs

    for k, node in enumerate(nodes):
        if not node.lowering.joins:
            continue
        parts: list[int] = []
        for i in node.inputs:
            dissolves = alike(k, i) and i not in outputs
            dissolves = dissolves and all(alike(i, user) for user, _ in users[i])
            parts += work.nodes[i].inputs if dissolves else (i,)
        if tuple(parts) != node.inputs:
            work.nodes[k] = replace(node, inputs=tuple(parts))
    return work.done()


def _filled(node: Node) -> list[tuple[int, int]] | None:
    """The places of a scatter's parts along the first axis, if they fill it and do not overlap."""
    spans = []
    for position in node.attrs["positions"]:
        if len(position) != 1 or not isinstance(position[0], int | slice):
            return None
        entry = position[0]
        if isinstance(entry, slice):
            low, high, step = entry.indices(node.shape[0])
            if step != 1:
                return None
        else:
            low = entry % node.shape[0]
            high = low + 1
        spans.append((low, high))
    ends = [0, *itertools.chain.from_iterable(sorted(spans)), node.shape[0]]
    return spans if all(a == b for a, b in zip(ends[::2], ends[1::2], strict=True)) else None
