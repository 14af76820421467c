"""What an exercise is: a task with data, what it is judged by, and what it must beat.

Everything is made from a seed or read from files of the standard library, and what is judged on was
never trained on. Figures have names; a network is ahead of a baseline if it is in all the figures
that are known of that baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engines import Engine
from rnn.cell import Cell
from rnn.cells import Dense
from rnn.compose import Stack
from rnn.fit import Fit, fit
from rnn.kinds import layered
from rnn.losses import cross_entropy
from rnn.optim import Adam
from rnn.params import Params
from rnn.run import run

Named = Mapping[str, float]
"""Figures by their names."""

Layers = Callable[[int], list[Cell]]
"""Recurrent layers that read so many columns."""


def stacked(layers: Layers, inputs: int, outputs: int) -> Cell:
    """Recurrent layers and a dense one on top.

    >>> import rnn
    >>> stacked(lambda inputs: [rnn.RNNCell(inputs, 4)], 3, 2).label
    'Stack'
    """
    made = layers(inputs)
    return Stack([*made, Dense(made[-1].width, outputs)])


HELD_OUT = 1_000_000
"""The seed of what is judged on: no step of a training has it."""


@dataclass(frozen=True)
class Lesson:
    """An exercise made ready: its data are there.

    Attributes:
        inputs, outputs: columns of the network.
        batch: draws `(xs, *targets)` to train on.
        judge: figures for a network on data it was not trained on.
        baselines: the same figures, or some, by the name of what they are reached with.
        sample: shows in a few lines what a network does.
        loss: of its outputs and the targets.
        predict: as `rnn.fit` takes it.
        network: makes it of recurrent layers, inputs and outputs.
        is_drawn: whether batches differ; there is one sequence only if not.
    """

    inputs: int
    outputs: int
    batch: Callable[[np.random.Generator], tuple[Any, ...]]
    judge: Callable[[Cell, Params], Named]
    baselines: Mapping[str, Named]
    sample: Callable[[Cell, Params], str]
    loss: Callable[..., Any] = cross_entropy
    predict: Callable[..., tuple[Any, Any]] = run
    network: Callable[[Layers, int, int], Cell] = stacked
    is_drawn: bool = True


@dataclass(frozen=True)
class Exercise:
    """A task to train on by one command.

    Attributes:
        pattern: which of the modelling tasks it is.
        shows: what can be seen from it, a sentence.
        lesson: makes it ready.
        higher: whether higher figures are better.
        cell, hidden, steps, rate: what is enough for it.
    """

    pattern: str
    shows: str
    lesson: Callable[[], Lesson]
    higher: bool = True
    cell: str = "lstm"
    hidden: int = 64
    steps: int = 1000
    rate: float = 0.005

    def is_ahead(self, found: Named, baselines: Mapping[str, Named]) -> bool:
        """Whether a network beats every baseline in all the figures that are known of it.

        >>> either = Exercise("", "", Lesson, higher=False)
        >>> either.is_ahead({"error": 0.1, "bits": 2.0}, {"none": {"error": 0.2}})
        True
        """
        sign = 1 if self.higher else -1
        return all(
            sign * found[name] > sign * value
            for figures in baselines.values()
            for name, value in figures.items()
        )


def train(
    exercise: Exercise,
    lesson: Lesson,
    steps: int | None = None,
    kind: str | Callable[..., Cell] | None = None,
    hidden: int | None = None,
    layers: int = 1,
    rate: float | None = None,
    seed: int = 0,
    dtype: Any = np.float32,
    start: Fit | None = None,
    path: str | Path | None = None,
    callback: Callable[[Fit], Any] = lambda fit: None,
    about: Mapping[str, Any] | None = None,
    engine: str | Engine = "numpy",
) -> Fit:
    """Fit a network to an exercise, judged ten times on the way; what is None is the exercise's.

    Args:
        exercise: which.
        lesson: from `exercise.lesson()`.
        steps: batches to have trained on in the end.
        kind: of the recurrent layers, as `rnn.kinds.layered` takes it.
        hidden: their units.
        layers: their number.
        rate: Adam's step size at first; it falls to a fiftieth by the exercise's last step.
        seed: of the first weights and of the batches.
        dtype: precision.
        start: a fit to go on with; its network and precision stay as they are.
        path: where the fit is saved.
        callback: called with the fit at every report.
        about: what else to save with it.
        engine: what computes the gradients.
    """
    steps = exercise.steps if steps is None else steps
    first = exercise.rate if rate is None else rate
    made = partial(
        layered,
        exercise.cell if kind is None else kind,
        hidden=exercise.hidden if hidden is None else hidden,
        count=layers,
    )
    cell = start.cell if start else lesson.network(made, lesson.inputs, lesson.outputs)
    return fit(
        cell,
        lambda step: lesson.batch(np.random.default_rng([seed, step])),
        steps,
        lesson.loss,
        predict=lesson.predict,
        optimiser=lambda step: Adam(first * max(0.02, 1 - step / exercise.steps)),
        start=start,
        seed=seed,
        dtype=None if start else dtype,
        path=path,
        every=max(1, exercise.steps // 10),
        judge=partial(lesson.judge, cell),
        callbacks=[callback],
        about=about,
        engine=engine,
    )
