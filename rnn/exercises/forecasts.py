"""Time series: the next value, and the values after it from what was said of those before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import Array
from rnn.cell import Cell
from rnn.data.series import AIRLINE, mackey_glass, repeated
from rnn.data.toys import sines as draw_sines
from rnn.exercises.exercise import HELD_OUT, Lesson, Named
from rnn.losses import mse
from rnn.params import Params
from rnn.run import run


def forecast(cell: Cell, params: Params, xs: Array, known: Array) -> Array:
    """The k values after a sequence, each read before the next is said: `(k, B)`.

    Args:
        cell: reads rows `(value, what is known of the step)`, says the next value.
        params: its parameters.
        xs: what is read first, `(T, B, 1 + E)`.
        known: of the steps that follow, `(k, B, E)`; of the last one nothing is asked.
    """
    ys, state = run(cell, params, xs)
    said = [ys[-1]]
    for k in range(len(known) - 1):
        row = np.concatenate([said[-1], known[k]], -1)
        ys, state = run(cell, params, row[None], state)
        said.append(ys[-1])
    return np.stack(said)[..., 0]


def compared(
    batch: Callable[[np.random.Generator], tuple[Any, ...]],
    xs: Array,
    known: Array,
    past: Array,
    future: Array,
    values: Callable[[Array], Array] = lambda said: said,
    season: int = 40,
    unit: str = "",
    is_drawn: bool = True,
) -> Lesson:
    """A lesson in which forecasts are compared with the naive and the seasonal naive one.

    Naive is the last value again; seasonal naive the value one season before, where a season is
    what the past repeats itself after. Errors are root mean squares over all that is asked.

    Args:
        batch: draws `(xs, targets)`.
        xs: as `forecast` takes it.
        known: as `forecast` takes it.
        past: values before what is asked, `(T, B)`.
        future: what is asked, `(k, B)`.
        values: makes values of what the network says.
        season: the longest season.
        unit: of the values.
        is_drawn: as in `Lesson`.
    """
    steps = len(future)
    names = f"error, next step{unit}", f"error, {steps} steps{unit}"
    lags = repeated(past, season)
    samples = np.arange(past.shape[1])
    seasonal = [past[len(past) + k % lags - lags, samples] for k in range(steps)]

    def errors(said: Array) -> Named:
        missed = np.square(said - future)
        return dict(zip(names, map(float, np.sqrt([missed[0].mean(), missed.mean()])), strict=True))

    def judge(cell: Cell, params: Params) -> Named:
        return errors(values(forecast(cell, params, xs, known)))

    def sample(cell: Cell, params: Params) -> str:
        said = values(forecast(cell, params, xs, known))
        rows = ("it was", future[:, 0]), ("it said", said[:, 0])
        return "\n".join(
            f"{what:8}{' '.join(f'{v:6.3g}' for v in row[:10])}" for what, row in rows
        )

    baselines = {
        "naive": errors(np.repeat(past[-1:], steps, 0)),
        "seasonal naive": errors(np.stack(seasonal)),
    }
    return Lesson(
        xs.shape[-1], 1, batch, judge, baselines, sample, mse, is_drawn=is_drawn
    )  # fmt: skip


def sines(steps: int = 60, ahead: int = 10) -> Lesson:
    """Waves of any period and phase."""

    def batch(rng: np.random.Generator) -> tuple[Array, Array]:
        return draw_sines(rng, steps, 32)

    whole, _ = draw_sines(np.random.default_rng(HELD_OUT), steps + ahead, 300)
    past, future = whole[:steps, :, 0], whole[steps:, :, 0]
    return compared(batch, whole[:steps], np.zeros((ahead, 300, 0)), past, future)


def chaos(steps: int = 60, ahead: int = 10) -> Lesson:
    """The equation of Mackey and Glass, three units of time apart; the end is asked for."""
    series = mackey_glass(3000)
    series = (series - series[:2000].mean()) / series[:2000].std()

    def cut(starts: Array, length: int) -> Array:
        found: Array = series[starts + np.arange(length)[:, None], None]
        return found

    def batch(rng: np.random.Generator) -> tuple[Array, Array]:
        window = cut(rng.integers(0, 2000 - steps - 1, 32), steps + 1)
        return window[:-1], window[1:]

    whole = cut(np.arange(2000, 3000 - steps - ahead, 5), steps + ahead)
    past, future = whole[:steps, :, 0], whole[steps:, :, 0]
    none = np.zeros((ahead, past.shape[1], 0))
    return compared(batch, whole[:steps], none, past, future)


def airline(first: int = 120, ahead: int = 12) -> Lesson:
    """Passengers by month: learnt from 1949 to 1958, asked for 1959 and 1960.

    The network reads the change of the logarithm and which month comes, and says the next change.
    Asked are the twelve months after each month from December 1958 to December 1959. How large a
    network and how many steps were chosen by 1957 and 1958, learnt from what came before.
    """
    scale = 10.0
    change = scale * np.diff(np.log(AIRLINE))
    month = np.eye(12)[np.arange(1, len(AIRLINE) + 1) % 12]  # of the value after each
    rows = np.concatenate([change[:, None], month[1:]], 1)[:, None]
    xs, targets = rows[: first - 2], change[1 : first - 1, None, None]

    length = first - 2
    origins = np.arange(first - 1, len(AIRLINE) - ahead)  # the last month known
    read = np.concatenate([rows[o - length : o] for o in origins], 1)
    known = np.stack([month[o + 1 : o + 1 + ahead] for o in origins], 1)
    past = np.stack([AIRLINE[o - length : o + 1] for o in origins], 1)
    future = np.stack([AIRLINE[o + 1 : o + 1 + ahead] for o in origins], 1)

    def passengers(said: Array) -> Array:
        found: Array = past[-1] * np.exp(np.cumsum(said, 0) / scale)
        return found

    return compared(
        lambda rng: (xs, targets), read, known, past, future, passengers, 12,
        " (thousands)", is_drawn=False,
    )  # fmt: skip
