"""Training a network to predict the next character of a text.

A training run is a value, `Training`: parameters, the optimiser's state, the hidden state that is
carried from window to window, and the step, from which the place in the text follows. `advance`
makes the next one from it. Because nothing else is remembered, a run that was saved and loaded
goes on bit for bit as if it had never stopped.
"""

from __future__ import annotations

import hashlib
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.extras import needed
from minigrad.tree import flatten, tree_map
from rnn import checkpoint, files
from rnn.cell import Cell
from rnn.characters import check_vocabulary, held_out_bits, loss_function
from rnn.checks import number, whole
from rnn.data.text import Streams, Vocabulary, split
from rnn.optim import Adam, clip_by_global_norm
from rnn.params import Params
from rnn.threads import one_thread


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Args:
        batch: readers side by side in the text.
        length: steps T of a window, through which gradients flow.
        rate: Adam's step size.
        limit: largest norm of the gradient; longer ones are scaled down.

    Raises:
        ValueError: a number is out of range.
    """

    batch: int = 64
    length: int = 32
    rate: float = 0.006
    limit: float = 1.0

    def __post_init__(self) -> None:
        whole("Recipe", "batch", self.batch)
        whole("Recipe", "length", self.length)
        number("Recipe", "rate", self.rate)
        if not self.limit > 0:
            raise ValueError(f"Recipe: limit must be a number > 0, got {self.limit!r}")


@dataclass(frozen=True, eq=False)
class Training:
    """Where a training run stands.

    Attributes:
        cell: from classes to logits, V inputs and V outputs.
        vocabulary: the V characters.
        recipe: how to train.
        params: the parameters after `step` steps.
        moments: the state of Adam.
        state: the hidden state with which the next window starts.
        step: the number of windows trained on; window `step` modulo their number comes next.
        text: the fingerprint of the text, so that a run is not continued on another one.
        opening: its first word, from which the network may be asked to go on.
        seed: of the first weights.
    """

    cell: Cell
    vocabulary: Vocabulary
    recipe: Recipe
    params: Params
    moments: dict[str, Any]
    state: Any
    step: int
    text: str
    opening: str = ""  # runs saved by the version before have neither
    seed: int | None = None

    @classmethod
    def start(
        cls, cell: Cell, text: str, recipe: Recipe, seed: int = 0, dtype: Any = np.float32
    ) -> Training:
        """A run before its first step. The cell is as wide as the text has characters."""
        whole("Training.start", "seed", seed, least=0)
        vocabulary = Vocabulary.of(text)
        check_vocabulary(cell, vocabulary)
        params = cell.init(seed, dtype)
        moments, state = Adam().init(params), cell.start(recipe.batch, dtype)
        opening = text[: re.match(r"\s*\S{,20}\s?", text).end()]  # type: ignore[union-attr]  # it may be empty, but matches
        return cls(
            cell, vocabulary, recipe, params, moments, state, 0, _fingerprint(text), opening, seed
        )

    def save(self, path: str | Path) -> None:
        """Write everything to one safetensors file, atomically."""
        checkpoint.save(
            path,
            self.params,
            self.cell,
            vocabulary=self.vocabulary.characters,
            recipe=asdict(self.recipe),
            moments=self.moments,
            state=self.state,
            step=self.step,
            text=self.text,
            opening=self.opening,
            seed=self.seed,
        )

    @classmethod
    def load(cls, path: str | Path) -> Training:
        """The run that was saved; raises as `checkpoint.load` does."""
        params, cell, known = checkpoint.load(path)
        try:
            known["vocabulary"] = Vocabulary(known["vocabulary"])
            known["recipe"] = Recipe(**known["recipe"])
            training = cls(cell=cell, params=params, **known)
            training._check()
        except Exception as error:  # whatever else may have been saved with weights
            told = f"{type(error).__name__}: {error}"
            raise checkpoint.CheckpointError(
                f"{str(path)!r} holds weights, but no training run to go on with ({told})"
            ) from error
        return training

    def _check(self) -> None:
        """Refuse what `start` and `advance` would not have made."""
        whole("a run", "step", self.step, least=0)
        check_vocabulary(self.cell, self.vocabulary)
        self.vocabulary.encode(self.opening)
        dtype = _dtype(self.params)
        wanted = Adam().init(self.params), self.cell.start(self.recipe.batch, dtype)
        (found, tree), (fresh, other) = flatten((self.moments, self.state)), flatten(wanted)
        if tree != other:
            raise ValueError(f"moments and state are {tree.paths()}, wanted {other.paths()}")
        for path, a, b in zip(tree.paths(), found, fresh, strict=True):
            fits = np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
            if not fits or not np.all(np.isfinite(a)):
                raise ValueError(f"{path} has another shape or dtype, or is not finite")


class Figures(NamedTuple):
    """What one step tells: the loss in nats a character and the norm of the gradient."""

    loss: float
    norm: float


def advance(training: Training, gradient: Any, streams: Streams) -> tuple[Training, Figures]:
    """The run one window later, and what the step told.

    Args:
        training: where the run stands.
        gradient: `value_and_grad` of its `loss_function`, with `has_aux=True`; compiled or not.
        streams: the text to learn from.

    Raises:
        FloatingPointError: the loss or a new parameter is not finite.
    """
    recipe, window = training.recipe, training.step % len(streams)
    # Back at the text's beginning, nothing was read before.
    state = training.state if window else training.cell.start(recipe.batch, _dtype(training.params))
    (loss, state), grads = gradient(training.params, *streams[window], state)
    grads, norm = clip_by_global_norm(grads, recipe.limit)
    if not np.isfinite(loss) or not np.isfinite(norm):
        raise FloatingPointError(
            f"at step {training.step + 1} the loss is {loss:g} and the gradient's norm {norm:g}; "
            f"a smaller rate than {recipe.rate:g} may help"
        )
    adam = Adam(recipe.rate, beta2=0.99)
    params, moments = adam.update(training.params, grads, training.moments)
    if not all(np.all(np.isfinite(p)) for p in flatten(params)[0]):
        raise FloatingPointError(
            f"step {training.step + 1} makes parameters that are not finite; a smaller rate than "
            f"{recipe.rate:g} may help"
        )
    state = tree_map(np.copy, state)  # a compiled gradient lends its buffers, it does not give them
    new = replace(training, params=params, moments=moments, state=state, step=training.step + 1)
    return new, Figures(float(loss), norm)


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
    if _fingerprint(text) != training.text:
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


def _dtype(params: Params) -> Any:
    return next(iter(params.named().values())).dtype


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
