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

ORDERS, LAPACK = "decides by the value of a number", "is no instruction on single numbers"
REFUSED = {
    "argmax": ORDERS, "argmin": ORDERS, "argsort": ORDERS, "searchsorted": ORDERS,
    "signbit": "has no −0", "solve_columns": LAPACK, "log_abs_det": LAPACK, "sign_of_det": LAPACK,
    "cholesky": LAPACK, "eigensystem": LAPACK, "svdvals": LAPACK,
}  # fmt: skip
"""Operations that cannot be told in single numbers, and why."""

ABOUT_GRAPHS = {name for name, p in mg.PRIMITIVES.items() if p.kind == "loop"} | {"project"}
RUNS = {name: p for name, p in mg.PRIMITIVES.items() if name not in {*ABOUT_GRAPHS, *REFUSED}}
"""Every operation but those, and those that are about graphs inside of graphs."""


def of_operation(name: str, random: Random) -> tuple[Graph, tuple[Any, ...]]:
    """An operation and its vjp as one graph, and what to run it on; the value, if that is all."""
    case = draw_case(mg.PRIMITIVES[name], random)
    if not case.wrt:
        given = tuple(x for x in case.operands if x.dtype.kind == "f")
        rest = [x for x in case.operands if x.dtype.kind != "f"]  # all of one kind
        return mg.trace(lambda *xs: case.primitive(*xs, *rest, **case.attrs), *given), given

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
