"""Fitting a network to data: loss, gradient, optimiser and reports, in one call.

The training step is compiled, one program of model, loss and gradients. What a fit has come to is
a value, `Fit`: it can be saved, loaded and gone on with, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engines import Engine
from minigrad.errors import ShapeError
from minigrad.tree import flatten
from rnn import checkpoint
from rnn.cell import Cell
from rnn.checks import whole
from rnn.descent import Figures, advance, check_standing, descend, gradient_of
from rnn.history import History
from rnn.losses import mse
from rnn.optim import Adam
from rnn.params import Params
from rnn.run import run
from rnn.starts import begun, handed

Batch = tuple[Any, ...]
"""What is read, and what is wanted: `(xs, *targets)`, time first."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Where a fit stands.

    Attributes:
        cell: what is fitted.
        params: the parameters after `step` steps.
        moments: the state of the optimiser.
        state: what is carried to the next batch; None where nothing is.
        step: the number of steps made; the batch of this number comes next.
        history: the losses on the way, and what was judged.
        about: what else is to be known of it, as `checkpoint.save` takes it.
    """

    cell: Cell
    params: Params
    moments: dict[str, Any]
    state: Any = None
    step: int = 0
    history: History = field(default_factory=History)
    about: Mapping[str, Any] = field(default_factory=dict)

    def save(self, path: str | Path) -> None:
        """Write everything to one safetensors file, atomically."""
        h = self.history
        checkpoint.save(
            path,
            self.params,
            self.cell,
            moments=self.moments,
            state=self.state,
            step=self.step,
            history={"loss": h.loss, "norm": h.norm, "at": h.at, "judged": dict(h.judged)},
            about=dict(self.about),
        )

    @classmethod
    def load(cls, path: str | Path) -> Fit:
        """What was saved, to give as `start`; raises as `checkpoint.load` does."""
        params, cell, known = checkpoint.load(path)
        try:
            known["history"] = History(**known["history"])
            fit = cls(cell=cell, params=params, **known)
            whole("a fit", "step", fit.step, least=0)
            if not len(fit.history.loss) == len(fit.history.norm) == fit.step:
                raise ValueError(f"step {fit.step} after {len(fit.history.loss)} losses")
        except Exception as error:  # whatever else may have been saved with weights
            told = f"{type(error).__name__}: {error}"
            raise checkpoint.CheckpointError(
                f"{str(path)!r} holds weights, but no fit to go on with ({told})"
            ) from error
        return fit


def fit(
    cell: Cell,
    data: Batch | Callable[[int], Batch],
    steps: int,
    loss: Callable[..., Any] = mse,
    *,
    predict: Callable[..., tuple[Any, Any]] = run,
    carry: bool = False,
    optimiser: Any = Adam(0.005),  # noqa: B008  # a frozen value
    limit: float = 1.0,
    start: Fit | Params | None = None,
    seed: int = 0,
    dtype: Any = None,
    path: str | Path | None = None,
    every: int = 100,
    judge: Callable[[Params], Mapping[str, float]] = lambda params: {},
    callbacks: Sequence[Callable[[Fit], Any]] = (),
    about: Mapping[str, Any] | None = None,
    engine: str | Engine = "numpy",
) -> Fit:
    """Fit a cell to data, up to a step or until Ctrl-C, and return the fit as it then stands.

    Ctrl-C and SIGTERM finish the step, save and return. Batches, first weights and masks are
    functions of the step and of the seed, so a fit that was stopped, saved and given as `start`
    again goes on bit for bit. A start that is learnt (`rnn.LearnedStart`) is learnt where the
    sequences of a batch begin; masks (`rnn.Dropout`, `rnn.Zoneout`) are drawn for every batch.

    Args:
        cell: any.
        data: a function of the step 0, 1, … that gives a batch `(xs, *targets)`, such as
            `rnn.minibatches` makes; or one batch, for every step the same.
        steps: number of steps to have made in the end, those of `start` included.
        loss: `loss(ys, *targets)`, a scalar.
        predict: `predict(cell, params, xs, state) -> (ys, state)`; `rnn.run`, or a way of your
            own, such as `functools.partial(rnn.perform, task)` or one for xs that are a tuple.
        carry: go on in each batch with the state that the batch before ended in; gradients stop
            there (truncated BPTT). Masks are not carried.
        optimiser: one of `rnn.optim`, or with the same two functions; or a plain function that
            gives one for each step 0, 1, …: `lambda k: rnn.Adam(0.01 * 0.999**k)`.
        limit: largest norm of the gradient; longer ones are scaled down.
        start: where to begin: an earlier fit, or parameters; drawn by the cell if None.
        seed: of first weights and masks.
        dtype: their precision, and that of all that is computed: float64 if None, or that of
            `start`. Parameters to begin with are converted; a fit goes on in its own.
        path: where the fit is saved, at the start, at every report and at the end.
        every: steps between reports.
        judge: gives named figures for parameters; asked at every report, kept in the history.
        callbacks: plain functions, called with the fit at every report; one that returns True
            ends it.
        about: what else to save with it; that of `start` if None.
        engine: what computes the gradients, as `minigrad.compile` takes it; to be the same for a
            fit that goes on bit for bit.

    Raises:
        FloatingPointError: the loss is not finite; saved is the fit before the last step whose
            loss was.
        TypeError, ValueError: data, start or a number is not what it has to be.
        BlockingIOError: another run is saved at this path.

    >>> import numpy as np, rnn
    >>> xs = np.random.default_rng(0).normal(size=(5, 20, 1))
    >>> cell = rnn.Stack([rnn.RNNCell(1, 4), rnn.Dense(4, 1)])
    >>> fitted = rnn.fit(cell, (xs, xs.cumsum(0) / 5), steps=200)
    >>> fitted.history.loss[0] > 10 * fitted.history.loss[-1]
    np.True_
    """
    at = optimiser if callable(optimiser) else lambda step: optimiser
    standing = _standing(cell, start, at(0), seed, dtype, about)
    gradient = gradient_of(_objective(cell, predict, loss, carry), engine)
    batch = data if callable(data) else lambda step: data

    def step(run: Fit) -> tuple[Fit, Figures]:
        found = batch(run.step)
        if not isinstance(found, tuple) or len(found) < 2:
            raise TypeError(
                "fit: data gives a batch (xs, *targets), a tuple of two or more; got "
                f"{type(found).__name__}"
            )
        state = handed(cell, run.params, found[0], run.state, seed, run.step)
        run = replace(run, state=state)
        run, figures = advance(run, gradient, found, at(run.step), limit)
        return replace(run, history=run.history.stepped(*figures)), figures

    def report(run: Fit, figures: Figures) -> tuple[Fit, bool]:
        run = replace(run, history=run.history.found(judge(run.params)))
        answers = [callback(run) for callback in callbacks]  # all of them are called
        return run, True in answers

    return descend(
        standing,
        steps,
        step,
        report,
        lambda figures: f"loss {figures.loss:.3g}",
        path,
        every,
        where="fit",
    )


def _objective(
    cell: Cell, predict: Callable[..., Any], loss: Callable[..., Any], carry: bool
) -> Callable[..., Any]:
    """`(params, xs, *targets, state) -> (loss, state)`."""

    def objective(params: Any, xs: Any, *more: Any) -> Any:
        *targets, state = more
        ys, state = predict(cell, params, xs, begun(cell, params, state))
        return loss(ys, *targets), state if carry else None

    return objective


def _standing(
    cell: Cell, start: Any, optimiser: Any, seed: int, dtype: Any, about: Mapping[str, Any] | None
) -> Fit:
    """The fit to begin with, checked."""
    if not isinstance(cell, Cell):
        raise TypeError(f"fit: the first argument is a cell, such as LSTMCell(8, 16), got {cell!r}")
    if not isinstance(start, Fit):
        whole("fit", "seed", seed, least=0)
        params = cell.init(seed) if start is None else Params(start)
        params = params if dtype is None else params.astype(dtype)
        return Fit(cell, params, optimiser.init(params), about=about or {})
    if start.cell != cell:
        raise ValueError(f"fit: start is a fit of {start.cell!r}, not of {cell!r}")
    check_standing(start.moments, (), (optimiser.init(start.params), ()))
    own = {np.asarray(w).dtype for w in flatten(start.params)[0]}
    if dtype is not None and own - {np.dtype(dtype)}:
        raise ValueError(
            f"fit: start is a fit in {', '.join(sorted(map(str, own)))} and goes on in it, not in "
            f"{np.dtype(dtype)}; start=fit.params begins anew from its weights, converted"
        )
    return start if about is None else replace(start, about=about)


def minibatches(
    xs: Any, *targets: Any, batch: int, seed: int = 0
) -> Callable[[int], tuple[Any, ...]]:
    """A function of the step that gives a batch of samples, every sample once before any twice.

    Args:
        xs: `(T, N, …)`, N samples.
        targets: arrays with the samples on the second axis too; of one target a sample `(1, N, …)`.
        batch: the number of samples B at a time; what does not fill a batch waits for another
            shuffle.
        seed: of the shuffles.

    >>> import numpy as np
    >>> data = minibatches(np.arange(6).reshape(1, 6, 1), np.arange(6).reshape(1, 6), batch=3)
    >>> xs, targets = data(0)
    >>> xs.shape, np.array_equal(xs[..., 0], targets)
    ((1, 3, 1), True)
    >>> sorted(np.concatenate([data(0)[1], data(1)[1]], axis=1)[0].tolist())
    [0, 1, 2, 3, 4, 5]
    """
    arrays = [np.asarray(a) for a in (xs, *targets)]
    counts = {a.shape[1] if a.ndim > 1 else -1 for a in arrays}
    if -1 in counts or len(counts) > 1:
        raise ShapeError(
            f"minibatches: arrays of shapes {', '.join(str(a.shape) for a in arrays)}; all need "
            "the same number of samples on the second axis, time comes first"
        )
    (count,) = counts
    whole("minibatches", "batch", batch, 1, count)
    rounds = count // batch

    def at(step: int) -> tuple[Any, ...]:
        turn, place = divmod(step, rounds)
        order = np.random.default_rng([seed, turn]).permutation(count)
        chosen = order[place * batch : (place + 1) * batch]
        return tuple(a[:, chosen] for a in arrays)

    return at
