"""Running a cell over a sequence: the folded graph of its step, rolled out over T steps."""

from __future__ import annotations

import itertools
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
from rnn.edge import nearest


def run(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    state: Any = None,
    lengths: Any = None,
    unfolded: bool = False,
    mask: Any = None,
    resets: Any = None,
) -> tuple[Any, Any]:
    """The outputs of a cell at every step, and its last state.

    Args:
        cell: any `Cell`.
        params: from `cell.init`, as arrays or tensors.
        xs: the sequence, time first: `(T, B, X)`, or class indices `(T, B)` in place of one-hot
            rows.
        state: start values, a tuple in the order of `cell.state`, nested for `Stack` and
            `Bidirectional`: each `(B, H)`, or `(d, B, H)` in order of time for a delay, or a
            longest lag, of d steps; if None, what `cell.start(B, params=params)` gives: zeros,
            unless the cell learns its start.
        lengths: for ragged batches, the number of steps of each sample, `(B,)`. After its end a
            sample's state stands still, its outputs are 0, and its padding has no influence.
        unfolded: put every operation of every step on the graph, named and tagged with its step,
            so that after `loss.backward()` each has its gradient: `find(loss, "C", t=3).grad`.
        mask: in place of lengths, which steps a sample has, booleans `(T, B)`: padding in front,
            behind or between. The others are as if they were not there: the state stands still,
            the output is 0, and what xs hold there, NaN too, has no influence.
        resets: at which steps a sample begins anew, booleans `(T, B)`: what is recurrent is there
            as `cell.start` has it, and no gradient goes back beyond. For several texts in one row,
            or windows in which new ones begin.

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
    recurrent, tree = flatten(cell.edges())
    edges = [edge for value in recurrent for edge in value.read()]
    if lengths is not None:
        if mask is not None:
            raise TypeError("run: lengths and a mask say the same; give one of them")
        lengths = checks.lengths(lengths, T, batch)
        mask = lasting(lengths, T)
    elif mask is not None:
        mask = checks.flags("mask", mask, T, batch)
    resets = None if resets is None else checks.flags("resets", resets, T, batch)
    order, parts = None, None
    is_mixed = resets is not None or (mask is not None and lengths is None)
    if T and is_mixed and any(abs(edge.delay) > 1 for edge in edges):
        # A value from d steps before is that of the d-th step before that a sample has: its steps
        # are put side by side, so that padding is behind them only.
        mask = np.ones((T, batch), bool) if mask is None else mask
        order, resets, parts, lengths = _together(resets, mask)
        xs, mask = xs[order, np.arange(batch)], mask[order, np.arange(batch)]
    flags = [] if mask is None else [mask[..., None]]
    if classes:
        if mask is not None:
            xs = mg.where(mask, xs, 0)  # padding may hold anything, such as −1
        checks.classes(cell, xs)
    elif xs.dtype != dtype:
        xs = mg.astype(xs, dtype)
    starts = starting(cell, params, state, batch, dtype, lengths, T)
    kind = classes and (xs.dtype == int or xs.dtype.type)
    folded = cell.folded(batch, dtype, kind, mask is not None, resets is not None)
    values = [v if v.dtype == dtype else mg.astype(v, dtype) for v in values]
    sequences = [xs, *flags]
    if resets is not None:
        anew = starting(cell, params, None, batch, dtype, None, T)
        anew = [a if e.is_reset else b for e, a, b in zip(edges, anew, starts, strict=True)]
        values += anew
        sequences += [_begins(resets, edge.delay) for edge in edges]
    with scope(cell.label):
        if unfolded:
            is_ragged = lengths is not None
            ys, *last = _unfolded(cell, folded, T, values, sequences, starts, is_ragged)
        else:
            ys, *last = mg.scan(folded, T, *values, *sequences, *starts)
    if order is not None:
        ys = ys[np.argsort(order, axis=0), np.arange(batch)]
    ends = [_last(value, edge.delay, lengths, T) for edge, value in zip(edges, last, strict=True)]
    if resets is not None and T:
        for k, (edge, first) in enumerate(zip(edges, anew, strict=True)):
            if parts is not None:
                ends[k] = _of_part(ends[k], first, edge.delay, *parts[edge.delay > 0])
            elif edge.delay < 0:  # against time a run ends before the first step
                ends[k] = mg.where(resets[0][:, None], first, ends[k])
    # The longest lag of a value has all of its history.
    longest = itertools.accumulate(len(value.lags) for value in recurrent)
    return ys, tree.unflatten(ends[n - 1] for n in longest)


def _together(resets: Any, mask: Any) -> tuple[Any, ...]:
    """The order in which the steps that a sample has come first; resets in that order.

    And how many steps each sample has in the part, from one reset to the next, in which a run ends,
    and whether it is another part than that in which it began: for edges forward in time at
    `[True]`, for the others, whose runs end at the first step, at `[False]`; and in all parts.
    """
    if type(mask) is Tensor or type(resets) is Tensor:
        raise TypeError(
            "run: a mask or resets that are a tensor decide what is computed where a delay is more "
            "than one step; give arrays (let the function close over them)"
        )
    order = np.argsort(~mask, axis=0, kind="stable")
    count, samples = mask.sum(0), np.arange(mask.shape[1])
    if resets is None:
        return order, None, None, count
    part = np.cumsum(resets, axis=0)
    own, places = part[order, samples], np.arange(len(mask))[:, None]
    parts = {
        True: ((mask & (part == part[-1])).sum(0), part[-1] > 0),
        False: ((mask & (part == 0)).sum(0), part[-1] > 0),
    }
    begins = (places < count) & (np.diff(own, axis=0, prepend=0) != 0)
    # Against time a run begins in the last part, though a sample may have no step of it.
    is_late = (parts[True][0] == 0) & parts[True][1]
    return order, begins | ((places == count) & is_late), parts, count


def _of_part(end: Any, first: Any, delay: int, steps: Any, is_other: Any) -> Any:
    """The last values of a state; start values where its part has not so many steps."""
    if abs(delay) == 1:
        return mg.where((is_other & (steps == 0))[:, None], first, end)
    ages = np.arange(len(first))  # in the order of the run
    place = steps + (ages if delay > 0 else ages[::-1])[:, None]
    instead = is_other & (place < len(first))
    place = place % len(first) if delay > 0 else (-1 - place) % len(first)
    return mg.where(instead[..., None], first[place, np.arange(first.shape[1])], end)


def _begins(resets: Any, delay: int) -> Any:
    """Flags `(T, B, |d|)`: which start value stands for the one that an edge would bring.

    The k-th, where it would come from k steps after a sample's start values; against time, from
    the steps behind the end of the part before the next reset.
    """
    T, batch = resets.shape
    nothing = np.zeros((min(1, T), batch), bool)
    is_back = delay < 0
    found = [mg.concatenate([resets[1:], nothing]) if is_back else resets]
    goes_on = mg.logical_not(found[0])
    for _ in range(abs(delay) - 1):
        before = found[-1]
        moved = [before[1:], nothing] if is_back else [nothing, before[:-1]]
        found.append(mg.logical_and(mg.concatenate(moved), goes_on))
    return mg.stack(found[::-1] if is_back else found, axis=-1)


def _unfolded(
    cell: Cell,
    folded: Folded,
    T: int,
    values: Sequence[Any],
    sequences: Sequence[Any],
    starts: Sequence[Any],
    is_ragged: bool,
) -> list[Any]:
    """Outputs and last states with every operation of every step on the graph."""
    xs, *flags = sequences
    # What a person may want to find and look at is on the graph by name.
    recorded = any(type(x) is Tensor for x in (*values, xs, *starts))
    if recorded and type(xs) is not Tensor and xs.dtype.kind == "f":
        xs = Tensor(xs, "xs")
    steps = [_steps(xs, T), *map(list, flags)]
    before: list[list[Any]] = []
    pairs = zip(folded.recurrences, starts, strict=True)
    for value in flatten(cell.edges())[0]:
        *nearer, (edge, start) = [next(pairs) for _ in value.lags]
        history = _before(start, edge, T, recorded)
        for edge, start in nearer:
            # Against time each lag is turned by itself, behind the ends of samples.
            own = is_ragged and edge.delay < 0
            before.append(
                _before(start, edge, T, recorded) if own else nearest(history, edge.delay)
            )
        before.append(history)
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


def lasting(lengths: Any, T: int) -> Any:
    """Flags `(T, B)`: whether a sample still lasts at a step."""
    return np.arange(1, T + 1)[:, None] <= lengths


def starting(
    cell: Cell, params: Any, state: Any, batch: int, dtype: Any, lengths: Any, T: int
) -> list[Any]:
    """The start values of each lag of each recurrent value."""
    starts = []
    given = cell.start(batch, dtype, params) if state is None else state
    values = flatten(cell.edges())[0]
    for history, value in zip(checks.state(cell, given, batch), values, strict=True):
        if history.dtype != dtype:
            history = mg.astype(history, dtype)
        for start, edge in zip(value.starts(history), value.read(), strict=True):
            is_turned = edge.delay < -1 and lengths is not None
            starts.append(turned(start, lengths, T, -1) if is_turned else start)
    return starts


def _last(value: Any, delay: int, lengths: Any, T: int) -> Any:
    """The last values of a state, in the order of time at each sample's own end."""
    return value if lengths is None or delay < 2 else turned(value, lengths, T, 1)


def turned(values: Any, lengths: Any, T: int, direction: int) -> Any:
    """The |delay| values of each sample's state, in the order they have at its own end.

    Behind its end a sample's state stands still, that is, it repeats with the period of its delay.
    """
    delay, batch = values.shape[:2]
    shift = direction * (T - np.asarray(lengths))
    return values[(np.arange(delay)[:, None] - shift) % delay, np.arange(batch)]
