"""Passes that put side by side what is alike: one product and one call for all gates.

Gates of one size are piled up along a new first axis, `(gates, batch, size)`, so that operations
on neighbouring gates are one call on memory without gaps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from minigrad.folded import Folded
from minigrad.graph import Node
from minigrad.lower.nodes import (
    by_entries,
    carriers,
    column_span,
    front_span,
    looped_nodes,
    static_nodes,
)
from minigrad.lower.regroup import Chains, chain_up
from minigrad.lower.rewrite import Rewrite


def join_operands(folded: Folded) -> Folded:
    """A sum of products in a loop becomes one product: x W + h U + b = [x h 1] [W; U; b].

    One product then gives the weight gradients too. Done where every product of a state joins
    the same operands, so that gates can still be merged, and where what comes from outside of the
    loop is no wider than what recurs.
    """
    work, chains, static = Rewrite(folded), Chains(folded), static_nodes(folded)
    nodes, looped = folded.step.nodes, chains.looped

    def factors(i: int) -> tuple[int, int] | None:
        """The left operand and the weight of a product with a fixed matrix."""
        if nodes[i].op != "matmul" or i in static or nodes[i].inputs[1] not in static:
            return None
        left, weight = nodes[i].inputs
        return (left, weight) if len(nodes[weight].shape) == 2 else None

    joins: dict[int, tuple[list[int], list[int]]] = {}
    for k in chains.roots():
        if nodes[k].op == "multiply":
            continue
        terms, size = chains.terms(k), nodes[k].shape[-1:]
        products = [i for i in terms if factors(i) and chains.sole(i) and len(nodes[k].shape) > 1
                    and nodes[i].shape == nodes[k].shape]  # fmt: skip
        biases = [i for i in terms if i in static and nodes[i].shape == size]
        lefts = [nodes[i].inputs[0] for i in products]
        widths = [nodes[i].shape[-1] for i in lefts]
        outside = sum(w for i, w in zip(lefts, widths, strict=True) if i not in looped)
        inside = sum(widths) - outside
        plain = {nodes[i].dtype for i in (*products, *lefts, *biases)} == {nodes[k].dtype}
        several = products and len(products) + len(biases) > 1 and len(set(lefts)) == len(lefts)
        if plain and several and outside <= inside:
            order = sorted(products, key=lambda i: (nodes[i].inputs[0] in looped, i))
            joins[k] = order, biases

    def key(k: int) -> tuple[object, ...]:
        products, biases = joins[k]
        return (*(nodes[i].inputs[0] for i in products), bool(biases))

    wanted: dict[int, set[object]] = {}
    inside_of = {i: k for k, (products, _) in joins.items() for i in products}
    for i in looped:
        if (pair := factors(i)) and pair[0] in looped:
            wanted.setdefault(pair[0], set()).add(key(inside_of[i]) if i in inside_of else i)
    ones: dict[Any, int] = {}
    for k, (products, biases) in joins.items():
        lefts = [nodes[i].inputs[0] for i in products]
        if any(len(wanted.get(i, ())) > 1 for i in lefts):
            continue
        rights = [nodes[i].inputs[1] for i in products]
        if biases:
            shape = (*nodes[k].shape[:-1], 1)
            if (shape, nodes[k].dtype) not in ones:
                ones[shape, nodes[k].dtype] = work.constant(np.ones(shape, nodes[k].dtype))
            lefts.append(ones[shape, nodes[k].dtype])
            rights.append(work.lifted(chain_up(work, "add", biases), 2))
        left, right = work.joined(lefts, -1), work.joined(rights, -2)
        rest = [i for i in chains.terms(k) if i not in products and i not in biases]
        merged = work.add("matmul", [left, right], nodes[k].shape)
        if not rest:
            work.become(k, merged)
        else:
            inputs = (merged, chain_up(work, "add", rest))
            work.nodes[k] = replace(nodes[k], op="add", inputs=inputs, attrs={})
    return work.done()


def columns_as_gates(folded: Folded) -> Folded:
    """Read columns of one width, as of a product that was written for all gates, as gates."""
    work, looped = Rewrite(folded), looped_nodes(folded)
    nodes, users = folded.step.nodes, folded.step.users()
    for k, node in enumerate(nodes):
        if k not in looped or node.op == "input" or node.lowering.joins:
            continue
        spans = {j: span for j, _ in users[k] if (span := column_span(nodes, j))}
        widths = {high - low for _, low, high in spans.values()}
        if len(spans) < 2 or len(widths) > 1:
            continue
        (width,) = widths
        if not width or node.shape[-1] % width or any(low % width for _, low, _ in spans.values()):
            continue
        pile = _gates_of(work, k, node.shape[-1] // width)
        for j, (_, low, _) in spans.items():
            work.become(j, work.entry(pile, low // width))
    return work.done()


def _gates_of(work: Rewrite, wide: int, count: int) -> int:
    """The columns of a node, in `count` equal parts, piled up along a new first axis: a view."""
    *lead, columns = work.nodes[wide].shape
    shape = (*lead, count, columns // count)
    parts = work.add("reshape", [wide], shape, shape=shape)
    if not lead:
        return parts
    n = len(shape)
    axes = (-2, *range(-n, -2), -1)
    return work.add("transpose", [parts], (count, *lead, columns // count), axes=axes)


def merge_products(folded: Folded) -> Folded:
    """Products that share their left operand become one, with the weights side by side.

    So do look-ups of the same rows in several tables.
    """
    work, looped, static = Rewrite(folded), looped_nodes(folded), static_nodes(folded)
    nodes, users = folded.step.nodes, folded.step.users()
    groups: dict[tuple[str, int, int, bool, int], list[int]] = {}
    for k, node in enumerate(nodes):
        at = node.lowering.weight
        if at is None or k in static:
            continue
        weight, shared = node.inputs[at], node.inputs[1 - at]
        if weight in static and shared not in static and len(nodes[weight].shape) == 2:
            key = (node.op, at, shared, k in looped, node.shape[-1])
            groups.setdefault(key, []).append(k)
    for (op, at, shared, _, width), group in groups.items():
        if len(group) < 2:
            continue
        group = _in_a_row({k: _fate(nodes, users, k) for k in group})
        beside = work.joined([nodes[k].inputs[at] for k in group], -1)
        operands = [shared, beside] if at else [beside, shared]
        wide = work.add(op, operands, (*nodes[group[0]].shape[:-1], len(group) * width))
        pile = _gates_of(work, wide, len(group))
        for n, k in enumerate(group):
            work.become(k, work.entry(pile, n))
    return work.done()


def _fate(
    nodes: Sequence[Node], users: Sequence[Sequence[tuple[int, int]]], k: int
) -> tuple[str, ...]:
    """What becomes of a gate: its nonlinear function, and the next two operations."""
    path: list[str] = []
    while users[k] and len(path) < 3:
        k = users[k][0][0]
        if path or nodes[k].lowering.chain is None:
            path.append(nodes[k].op)
    return tuple(path)


def _in_a_row(fates: Mapping[int, tuple[str, ...]]) -> list[int]:
    """Gates in the order in which most neighbours can be merged: c, f, i, o for an LSTM.

    Those of one function stand together, and those of one fate, where two functions meet.
    """

    def alike(a: tuple[str, ...], b: tuple[str, ...]) -> int:
        return 2 * (a[:1] == b[:1]) + (a[1:] == b[1:])

    groups: dict[tuple[str, ...], list[int]] = {}
    for k, fate in fates.items():
        groups.setdefault(fate, []).append(k)
    last = min(groups, key=lambda a: sum(len(ks) * alike(a, b) for b, ks in groups.items()))
    row = groups.pop(last)
    while groups:
        last = max(groups, key=partial(alike, last))
        row += groups.pop(last)
    return row


def merge_elementwise(folded: Folded) -> Folded:
    """The same operation on neighbouring gates becomes one operation on all of them."""
    while True:
        changed = _merge_once(folded)
        if changed is None:
            return folded
        folded = changed


Run = list[tuple[int, int, int]]
"""Neighbours: low, high, and the node that works on these entries."""


def _merge_once(folded: Folded) -> Folded | None:
    work, looped, static = Rewrite(folded), looped_nodes(folded), static_nodes(folded)
    nodes, users, kept = folded.step.nodes, folded.step.users(), carriers(folded)
    spans = {k: span for k in range(len(nodes)) if (span := front_span(nodes, k))}
    runs: dict[tuple[int, str, int, bool], Run] = {}
    for k, (pile, low, high) in spans.items():
        for user, port in users[k]:
            fits = nodes[user].shape == nodes[k].shape and user not in kept
            if fits and by_entries(nodes[user]):
                key = (pile, nodes[user].op, port, user in looped)
                runs.setdefault(key, []).append((low, high, user))
    for (pile, op, port, loops), members in runs.items():
        free = static | ({*range(len(nodes))} - looped if loops else set())
        for run in itertools.chain.from_iterable(map(_parts, _neighbours(members))):
            if _depend(nodes, [k for *_, k in run]):
                continue
            operands = _others(work, run, port, spans, users, free)
            if operands is None:
                continue
            low, high = run[0][0], run[-1][1]
            operands.insert(port, work.front(pile, low, high))
            merged = work.add(op, operands, (high - low, *nodes[pile].shape[1:]))
            work.nodes[merged] = replace(work.nodes[merged], dtype=nodes[run[0][2]].dtype)
            for a, b, k in run:
                one = len(nodes[k].shape) < len(nodes[pile].shape)
                part = work.entry(merged, a - low) if one else work.front(merged, a - low, b - low)
                work.become(k, part)
            return work.done()
    return None


def _depend(nodes: Sequence[Node], members: Sequence[int]) -> bool:
    """Whether one of some nodes is computed from another."""
    above, pending = set[int](), [i for k in members for i in nodes[k].inputs]
    first = min(members)
    while pending:
        i = pending.pop()
        if i >= first and i not in above:
            above.add(i)
            pending += nodes[i].inputs
    return not above.isdisjoint(members)


def _parts(run: Run) -> Iterator[Run]:
    """A run, and the shorter ones in it, of two or more."""
    n = len(run)
    return (run[a : a + m] for m in range(n, 1, -1) for a in range(n - m + 1))


def _neighbours(members: Iterable[tuple[int, int, int]]) -> list[Run]:
    """Members sorted by place, cut into runs without gaps, of two or more; the empty have none."""
    runs: list[Run] = []
    for member in sorted(m for m in members if m[0] < m[1]):
        if runs and runs[-1][-1][1] == member[0]:
            runs[-1].append(member)
        elif not runs or runs[-1][-1][0] < member[0]:
            runs.append([member])
    return [run for run in runs if len(run) > 1]


def _others(
    work: Rewrite,
    run: Run,
    port: int,
    spans: dict[int, tuple[int, int, int]],
    users: Sequence[Sequence[tuple[int, int]]],
    free: set[int],
) -> list[int] | None:
    """The other operands of a run, piled up; None where that would cost a copy at every step.

    `free` are the nodes that can be copied: those that are fixed, or outside of the loop.
    """
    nodes, result = work.nodes, []
    members = [k for *_, k in run]
    rank = 1 + min(len(nodes[k].shape) - (b - a > 1) for a, b, k in run)
    for p in range(len(nodes[members[0]].inputs)):
        if p == port:
            continue
        given = [nodes[k].inputs[p] for k in members]
        if len(set(given)) == 1 and len(nodes[given[0]].shape) < rank:
            result.append(given[0])
            continue
        parts = [spans.get(i) for i in given]
        sizes = [high - low for low, high, _ in run]
        whole = [s for s, n in zip(parts, sizes, strict=True) if s and s[2] - s[1] == n]
        if len(whole) == len(given) and all(
            a[0] == b[0] and a[2] == b[1] for a, b in itertools.pairwise(whole)
        ):
            result.append(work.front(whole[0][0], whole[0][1], whole[-1][2]))
            continue
        tails = {nodes[i].shape[1:] if len(nodes[i].shape) == rank else nodes[i].shape
                 for i in given}  # fmt: skip
        fits = all(
            len(nodes[i].shape) < rank if n == 1 else nodes[i].shape[:1] == (n,)
            for i, n in zip(given, sizes, strict=True)
        )
        if len(tails) > 1 or not fits or () in tails:
            return None
        if free.issuperset(given):
            result.append(work.joined([work.lifted(i, rank) for i in given], -rank))
            continue
        product = _shared_product(work, given, users, free) if set(sizes) == {1} else None
        if product is None:
            return None
        result.append(product)
    return result


def _shared_product(
    work: Rewrite, given: list[int], users: Sequence[Sequence[tuple[int, int]]], free: set[int]
) -> int | None:
    """Products a s, b s, c s of one s, as with peepholes, as [a b c] s."""
    nodes = work.nodes
    alone = [i for i in given if nodes[i].op == "multiply" and len(users[i]) == 1]
    pairs = [set(nodes[i].inputs) for i in alone]
    common = set.intersection(*pairs) - free if len(pairs) == len(given) else set()
    if len(common) != 1:
        return None
    factors = [i for k in given for i in nodes[k].inputs if i not in common]
    shapes, rank = {nodes[i].shape for i in factors}, 1 + len(nodes[given[0]].shape)
    if len(factors) != len(given) or len(shapes) > 1 or not free.issuperset(factors):
        return None
    pile = work.joined([work.lifted(i, rank) for i in factors], -rank)
    return work.add("multiply", [pile, *common], (len(given), *nodes[given[0]].shape))


def merge_factors(folded: Folded) -> Folded:
    """Piled up, [a s, b s, c s] of one s becomes [a b c] s, broadcast over the gates.

    a, b and c do not recur, so they are piled up outside of the loop.
    """
    work, nodes = Rewrite(folded), folded.step.nodes
    looped, kept, taken = looped_nodes(folded), set(folded.step.outputs), set[int]()

    def split(i: int) -> tuple[int, int, int] | None:
        """Of one entry of a pile: the shared cotangent, the factor, and their product."""
        k = nodes[i].inputs[0] if nodes[i].op == "expand_dims" else i
        node = nodes[k]
        if k == i or node.op != "multiply" or k not in looped or k in kept | taken:
            return None
        inside = [j for j in node.inputs if j in looped]
        outside = [j for j in node.inputs if j not in looped]
        fits = len(inside) == 1 and all(nodes[j].shape == node.shape for j in node.inputs)
        return (inside[0], outside[0], k) if fits else None

    for k, node in enumerate(nodes):
        rank = len(node.shape)
        if not node.lowering.joins or node.attrs["axis"] != -rank or k not in looped:
            continue
        operands: list[int] = []
        for shared, run in itertools.groupby(node.inputs, lambda i: (split(i) or (-1,))[0]):
            members = list(run)
            if shared < 0 or len(members) < 2:
                operands += members
                continue
            parts = [part for i in members if (part := split(i)) is not None]
            pile = work.joined([work.lifted(factor, rank) for _, factor, _ in parts], -rank)
            merged = work.add("multiply", [pile, shared], (len(members), *node.shape[1:]))
            for n, (*_, product) in enumerate(parts):
                work.become(product, work.entry(merged, n))
                taken.add(product)
            operands.append(merged)
        if len(operands) == 1:
            work.become(k, operands[0])
        else:
            work.nodes[k] = replace(node, inputs=tuple(operands))
    return work.done()
