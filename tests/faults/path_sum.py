"""A second engine, too slow for anything but tests: derivatives as sums over paths.

No rule, no order of the walk and no accumulation of ours takes part. The local slope of every
operation is measured by a complex step or by differences, and d(out)/d(in) is the sum over all
paths of the products of slopes along them, by plain recursion from the definition.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autodiff import vjp
from minigrad.core import PRIMITIVES, Array
from minigrad.graph import Graph, replay
from minigrad.testing.cases import Case
from minigrad.testing.laws import Broken, complex_step
from minigrad.testing.numeric import COMPLEX_LIMIT
from minigrad.testing.programs import Program

LONGEST = 12
"""Operations of the largest program that is worth its exponential time."""


def local_jacobian(case: Case, k: int) -> Array | None:
    """∂y/∂xₖ as a matrix `(y.size, xₖ.size)`, without any rule; None where that is not exact."""
    x = case.operands[k]
    largest = max(float(np.max(np.abs(v), initial=0.0)) for v in case.operands)
    if largest > COMPLEX_LIMIT:
        return None
    columns = []
    for index in np.ndindex(x.shape):
        along = np.zeros(x.shape)
        along[index] = 1.0
        column = complex_step(
            lambda moved: case.primitive(
                *(moved if i == k else v for i, v in enumerate(case.operands)), **case.attrs
            ), [x], [along],
        )  # fmt: skip
        if column is None:
            return None
        columns.append(column.ravel())
    return np.array(columns).reshape(x.size, -1).T


def jacobians(program: Program) -> list[Array] | None:
    """∂(result)/∂(input) for each input, by recursion over paths; None if a slope is not exact."""
    graph = program.graph
    whole = Graph(graph.nodes, graph.inputs, tuple(range(len(graph.nodes))), graph.in_tree,
                  graph.out_tree)  # fmt: skip
    values = [np.asarray(v) for v in replay(whole, program.values)]
    slopes: dict[tuple[int, int], Array] = {}
    for n, node in enumerate(graph.nodes):
        if node.op in ("input", "constant"):
            continue
        case = Case(PRIMITIVES[node.op], tuple(values[i] for i in node.inputs), dict(node.attrs))
        for k in case.wrt:
            slope = local_jacobian(case, k)
            if slope is None or case.primitive.numerics.kink is not None:
                return None
            slopes[n, k] = slope

    def paths(n: int, leaf: int) -> Any:
        if n == leaf:
            return np.eye(values[n].size)
        total: Any = np.zeros((values[n].size, values[leaf].size))
        for k, source in enumerate(graph.nodes[n].inputs):
            if (n, k) in slopes:
                total = total + slopes[n, k] @ paths(source, leaf)
        return total

    (result,) = graph.outputs
    return [paths(result, leaf) for leaf in graph.inputs]


def path_sum(program: Program, seed: int = 0) -> None:
    """Compare a small program's vjp with the sum over paths.

    Raises:
        Broken: a gradient differs by more than the rounding of its absolute terms.
    """
    if len(program) > LONGEST:
        return
    with np.errstate(all="ignore"):
        wanted = jacobians(program)
        if wanted is None:
            return
        y, pull = vjp(program, *program.values)
        w = np.random.default_rng(seed).normal(size=np.shape(y))
        found = pull(w)
    for k, (J, g) in enumerate(zip(wanted, found, strict=True)):
        exact = (w.ravel() @ J).reshape(g.shape)
        size = float(np.abs(w).sum() * np.max(np.abs(J), initial=0.0)) + 1e-300
        off = float(np.max(np.abs(g - exact), initial=0.0))
        # Products along paths may cancel in the total: a relative 1e-9 of their size is far above
        # their rounding and far below any wrong rule.
        if not off <= 1e-9 * max(size, 1.0):
            raise Broken(f"path sum: input {k}: gradient {g}, wanted {exact}\n{program}")
