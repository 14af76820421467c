"""What is expanded in tests: every operation with its derivatives, cells with their BPTT."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

import minigrad as mg
import rnn
from minigrad.graph import Graph
from minigrad.testing.cases import draw_case
from minigrad.tree import flatten

RUNS = {name: p for name, p in mg.PRIMITIVES.items() if p.kind != "loop" and name != "project"}
"""Every operation but those that are about graphs inside of graphs."""


def of_operation(name: str, random: Random) -> tuple[Graph, tuple[Any, ...]]:
    """An operation and its vjp as one graph, and what to run it on."""
    case = draw_case(RUNS[name], random)

    def both(*xs: Any) -> Any:
        y, pull = mg.vjp(case.apply, *xs)
        return (y, *(pull(np.ones(y.shape)) if xs and y.dtype.kind == "f" else ()))

    points = tuple(case.points())
    return mg.trace(both, *points), points


def of_cell(cell: rnn.Cell, T: int, seed: int) -> tuple[Graph, tuple[Any, ...]]:
    """Loss and gradient of a cell over T steps."""
    values = np.random.default_rng(seed)
    params, xs = cell.init(values), values.normal(size=(T, 2, cell.inputs))

    def loss(params: Any, xs: Any) -> Any:
        ys, _ = rnn.run(cell, params, xs, unfolded=True)
        return mg.mean(ys * ys) + mg.logsumexp(ys[-1])

    return mg.trace(lambda p, xs: mg.value_and_grad(loss)(p, xs), params, xs), (params, xs)


def agree(found: Any, wanted: Any, rtol: float = 1e-12) -> None:
    """Equal but for rounding."""
    for a, b in zip(flatten(found)[0], flatten(wanted)[0], strict=True):
        np.testing.assert_allclose(a, np.asarray(b, float), rtol=rtol, atol=rtol)
