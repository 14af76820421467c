"""The step of a cell, run once on tensors: its graph, and what each input and output of it is.

A step that does not fit is told here, by the cell and the recurrent edge.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import minigrad as mg
from minigrad.errors import ShapeError
from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, Folded, Recurrence
from minigrad.graph import Graph, prune, trace_for_all
from minigrad.ops.shapes import shape_of
from minigrad.tree import flatten
from rnn.edge import read
from rnn.params import nested

if TYPE_CHECKING:
    from rnn.cell import Cell


def fold_step(
    cell: Cell,
    paths: Sequence[str],
    batch: int,
    dtype: Any,
    classes: Any,
    ragged: bool,
    restarts: bool,
) -> Folded:
    """The folded graph of one step, as `Cell.folded` has it; `paths` name its recurrent values."""
    values = flatten(cell.edges())[0]
    edges, state_tree = flatten(read(cell.edges()))
    owner = [n for n, value in enumerate(values) for _ in value.lags]
    inits, params_tree = flatten(nested(cell.parameters()))
    params = params_tree.unflatten(np.full(i.shape, 0.5, dtype) for i in inits)
    kind = int if classes is True else classes
    x = np.zeros(batch, kind) if kind else np.full((batch, cell.inputs), 0.5, dtype)
    flags = [np.ones((batch, 1), bool)] if ragged else []
    again = [np.ones((batch, abs(e.delay)), bool) for e in edges] if restarts else []
    firsts = [np.full(e.first(batch, None).shape, 0.5, dtype) for e in edges] if restarts else []
    states = [np.full((batch, e.size), 0.5, dtype) for e in edges]

    def step(
        p: Any, firsts: list[Any], x: Any, flags: list[Any], again: list[Any], states: list[Any]
    ) -> list[Any]:
        for state, n in zip(states, owner, strict=True):
            state.name = paths[n].rpartition(".")[2]
        x.name = "x"
        rows = mg.astype(mg.one_hot(x, cell.inputs), dtype) if classes else x
        if restarts:
            for begins in again:
                begins.name = "begins"
            states = list(map(_restarted, states, firsts, again))
        if ragged:
            flags[0].name = "alive"
            # Padding may hold anything, NaN too: it is replaced before it can meet a weight.
            rows = rows if classes else mg.where(flags[0], rows, 0.0)
        own = state_tree.unflatten(states)
        _fits(cell, paths, own)
        try:
            result = cell.step(p, rows, *own)
        except ShapeError as error:
            raise ShapeError(f"{cell!r}: in step: {error}") from error
        y, made = _checked(cell, paths, result, batch, dtype)
        new = [made[n] for n in owner]
        if ragged:
            y = mg.where(flags[0], y, 0.0)
            new = [mg.where(flags[0], a, b) for a, b in zip(new, states, strict=True)]
        return [y, *new]

    given = (params, firsts, x, flags, again, states)
    with np.errstate(all="ignore"):  # the values are halves, and none of a run
        graph = trace_for_all(f"{cell!r}: step", step, *given, is_step=True)
    if classes:
        graph = look_up(graph)
    n, more = len(inits) + len(firsts), 1 + len(flags) + len(again)
    first = n + more
    recurrences = [
        Recurrence(1 + k, first + k, edge.delay, paths[n])
        for k, (edge, n) in enumerate(zip(edges, owner, strict=True))
    ]
    return Folded(
        graph,
        (*[STATIC] * n, *[SEQUENCE] * more, *[STATE] * len(edges)),
        (EVERY, *[STATE] * len(edges)),
        tuple(recurrences),
    )


def _restarted(state: Any, first: Any, begins: Any) -> Any:
    """A recurrent value, or a start value where it is from before a sample began anew."""
    for k in range(begins.shape[1]):
        value = first if begins.shape[1] == 1 else first[k]
        state = mg.where(begins[:, k : k + 1], value, state)
    return state


def _fits(cell: Cell, paths: Sequence[str], given: tuple[Any, ...]) -> None:
    """Raise unless `step` takes parameters, x and that state."""
    try:
        inspect.signature(cell.step).bind(None, None, *given)
    except TypeError as error:
        known = zip(paths, flatten(cell.edges())[0], strict=True)
        told = ", ".join(f"{path} (t{-lag:+d})" for path, edge in known for lag in edge.lags)
        raise TypeError(
            f"{cell!r}: step must take p, x and {told or 'no state'}: {error}"
        ) from None


def _checked(
    cell: Cell, paths: Sequence[str], result: Any, batch: int, dtype: Any
) -> tuple[Any, list[Any]]:
    """y and the new states of a step, or an error that names the edge that does not fit."""
    edges, state_tree = flatten(cell.edges())
    if not isinstance(result, tuple) or not result:
        raise TypeError(
            f"{cell!r}: step must return (y, *state), got {type(result).__name__}; "
            "a cell without state returns (y,)"
        )
    y, *rest = result
    new, structure = flatten(tuple(rest))
    if structure.paths() != state_tree.paths():
        several = [f"{e.name} at lags {e.lags}" for e in edges if e.nearer]
        raise ValueError(
            f"{cell!r}: step returned {len(new)} new states after y, "
            f"wanted {len(edges)}: {', '.join(paths) or 'none'}"
            + (", in tuples as the state is nested" if len(new) == len(edges) else "")
            + (f"; what is read at several lags is given once: {several[0]}" if several else "")
        )
    if len(shape_of(y)) != 2 or shape_of(y)[0] != batch:
        raise ShapeError(
            f"{cell!r}: step returns y of shape {shape_of(y)}, wanted ({batch}, outputs): "
            "one row a sample"
        )
    for value, path, edge in zip(new, paths, edges, strict=True):
        if shape_of(value) != (batch, edge.size):
            raise ShapeError(
                f"{cell!r}: recurrent edge {path}: step returns {path} of shape "
                f"{shape_of(value)} but takes {path} of shape {(batch, edge.size)}"
            )
        found = getattr(value, "dtype", None)
        if found != dtype:
            raise TypeError(
                f"{cell!r}: recurrent edge {path}: step returns {path} of dtype {found} but "
                f"takes {path} of dtype {dtype}"
            )
    return y, new


def look_up(graph: Graph) -> Graph:
    """Products of one-hot rows with a matrix become row look-ups of the class indices."""
    nodes = list(graph.nodes)

    def classes(k: int) -> int | None:
        while nodes[k].op == "astype":
            k = nodes[k].inputs[0]
        return nodes[k].inputs[0] if nodes[k].op == "one_hot" else None

    for k, node in enumerate(nodes):
        if node.op == "matmul" and (source := classes(node.inputs[0])) is not None:
            nodes[k] = replace(node, op="lookup", inputs=(node.inputs[1], source))
    return prune(nodes, graph.inputs, graph.outputs, graph.in_tree, graph.out_tree)
