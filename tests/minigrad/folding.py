"""Folded graphs to try passes and engines on: every cell, its inputs, and its run step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.folded import (
    EVERY,
    SEQUENCE,
    STATE,
    STATIC,
    SUM,
    Folded,
    Recurrence,
    run_folded,
)
from tests.rnn.runs import BOTH_WAYS, CAUSAL, assert_close

CELLS = CAUSAL | BOTH_WAYS
OPERATIONS = 64
"""Roundings in the longest path through one step of any of the cells, and its derivative."""

every_cell = pytest.mark.parametrize("name", CELLS)


def example(folded: Folded, T: int, seed: int) -> tuple[list[Any], list[Any]]:
    """Inputs of a folded graph: as a program takes them, and as lists of steps."""
    rng = np.random.default_rng(seed)
    delays = {r.input: abs(r.delay) for r in folded.recurrences}
    arrays, lists = [], []
    for k, role in enumerate(folded.inputs):
        node = folded.input_node(k)
        lead = {STATIC: (), SEQUENCE: (T,), STATE: (delays.get(k, 0),)}[role]
        value = 0.5 * rng.normal(size=(*lead, *node.shape))
        if node.dtype == bool:
            value = value > 0
        lists.append(value if role == STATIC else list(value))
        arrays.append(value[0] if role == STATE and delays[k] == 1 else value)
    return arrays, lists


def stepwise(folded: Folded, T: int, lists: list[Any]) -> tuple[list[Any], list[Any]]:
    """What is plain of a folded graph, and its last states, computed step by step."""
    wanted, last = run_folded(folded, T, lists)
    plain = zip(wanted, folded.outputs, strict=True)
    return [np.asarray(x) for x, role in plain if role != STATE], [np.asarray(x) for x in last]


def assert_runs(program: Any, folded: Folded, T: int, seed: int = 0) -> None:
    """A program of a folded graph gives what the graph gives step by step."""
    arrays, lists = example(folded, T, seed)
    wanted, last = stepwise(folded, T, lists)
    outputs, ends = program(*arrays)
    assert_close(tuple(outputs), tuple(wanted), OPERATIONS * 8 * T)
    shaped = tuple(np.reshape(v, e.shape) for v, e in zip(last, ends, strict=True))
    assert_close(tuple(ends), shaped, OPERATIONS * 8 * T)


def assert_same(found: Folded, folded: Folded, T: int = 3, seed: int = 0) -> None:
    """Two folded graphs of the same inputs give the same numbers."""
    _, lists = example(folded, T, seed)
    for mine, its in zip(stepwise(found, T, lists), stepwise(folded, T, lists), strict=True):
        for x, y in zip(mine, its, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


def loop(step: Callable[..., Any], *shapes: tuple[int, ...], x: Any = (2, 3), h: Any = (2, 4),
         total: bool = False, dtype: Any = float) -> Folded:  # fmt: skip
    """The folded graph of `h = step(weights, x, h)`, with static inputs of the shapes given.

    It emits every h, or their sum in `total`.
    """
    ones = [np.ones(shape, dtype) for shape in (*shapes, x, h)]
    n = len(shapes)

    def doubled(*inputs: Any) -> tuple[Any, Any]:
        y = step(inputs[:n], *inputs[n:])
        return y, y

    roles = (*[STATIC] * n, SEQUENCE, STATE)
    edges = (Recurrence(1, n + 1, 1, "h"),)
    return Folded(mg.trace(doubled, *ones), roles, (SUM if total else EVERY, STATE), edges)


def ops(folded: Folded) -> list[str]:
    """The operations of a step, sorted."""
    return sorted(node.op for node in folded.step.nodes if node.inputs)
