"""Going down a gradient: one step of an optimiser, and the loop of steps that all training is.

The loop shows its progress, reports and saves, ends in good order on Ctrl-C, and keeps the last
run whose loss was finite. A run is a frozen dataclass that holds all the next step depends on
(parameters, moments of the optimiser, the state that is carried from batch to batch, and the number
of the step), so one that was saved and loaded goes on bit for bit as if it had never stopped.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

import minigrad as mg
from minigrad import files
from minigrad.anomaly import anomaly
from minigrad.engines import Engine
from minigrad.extras import needed
from minigrad.tree import flatten, tree_map
from rnn.checks import whole
from rnn.optim import clip_by_global_norm
from rnn.threads import one_thread


class Run(Protocol):
    """What a step and the loop need of a run, a frozen dataclass."""

    @property
    def params(self) -> Any: ...  # noqa: D102  # the parameters
    @property
    def moments(self) -> Any: ...  # noqa: D102  # the state of the optimiser
    @property
    def state(self) -> Any: ...  # noqa: D102  # what is carried from batch to batch
    @property
    def step(self) -> int: ...  # noqa: D102  # the number of steps made
    def save(self, path: str | Path) -> None: ...  # noqa: D102  # to one file, atomically


R = TypeVar("R", bound=Run)


class Figures(NamedTuple):
    """What one step tells: the loss, and the norm of its gradient."""

    loss: float
    norm: float


def gradient_of(loss: Callable[..., Any], engine: str | Engine = "numpy") -> Callable[..., Any]:
    """The gradient of a loss as `advance` takes it: a program of an engine, in arrays of NumPy.

    Args:
        loss: `(params, *batch, state) -> (loss, state)`.
        engine: what computes it, as `minigrad.compile` takes it.

    >>> both = gradient_of(lambda p, x, state: (mg.sum(p * p * x), state))
    >>> both(np.array([1.0, 2.0]), np.array([1.0, 3.0]), None)
    ((array(13.), None), array([ 2., 12.]))
    """
    program = mg.compile(mg.value_and_grad(loss, has_aux=True), engine=engine)

    def gradient(params: Any, *batch: Any) -> Any:
        if engine != "numpy":  # others want one precision; NumPy computes in the wider one
            batch = tree_map(lambda x: _as(x, flatten(params)[0][0].dtype), batch)
        return tree_map(lambda x: None if x is None else np.asarray(x), program(params, *batch))

    return gradient


def _as(x: Any, dtype: Any) -> Any:
    """An array of floats in a precision, anything else as it is."""
    is_float = isinstance(x, np.ndarray) and x.dtype.kind == "f"
    return x.astype(dtype, copy=False) if is_float else x


def advance(
    run: R, gradient: Any, batch: tuple[Any, ...], optimiser: Any, limit: float
) -> tuple[R, Figures]:
    """The run one step later, and what the step told.

    Args:
        run: where it stands.
        gradient: from `gradient_of`, or as `value_and_grad` with `has_aux=True` gives it.
        batch: what the loss is of.
        optimiser: one of `rnn.optim`, or with the same two functions.
        limit: largest norm of the gradient; longer ones are scaled down.

    Raises:
        FloatingPointError: the loss or a new parameter is not finite.
    """
    (loss, state), grads = gradient(run.params, *batch, run.state)
    grads, norm = clip_by_global_norm(grads, limit)
    rate = getattr(optimiser, "rate", None)
    advice = "" if rate is None else f"; a smaller rate than {rate:g} may help"
    if not np.isfinite(loss) or not np.isfinite(norm):
        raise FloatingPointError(
            f"at step {run.step + 1} the loss is {loss:g} and the gradient's norm {norm:g}"
            f"{_first_fault(gradient, run, batch)}"
            f"{'; the batch itself holds NaN' if _has_nan(batch) else advice}"
        )
    params, moments = optimiser.update(run.params, grads, run.moments)
    if not all(np.all(np.isfinite(p)) for p in flatten(params)[0]):
        raise FloatingPointError(
            f"step {run.step + 1} makes parameters that are not finite{advice}"
        )
    new = replace(run, params=params, moments=moments, state=state, step=run.step + 1)  # type: ignore[type-var]  # a protocol cannot ask for a dataclass
    return new, Figures(float(loss), norm)


def _has_nan(batch: tuple[Any, ...]) -> bool:
    floats = (x for x in map(np.asarray, flatten(batch)[0]) if x.dtype.kind == "f")
    return any(np.isnan(x).any() for x in floats)


def _first_fault(gradient: Any, run: Run, batch: tuple[Any, ...]) -> str:
    """Where the first value of a step stops being finite, in brackets; empty if none does."""
    try:
        with anomaly():
            gradient(run.params, *batch, run.state)
    except FloatingPointError as error:
        return f" ({error})"
    return ""


def check_standing(moments: Any, state: Any, wanted: tuple[Any, Any]) -> None:
    """Refuse moments and a carried state that no step of this run would have made."""
    found, tree = flatten({"moments": moments, "state": state})
    fresh, other = flatten(dict(zip(("moments", "state"), wanted, strict=True)))
    if tree != other:
        odd = sorted({*tree.paths()} ^ {*other.paths()})
        about = f": {odd[0]} is {'not wanted' if odd[0] in tree.paths() else 'missing'}"
        raise ValueError(f"another optimiser or cell made this run{about if odd else ''}")
    for path, a, b in zip(tree.paths(), found, fresh, strict=True):
        fits = np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        if not fits or not np.all(np.isfinite(a)):
            raise ValueError(f"{path} has another shape or dtype, or is not finite")


def descend(
    run: R,
    steps: int,
    advance: Callable[[R], tuple[R, Figures]],
    report: Callable[[R, Figures], tuple[R, bool]],
    told: Callable[[Figures], str],
    path: str | Path | None = None,
    every: int = 500,
    where: str = "train",
    unit: str = "step",
    size: int = 1,
) -> R:
    """Go on up to a step, or until Ctrl-C or SIGTERM, and return the run as it then stands.

    Ctrl-C and SIGTERM, by which systems end programs, finish the step, save and return: the run's
    `step` is then less than `steps`. A second one stops at once. Steps run on one BLAS thread,
    unless an environment variable says otherwise (`rnn.one_thread`).

    Args:
        run: where to begin.
        steps: number of steps to have made in the end, those before a `load` included.
        advance: makes one step.
        report: called every so many steps and at the end; gives back the run with what was found
            out about it, and whether to end here.
        told: what the progress bar says of a step.
        path: where the run is saved: at the start, at every report and at the end.
        every: steps between reports.
        where: who asks, for messages.
        unit: what the progress bar counts.
        size: how many of them a step is.

    Raises:
        BlockingIOError: another run is saved at this path.
        FloatingPointError: as `advance`; saved is the run before the last step whose loss was
            finite, to go on with a smaller rate.
        ValueError: a number is out of range.
    """
    whole(where, "steps", steps, least=0)
    whole(where, "every", every)
    with (
        _saving(path) as save,
        _progress(run.step, steps, unit, size) as bar,
        interruptible() as interrupted,
        one_thread(),
    ):
        save(run)  # a place that cannot be written is better found before the work
        good = run
        while run.step < steps and not interrupted():
            try:
                after, figures = advance(run)
            except FloatingPointError as error:
                # The parameters of this step gave the loss that is not finite: they are not kept.
                save(good)
                kept = f"; step {good.step} is kept in {str(path)!r}" if path is not None else ""
                raise FloatingPointError(f"{error}{kept}") from None
            good, run = run, after
            bar.set_postfix_str(f"{told(figures)}, |gradient| {figures.norm:.2f}", refresh=False)
            bar.update(size)
            if run.step % every == 0 or run.step == steps:
                run, is_enough = report(run, figures)
                save(run)
                if is_enough:
                    break
        save(run)
    return run


@contextmanager
def _saving(path: str | Path | None) -> Iterator[Callable[[Run], None]]:
    """Inside, nobody else trains into the file, and the function saves a run, if there is one."""
    if path is None:
        yield lambda run: None
        return
    with files.alone(path):
        yield lambda run: run.save(path)


def _progress(step: int, steps: int, unit: str, size: int) -> Any:
    """A progress bar; none where nobody watches."""
    return needed("tqdm", "train", "the progress of training").tqdm(
        total=steps * size,
        initial=step * size,
        unit=unit,
        unit_scale=size > 1,
        disable=None,
        bar_format="{percentage:3.0f}%|{bar}| {remaining}, {rate_fmt}{postfix}",
    )


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C or SIGTERM is noted only; the function says whether one came."""
    noted = threading.Event()
    at_once: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    if threading.current_thread() is not threading.main_thread():
        yield noted.is_set  # signals go to the main thread
        return

    def note(signum: int, frame: Any) -> None:
        noted.set()
        for kind in before:
            signal.signal(kind, at_once[kind])

    # What is ignored, as Ctrl-C is in the background of a script, stays so.
    heard = [kind for kind in at_once if signal.getsignal(kind) != signal.SIG_IGN]
    before = {kind: signal.signal(kind, note) for kind in heard}
    try:
        yield noted.is_set
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
