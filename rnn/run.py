"""Running a cell over a sequence: the folded graph of its step, rolled out over T steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Tensor, scope
from minigrad.folded import Folded, Recurrence
from minigrad.scan import unrolled
from minigrad.tree import flatten
from rnn import checks
from rnn.cell import Cell


def run(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    state: Any = None,
    lengths: Any = None,
    unfolded: bool = False,
) -> tuple[Any, Any]:
    """The outputs of a cell at every step, and its last state.

    Args:
        cell: any `Cell`.
        params: from `cell.init`, as arrays or tensors.
        xs: the sequence, time first: `(T, B, X)`, or class indices `(T, B)` in place of one-hot
            rows.
        state: start values, a tuple in the order of `cell.state`, nested for `Stack` and
            `Bidirectional`: each `(B, H)`, or `(d, B, H)` for a delay of d steps; if None, what
            `cell.start(B, params=params)` gives: zeros, unless the cell learns its start.
        lengths: for ragged batches, the number of steps of each sample, `(B,)`. After its end a
            sample's state stands still, its outputs are 0, and its padding has no influence.
        unfolded: put every operation of every step on the graph, named and tagged with its step,
            so that after `loss.backward()` each has its gradient: `find(loss, "C", t=3).grad`.

    Returns:
        `(ys, state)`: the outputs `(T, B, Y)`, and the state after the last step, which continues
        the sequence when it is given as `state` of the next call.

    Raises:
        ShapeError: what does not fit, by the name of the parameter, sequence or state.

    >>> import numpy as np, rnn
    >>> cell = rnn.LSTMCell(inputs=3, hidden=5)
    >>> ys, (h, C) = rnn.run(cell, cell.init(0), np.ones((7, 2, 3)))
    >>> ys.shape, C.shape
    ((7, 2, 5), (2, 5))
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"run: the first argument is a cell, such as LSTMCell(8, 16), got {cell!r}")
    xs, classes = checks.sequence(cell, xs)
    T, batch = xs.shape[:2]
    values = checks.parameters("run", cell, params)
    # The parameters decide the precision: NumPy's arrays are float64 unless told otherwise.
    dtype = np.result_type(*[v.dtype for v in values] or [float if classes else xs.dtype])
    if lengths is not None:
        lengths = checks.lengths(lengths, T, batch)
    flags = None if lengths is None else _alive(lengths, T)
    if classes:
        if flags is not None:
            xs = mg.where(flags[..., 0], xs, 0)  # padding may hold anything, such as −1
        checks.classes(cell, xs)
    elif xs.dtype != dtype:
        xs = mg.astype(xs, dtype)
    starts = _start(cell, params, state, batch, dtype, lengths, T)
    folded = cell.folded(batch, dtype, classes, flags is not None)
    values = [v if v.dtype == dtype else mg.astype(v, dtype) for v in values]
    sequences = [xs] if flags is None else [xs, flags]
    edges, tree = flatten(cell.edges())
    with scope(cell.label):
        if unfolded:
            ys, *last = _unfolded(folded, T, values, sequences, starts)
        else:
            ys, *last = mg.scan(folded, T, *values, *sequences, *starts)
    ends = [_last(value, edge.delay, lengths, T) for edge, value in zip(edges, last, strict=True)]
    return ys, tree.unflatten(ends)


def _unfolded(
    folded: Folded, T: int, values: Sequence[Any], sequences: Sequence[Any], starts: Sequence[Any]
) -> list[Any]:
    """Outputs and last states with every operation of every step on the graph."""
    xs, *flags = sequences
    # What a person may want to find and look at is on the graph by name.
    recorded = any(type(x) is Tensor for x in (*values, xs, *starts))
    if recorded and type(xs) is not Tensor and xs.dtype.kind == "f":
        xs = Tensor(xs, "xs")
    steps = [_steps(xs, T), *map(list, flags)]
    before = [
        _before(start, edge, T, recorded)
        for edge, start in zip(folded.recurrences, starts, strict=True)
    ]
    return unrolled(folded, T, [*values, *steps, *before])


def _before(start: Any, edge: Recurrence, T: int, recorded: bool) -> list[Any]:
    """The start values of a recurrence by step, under the name of what they stand for."""
    values, (owner, _, name) = [], edge.name.rpartition(".")
    for k in range(abs(edge.delay)):
        with scope(owner, t=k + 1 - edge.delay if edge.delay > 0 else T + k + 1):
            value = start if abs(edge.delay) == 1 else start[k]
            if type(value) is Tensor:
                value = mg.named(name, mg.ops.alias(value))
            elif recorded:
                value = Tensor(value, name)
        values.append(value)
    return values


def _steps(xs: Any, T: int) -> list[Any]:
    steps = []
    for t in range(T):
        with scope("", t=t + 1):
            steps.append(mg.named("x", xs[t]) if type(xs) is Tensor else xs[t])
    return steps


def _start(
    cell: Cell, params: Any, state: Any, batch: int, dtype: Any, lengths: Any, T: int
) -> list[Any]:
    """The start values of each recurrent value."""
    starts = []
    given = cell.start(batch, dtype, params) if state is None else state
    for value, edge in zip(checks.state(cell, given, batch), flatten(cell.edges())[0], strict=True):
        if value.dtype != dtype:
            value = mg.astype(value, dtype)
        if edge.delay < -1 and lengths is not None:
            value = _turned(value, lengths, T, -1)
        starts.append(value)
    return starts


def _alive(lengths: Any, T: int) -> Any:
    """Flags `(T, B, 1)`: whether a sample still lasts at a step."""
    return np.arange(1, T + 1)[:, None, None] <= lengths[None, :, None]


def _last(value: Any, delay: int, lengths: Any, T: int) -> Any:
    """The last values of a state, in the order of time at each sample's own end."""
    return value if lengths is None or delay < 2 else _turned(value, lengths, T, 1)


def _turned(values: Any, lengths: Any, T: int, direction: int) -> Any:
    """The |delay| values of each sample's state, in the order they have at its own end.

    Behind its end a sample's state stands still, that is, it repeats with the period of its delay.
    """
    delay, batch = values.shape[:2]
    shift = direction * (T - np.asarray(lengths))
    return values[(np.arange(delay)[:, None] - shift) % delay, np.arange(batch)]
