"""The smallest program that still fails: after Hypothesis, on the program itself.

A result becomes an earlier one, a node its operand or its plain value, an axis one entry long, a
number a round one. Whatever still fails is kept; what nobody reads falls away by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.graph import apply
from minigrad.testing.programs import Program, finish
from minigrad.testing.progress import now

Failing = Callable[[Program], bool]
TRIES = 600
"""Variants that are tried at most: about a second."""


def minimise(program: Program, fails: Failing) -> Program:
    """A program that fails and has no smaller variant that does."""
    tries, changed = 0, True
    while changed and tries < TRIES:
        changed = False
        for smaller in variants(program):
            tries += 1
            now(f"making the failing program of {len(program)} operations smaller, try {tries}")
            if tries > TRIES:
                break
            try:
                bad = fails(smaller)
            except Exception:  # a variant may be no program at all
                bad = False
            if bad:
                program, changed = smaller, True
                break
    return program


def variants(program: Program) -> Iterator[Program]:
    """Smaller or simpler programs, the most different first."""
    nodes = program.graph.nodes
    last = program.graph.outputs[0]
    operations = [k for k, node in enumerate(nodes) if node.op not in ("input", "constant")]
    for k in operations:
        if k != last:
            yield from _made(program, result=k)
    for k in reversed(operations):
        if k != last:
            yield from _made(program, cut=k)
    for k in operations:
        for i in nodes[k].inputs:
            if nodes[i].shape == nodes[k].shape and nodes[i].op != "constant":
                yield from _made(program, bypass={k: i})
    for n, x in enumerate(program.values):
        for axis in range(x.ndim):
            if x.shape[axis] > 1:
                yield from _made(program, values={n: x.take([0], axis)})
    for n, x in enumerate(program.values):
        if x.ndim and x.size == 1:
            yield from _made(program, values={n: x.reshape(())})
        for simple in (np.ones_like(x), np.round(x), np.round(x, 1)):
            if _size(simple) < _size(x):
                yield from _made(program, values={n: simple})


def _size(x: Any) -> int:
    return len(repr(x.tolist()))


def _made(
    program: Program,
    result: int | None = None,
    cut: int | None = None,
    bypass: Mapping[int, int] | None = None,
    values: Mapping[int, Any] | None = None,
) -> Iterator[Program]:
    """One variant, or none where it cannot be recorded."""
    graph = program.graph
    made: list[Any] = [None] * len(graph.nodes)
    leaves = []
    for n, (i, value) in enumerate(zip(graph.inputs, program.values, strict=True)):
        made[i] = Tensor((values or {}).get(n, value), graph.nodes[i].name)
        leaves.append(made[i])
    try:
        with np.errstate(all="ignore"):
            for k, node in enumerate(graph.nodes):
                if node.op == "constant":
                    made[k] = node.value
                elif bypass and k in bypass:
                    made[k] = made[bypass[k]]
                elif node.op != "input":
                    made[k] = apply(node, [made[i] for i in node.inputs])
                    if k == cut:
                        made[k] = Tensor(made[k].data)
                        leaves.append(made[k])
        smaller = finish(leaves, made[graph.outputs[0] if result is None else result])
    except (ValueError, TypeError, IndexError, AttributeError):
        return
    if any(node.name for node in smaller.graph.nodes if node.op != "input"):
        nodes = tuple(n if n.op == "input" else replace(n, name=None) for n in smaller.graph.nodes)
        smaller = Program(replace(smaller.graph, nodes=nodes), smaller.values)
    yield smaller
