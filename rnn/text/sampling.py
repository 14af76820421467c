"""Text from a trained character model, drawn one character at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from rnn.cell import Cell
from rnn.checks import number, whole
from rnn.run import run
from rnn.text.characters import check_vocabulary
from rnn.text.vocabulary import Vocabulary
from rnn.threads import one_thread


def sample(
    cell: Cell,
    params: Any,
    vocabulary: Vocabulary,
    seed_text: str,
    n: int,
    temperature: float,
    rng: np.random.Generator,
) -> str:
    """The n characters with which a model continues a text.

    The model reads the seed text, then each drawn character in its turn. Logits are divided by the
    temperature before the softmax: below 1 likely characters become likelier, at 0 the likeliest
    is always taken, at 1 the model speaks as it believes.

    Args:
        cell: from classes to logits, V inputs and V outputs.
        params: its parameters, as arrays.
        vocabulary: the V characters.
        seed_text: at least one character, all from the vocabulary.
        n: number of characters to draw.
        temperature: at least 0.
        rng: where the draws come from.

    Raises:
        ValueError: the cell does not fit the vocabulary, the start is empty or not in it, or a
            number is out of range.

    >>> import rnn
    >>> cell = rnn.Stack([rnn.LSTMCell(2, 3), rnn.Dense(3, 2)])
    >>> len(sample(cell, cell.init(0), Vocabulary("ab"), "ab", 5, 1.0, np.random.default_rng(0)))
    5
    """
    whole("sample", "n", n, least=0)
    number("sample", "temperature", temperature)
    check_vocabulary(cell, vocabulary)
    if not seed_text:
        raise ValueError(
            "sample: the seed text is empty; the model needs a character to start from"
        )
    classes = vocabulary.encode(seed_text)
    state: Any = None
    drawn: list[int] = []
    with one_thread():
        for _ in range(n):
            logits, state = run(cell, params, classes[:, None], state)
            drawn.append(_draw(logits[-1, 0], temperature, rng))
            classes = np.array(drawn[-1:])
    return vocabulary.decode(drawn)


def _draw(logits: Any, temperature: float, rng: np.random.Generator) -> int:
    """A class by its probability at a temperature."""
    scaled = (logits - logits.max()).astype(float)
    if temperature == 0:
        return int(scaled.argmax())
    p = mg.softmax(scaled / temperature)
    return int(rng.choice(len(p), p=p / p.sum()))
