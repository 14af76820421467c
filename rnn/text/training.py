"""A run of training, to predict the next character of a text, as a value.

`Training` holds parameters, the optimiser's state, the hidden state that is carried from window to
window, and the step, from which the place in the text follows. `advance` makes the next one from
it. Because nothing else is remembered, a run that was saved and loaded goes on bit for bit as if it
had never stopped.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn import checkpoint, descent
from rnn.cell import Cell
from rnn.checks import number, whole
from rnn.descent import Figures, check_standing
from rnn.optim import Adam
from rnn.params import Params
from rnn.starts import handed
from rnn.text.characters import check_vocabulary
from rnn.text.streams import Streams
from rnn.text.vocabulary import Vocabulary


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
        seed: of first weights and masks.
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
            cell, vocabulary, recipe, params, moments, state, 0, fingerprint(text), opening, seed
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
        check_standing(self.moments, self.state, wanted)


def advance(training: Training, gradient: Any, streams: Streams) -> tuple[Training, Figures]:
    """The run one window later, and what the step told: the loss in nats a character.

    Args:
        training: where the run stands.
        gradient: `value_and_grad` of its `loss_function`, with `has_aux=True`; compiled or not.
        streams: the text to learn from.

    Raises:
        FloatingPointError: the loss or a new parameter is not finite.
    """
    recipe, window = training.recipe, training.step % len(streams)
    before = training.state if window else None  # at the text's beginning nothing was read
    given = training.cell, training.params, streams[window][0], before
    state = handed(*given, training.seed or 0, training.step)
    training = replace(training, state=state)
    adam = Adam(recipe.rate, beta2=0.99)
    return descent.advance(training, gradient, streams[window], adam, recipe.limit)


def _dtype(params: Params) -> Any:
    return next(iter(params.named().values())).dtype


def fingerprint(text: str) -> str:
    """What tells one text from another."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
