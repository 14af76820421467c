"""Training a character model: a text's windows in turn, judged on the tenth held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from minigrad.engines import Engine
from rnn.descent import Figures, descend, gradient_of
from rnn.text.characters import held_out_bits, loss_function
from rnn.text.streams import Streams, split
from rnn.text.training import Training, advance, fingerprint


def train(
    training: Training,
    text: str,
    steps: int,
    path: str | Path | None = None,
    every: int = 500,
    report: Callable[[Training, Figures, float], None] = lambda training, figures, bits: None,
    engine: str | Engine = "numpy",
) -> Training:
    """Train up to a step, or until Ctrl-C or SIGTERM, and return the run as it then stands.

    The last tenth of the text is held out. Ctrl-C and SIGTERM, by which systems end programs,
    finish the step, save and return: `step` is then less than `steps`. A second one stops at once.
    All else is said of `rnn.descent.descend`.

    Args:
        training: from `Training.start` or `Training.load`.
        text: what the run was started with.
        steps: number of windows to have trained on in the end, those before a `load` included.
        path: where the run is saved: at the start, at every report and at the end.
        every: steps between reports; there is one at the end too.
        report: called with the run, the figures of its last step, and held-out bits per character.
        engine: what computes the gradients, as `minigrad.compile` takes it.

    Raises:
        BlockingIOError: another run is saved at this path.
        FloatingPointError: the loss is not finite; saved is the run before the last step whose
            loss was, to go on with a smaller rate (`dataclasses.replace` makes the recipe).
        ValueError: it is another text, or too short for the recipe, or a number is out of range.
    """
    if fingerprint(text) != training.text:
        raise ValueError(
            "this is not the text the run was started with: give that one, or start a new run"
        )
    learnt, held_out = split(training.vocabulary.encode(text))
    recipe = training.recipe
    streams = Streams(learnt, recipe.batch, recipe.length)
    gradient = gradient_of(loss_function(training.cell), engine)

    def judged(run: Training, figures: Figures) -> tuple[Training, bool]:
        bits = held_out_bits(run.cell, run.params, held_out, recipe.batch, recipe.length)
        report(run, figures, bits)
        return run, False

    return descend(
        training,
        steps,
        lambda run: advance(run, gradient, streams),
        judged,
        lambda figures: f"loss {figures.loss:.2f} = {figures.loss / np.log(2):.2f} bits/char",
        path,
        every,
        unit="char",
        size=recipe.batch * recipe.length,
    )
