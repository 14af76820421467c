"""Running a cell over a sequence: the folded graph of its step, rolled out over T steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Tensor, scope
from minigrad.errors import ShapeError
from minigrad.folded import Folded, Recurrence
from minigrad.habits import unmasked
from minigrad.scan import unrolled
from minigrad.tree import flatten
from rnn.cell import Cell, state_paths


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
            `Bidirectional`: each `(B, H)`, or `(d, B, H)` for a delay of d steps; zeros if None.
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
    xs, classes = _sequence(cell, xs)
    T, batch = xs.shape[:2]
    if not batch:
        raise ShapeError(f"run: xs has shape {xs.shape}; there must be one sample at least")
    values = matched(cell, params)
    # The parameters decide the precision: NumPy's arrays are float64 unless told otherwise.
    dtype = np.result_type(*[v.dtype for v in values] or [float if classes else xs.dtype])
    flags = None if lengths is None else _alive(lengths, T, batch)
    if classes:
        xs = _classes(cell, xs, flags)
    elif xs.dtype != dtype:
        xs = mg.astype(xs, dtype)
    starts = _start(cell, state, batch, dtype, lengths, T)
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


def _sequence(cell: Cell, xs: Any) -> tuple[Any, bool]:
    """xs checked, and whether it holds class indices."""
    if not isinstance(xs, Tensor | np.ndarray):
        raise TypeError(
            f"run: xs must be an array or a tensor of shape (T, B, X), got {type(xs).__name__}; "
            "np.asarray(xs) makes one, minigrad.stack joins a list of tensors"
        )
    unmasked(xs, "run: xs")
    wanted = f"{cell.label} takes xs of shape (T, B, {cell.inputs})"
    kind = xs.dtype.kind
    if kind in "iu" and xs.ndim == 2:
        return xs, True
    if kind in "iub" and xs.ndim == 3:
        xs = xs.astype(float)
    elif kind != "f":
        raise TypeError(f"run: xs has dtype {xs.dtype}; {wanted}, floats or class indices (T, B)")
    if xs.ndim == 2 and xs.shape[1] == cell.inputs:
        raise ShapeError(
            f"run: xs has shape {xs.shape}, {wanted}; "
            f"for one sample write xs[:, None, :], of shape ({xs.shape[0]}, 1, {xs.shape[1]})"
        )
    if xs.ndim != 3 or xs.shape[2] != cell.inputs:
        hint = ""
        if xs.ndim == 3 and cell.inputs in xs.shape:
            hint = "; time comes first, the columns last: np.moveaxis can put them there"
        elif xs.ndim == 2:
            hint = "; class indices (T, B) must be integers: xs.astype(int)"
        raise ShapeError(f"run: xs has shape {xs.shape}, {wanted}{hint}")
    return xs, False


def _classes(cell: Cell, xs: Any, flags: Any) -> Any:
    """Class indices checked; padding may hold anything, such as −1, and becomes class 0."""
    if flags is not None:
        xs = mg.where(flags[..., 0], xs, 0)
    values = xs._data if type(xs) is Tensor else xs
    wrong = np.argwhere((values < 0) | (values >= cell.inputs))
    if len(wrong):
        t, b = wrong[0]
        raise ValueError(
            f"run: class index {values[t, b]} at t = {t + 1}, sample {b} is outside "
            f"0 … {cell.inputs - 1}"
        )
    return xs


def matched(cell: Cell, params: Any) -> list[Any]:
    """The parameters as a flat list in the cell's order, checked by name and shape."""
    if not isinstance(params, Mapping):
        raise TypeError(f"run: params must be what cell.init() gives, got {type(params).__name__}")
    inits, tree = flatten(_as_dicts(cell.parameters()))
    leaves, given = flatten(_as_dicts(params))
    named = dict(zip(given.paths(), leaves, strict=True))
    missing = [path for path in tree.paths() if path not in named]
    known = set(tree.paths())
    extra = [path for path in named if path not in known]
    if missing or extra:
        raise ValueError(
            f"{cell.label}: "
            + "; ".join(
                [f"missing parameters {', '.join(missing)}"] * bool(missing)
                + [f"unknown parameters {', '.join(extra)}"] * bool(extra)
            )
        )
    values = []
    for path, init in zip(tree.paths(), inits, strict=True):
        value = named[path]
        value = value if isinstance(value, Tensor | np.ndarray) else np.asarray(value)
        if value.shape != init.shape:
            raise ShapeError(f"{cell.label}: {path} has shape {value.shape}, wanted {init.shape}")
        if value.dtype.kind != "f":
            raise TypeError(f"{cell.label}: {path} has dtype {value.dtype}, wanted floats")
        values.append(value)
    return values


def _as_dicts(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _as_dicts(v) if isinstance(v, Mapping) else v for k, v in tree.items()}


def _start(cell: Cell, state: Any, batch: int, dtype: Any, lengths: Any, T: int) -> list[Any]:
    """The start values of each recurrent value."""
    edges, tree = flatten(cell.edges())
    paths = state_paths(cell)
    if state is None:
        values, _ = flatten(cell.start(batch, dtype))
    else:
        values, given = flatten(state)
        if not isinstance(state, tuple) or given.paths() != tree.paths():
            shape = _told(cell)
            raise ValueError(
                f"{cell.label}: state must be the tuple {shape}, got "
                + (
                    f"a tuple of {len(values)}"
                    if isinstance(state, tuple)
                    else type(state).__name__
                )
                + f"; cell.start({batch}) gives the state of zeros"
            )
    starts = []
    for value, edge, path in zip(values, edges, paths, strict=True):
        value = value if isinstance(value, Tensor | np.ndarray) else np.asarray(value)
        count = abs(edge.delay)
        wanted = (batch, edge.size) if count == 1 else (count, batch, edge.size)
        if value.dtype.kind not in "fiub":
            raise TypeError(f"{cell.label}: state {path} has dtype {value.dtype}, wanted floats")
        if value.shape != wanted:
            raise ShapeError(f"{cell.label}: state {path} has shape {value.shape}, wanted {wanted}")
        if value.dtype != dtype:
            value = mg.astype(value, dtype)
        if edge.delay < -1 and lengths is not None:
            value = _turned(value, lengths, T, -1)
        starts.append(value)
    return starts


def _told(cell: Cell) -> str:
    """The state's structure in words: `(h, C)`, `((h,), (h, C), ())`."""

    def tell(item: Any) -> str:
        if not isinstance(item, tuple):
            return str(item.name)
        return f"({', '.join(map(tell, item))}{',' if len(item) == 1 else ''})"

    return tell(cell.edges())


def _alive(lengths: Any, T: int, batch: int) -> Any:
    """Flags `(T, B, 1)`: whether a sample still lasts at a step."""
    if isinstance(lengths, mg.Tensor):
        raise TypeError(
            "run: lengths are a tensor, but they decide what is computed; give an array, known "
            "when the function is traced or compiled (let it close over the array)"
        )
    lengths = np.asarray(lengths)
    if lengths.shape != (batch,) or lengths.dtype.kind not in "iu":
        raise ShapeError(
            f"run: lengths must be {batch} whole numbers, one a sample, got {lengths.dtype} of "
            f"shape {lengths.shape}"
        )
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= T:
        raise ValueError(f"run: lengths must be between 0 and T = {T}, got {lengths.tolist()}")
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
