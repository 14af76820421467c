"""Training step by step: progress and reports, saving, and an end in good order on Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.extras import needed
from rnn import files
from rnn.checks import whole
from rnn.text.characters import held_out_bits, loss_function
from rnn.text.streams import Streams, split
from rnn.text.training import Figures, Training, advance, fingerprint
from rnn.threads import one_thread


def train(
    training: Training,
    text: str,
    steps: int,
    path: str | Path | None = None,
    every: int = 500,
    report: Callable[[Training, Figures, float], None] = lambda training, figures, bits: None,
) -> Training:
    """Train up to a step, or until Ctrl-C or SIGTERM, and return the run as it then stands.

    The last tenth of the text is held out. Ctrl-C and SIGTERM, by which systems end programs,
    finish the step, save and return: `step` is then less than `steps`. A second one stops at once.
    Steps run on one BLAS thread, unless an environment variable says otherwise
    (`rnn.one_thread`).

    Args:
        training: from `Training.start` or `Training.load`.
        text: what the run was started with.
        steps: number of windows to have trained on in the end, those before a `load` included.
        path: where the run is saved: at the start, at every report and at the end.
        every: steps between reports; there is one at the end too.
        report: called with the run, the figures of its last step, and held-out bits per character.

    Raises:
        BlockingIOError: another run is saved at this path.
        FloatingPointError: the loss is not finite; saved is the run before the last step whose
            loss was, to go on with a smaller rate (`dataclasses.replace` makes the recipe).
        ValueError: it is another text, or too short for the recipe, or a number is out of range.
    """
    whole("train", "steps", steps, least=0)
    whole("train", "every", every)
    if fingerprint(text) != training.text:
        raise ValueError(
            "this is not the text the run was started with: give that one, or start a new run"
        )
    learnt, held_out = split(training.vocabulary.encode(text))
    recipe = training.recipe
    streams = Streams(learnt, recipe.batch, recipe.length)
    gradient = mg.compile(mg.value_and_grad(loss_function(training.cell), has_aux=True))
    with (
        _saving(path) as save,
        _progress(training, steps) as bar,
        _interruptible() as interrupted,
        one_thread(),
    ):
        save(training)  # a place that cannot be written is better found before the work
        good = training
        while training.step < steps and not interrupted():
            try:
                after, figures = advance(training, gradient, streams)
            except FloatingPointError as error:
                # The parameters of this step gave the loss that is not finite: they are not kept.
                save(good)
                kept = f"; step {good.step} is kept in {str(path)!r}" if path is not None else ""
                raise FloatingPointError(f"{error}{kept}") from None
            good, training = training, after
            told = f"loss {figures.loss:.2f} = {figures.loss / np.log(2):.2f} bits/char"
            bar.set_postfix_str(f"{told}, |gradient| {figures.norm:.2f}", refresh=False)
            bar.update(recipe.batch * recipe.length)
            if training.step % every == 0 or training.step == steps:
                bits = held_out_bits(
                    training.cell, training.params, held_out, recipe.batch, recipe.length
                )
                report(training, figures, bits)
                save(training)
        save(training)
    return training


@contextmanager
def _saving(path: str | Path | None) -> Iterator[Callable[[Training], None]]:
    """Inside, nobody else trains into the file, and the function saves a run, if there is one."""
    if path is None:
        yield lambda training: None
        return
    with files.alone(path):
        yield lambda training: training.save(path)


def _progress(training: Training, steps: int) -> Any:
    """A progress bar in characters; none where nobody watches."""
    window = training.recipe.batch * training.recipe.length
    return needed("tqdm", "train", "the progress of training").tqdm(
        total=steps * window,
        initial=training.step * window,
        unit="char",
        unit_scale=True,
        disable=None,
        bar_format="{percentage:3.0f}%|{bar}| {remaining}, {rate_fmt}{postfix}",
    )


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
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
