"""How far apart two right answers may be: the path scale of a derivative, from the graph itself.

A directional derivative is a sum over paths of products. Rounding moves it by a few ε of the sum
of their absolute values, which can be far more than ε of the result where terms cancel. The bound
S = Σ_nodes ‖ḡ‖‖ẋ‖ + Σ_edges ‖ḡ_edge‖‖ẋ‖ + Σ_saturating ‖ḡ‖‖ẋ_operand‖ needs one more walk and no
constant per primitive. The last sum is there because 1 − y² has only absolute accuracy once y is
near 1. Results of another precision count by their own ε. Source: Griewank and Walther, Evaluating
Derivatives (2008), chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Outputs, Tensor, ancestors, pull_back, push_forward
from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, run_folded
from minigrad.ops import stack

EPSILON = float(np.finfo(float).eps)
ROUNDINGS = 64


def precision(x: Any) -> float:
    """How many ε of double precision a rounding of an array is.

    >>> precision(np.float32(1.0)) == 2.0**29, precision(np.float64(1.0))
    (True, 1.0)
    """
    return float(np.finfo(x.dtype).eps) / EPSILON if x.dtype.kind == "f" else 1.0


def norm(x: Any) -> float:
    """Euclidean norm of an array, or of all results of a loop; 0 for nothing."""
    if x is None:
        return 0.0
    if isinstance(x, list | tuple):
        return float(sum(norm(part) for part in x))
    array = np.asarray(getattr(x, "data", x), float)
    top = float(np.max(np.abs(array), initial=0.0))
    # Scaled, because squares of numbers like 1e-200 are 0 and would bound nothing.
    return top * float(np.linalg.norm(array.ravel() / top)) if 0 < top < np.inf else top


def cotangents(outputs: Sequence[Tensor], seeds: Sequence[Any]) -> dict[int, Any]:
    """Seeds by the serial number of their output; those of one given twice add up."""
    start: dict[int, Any] = {}
    for x, seed in zip(outputs, seeds, strict=True):
        start[x.serial] = start[x.serial] + seed if x.serial in start else seed
    return start


class PathScale:
    """The path scale S of Σ ⟨seed, d output⟩, for any directions of leaves.

    Attributes:
        nodes: what the outputs were made from, oldest first.
        tangents: those of the last direction, by serial number.
    """

    def __init__(self, outputs: Sequence[Tensor], seeds: Sequence[Any]) -> None:
        self.nodes = ancestors(*outputs)
        self.tangents: dict[int, Any] = {}
        start = cotangents(outputs, seeds)
        with np.errstate(all="ignore"):
            found = pull_back(self.nodes, start, {x.serial for x in self.nodes}, recorded=False)
            own = {x.serial: precision(x) for x in self.nodes if type(x._data) is np.ndarray}
            self._bars = {s: _finite(g) * own.get(s, 1.0) for s, g in found.items()}
            self._edges = {
                node.serial: _edges(node, found[node.serial])
                for node in self.nodes
                if node.serial in found and node.primitive is not None
            }

    def along(self, leaves: Sequence[Tensor], directions: Sequence[Any]) -> float:
        """S for one direction of each of these leaves; all others stand still."""
        start = {x.serial: v for x, v in zip(leaves, directions, strict=True)}
        with np.errstate(all="ignore"):
            self.tangents = push_forward(self.nodes, start, recorded=False)
        sizes = {serial: _finite(dot) for serial, dot in self.tangents.items()}
        total = sum(g * sizes.get(serial, 0.0) for serial, g in self._bars.items())
        for edges in self._edges.values():
            total += sum(weight * sizes.get(source, 0.0) for source, weight in edges)
        return total


def _finite(x: Any) -> float:
    """The norm of what is finite: of the slope ∞ of one entry, nothing follows for another."""
    if isinstance(x, list | tuple):
        return float(sum(map(_finite, x)))
    return norm(None if x is None else np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0))


def _edges(node: Tensor, g: Any) -> list[tuple[int, float]]:
    """For each operand that has a derivative, the size of what goes back to it."""
    primitive: Any = node.primitive
    if primitive.kind in ("stepwise", "loop"):
        return []
    values = [x._data if type(x) is Tensor else x for x in node.parents]
    whole = _finite(g) if primitive.numerics.saturates else 0.0
    own = precision(node)
    asked = [
        i
        for i, x in enumerate(node.parents)
        if type(x) is Tensor and x.dtype.kind == "f" and primitive.moves(i)
    ]
    parts = (
        {i: primitive.rules[i](g, node._data, *values, **node.attrs) for i in asked}
        if primitive.joint is None
        else primitive.joint(g, node._data, values, node.attrs, frozenset(asked))
    )
    return [
        (
            node.parents[i].serial,
            max(own, precision(node.parents[i])) * (_finite(parts[i]) + whole),
        )
        for i in asked
    ]


def expanded(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], stir: np.random.Generator | None = None
) -> tuple[list[Tensor], list[Any]]:
    """The same graph with every scan run step by step, and its leaves.

    What happens inside of a loop counts for the path scale, so it must be on the graph. With
    `stir`, every result is moved by up to one rounding (Parker 1997, Monte Carlo arithmetic): what
    then moves is not known better.
    """
    fresh = [Tensor(x.data, x.name) for x in leaves]
    made: dict[int, Any] = {x.serial: copy for x, copy in zip(leaves, fresh, strict=True)}
    for node in ancestors(*outputs):
        if node.serial in made:
            continue
        primitive = node.primitive
        operands = [made[x.serial] if type(x) is Tensor else x for x in node.parents]
        if primitive is None:
            made[node.serial] = node.data
        elif primitive.name == "scan":
            made[node.serial] = _steps(operands, **node.attrs)
        elif primitive.name == "project":
            made[node.serial] = operands[0][node.attrs["k"]]
        else:
            made[node.serial] = primitive(*operands, **node.attrs)
            if type(made[node.serial]) is Tensor:  # reports tell names and steps
                made[node.serial].name, made[node.serial].tag = node.name, node.tag
                if stir is not None and node.dtype.kind == "f":
                    moved = stir.uniform(-1, 1, node.shape) * EPSILON * precision(node)
                    data = made[node.serial]._data
                    made[node.serial]._data = np.asarray(data * (1 + moved), node.dtype)
    return fresh, [made[y.serial] for y in outputs]


def _steps(operands: Sequence[Any], folded: Any, kept: Any, steps: int) -> Outputs:
    """The results of a scan, every operation of every step on the graph."""
    delays = {r.input: abs(r.delay) for r in kept.recurrences}
    given: list[Any] = []
    for k, (role, x) in enumerate(zip(kept.inputs, operands, strict=True)):
        if role == STATIC:
            given.append(x)
        elif role == SEQUENCE or delays[k] > 1:
            given.append([x[t] for t in range(x.shape[0])])
        else:
            given.append([x])
    columns, last = run_folded(kept, steps, given)
    results = []
    for role, column, i in zip(kept.outputs, columns, kept.step.outputs, strict=True):
        if role == STATE:
            continue
        if role == EVERY:
            shape = kept.step.nodes[i].shape
            results.append(stack(column) if steps else np.zeros((0, *shape)))
        else:
            results.append(column)
    ends = [values[0] if len(values) == 1 else stack(values) for values in last]
    return Outputs([*results, *ends])
