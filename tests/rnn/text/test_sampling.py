"""What a model writes follows its probabilities, and at temperature zero its first choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import tree_map
from rnn.text.characters import character_model
from rnn.text.sampling import sample
from rnn.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary("aceht ")
CELL = character_model("gru", len(VOCABULARY), hidden=8)
PARAMS = tree_map(lambda p: 2 * p, CELL.init(0))


def logits_after(text: str) -> Any:
    return rnn.run(CELL, PARAMS, VOCABULARY.encode(text)[:, None])[0][-1, 0]


def write(start: str, n: int, temperature: float, rng: Any) -> str:
    return sample(CELL, PARAMS, VOCABULARY, start, n, temperature, rng)


def test_towards_temperature_zero_the_likeliest_is_taken() -> None:
    text = "the "
    for _ in range(12):
        text += VOCABULARY.decode([logits_after(text).argmax()])
    for temperature in (0.0, 1e-6, 1e-300):
        assert "the " + write("the ", 12, temperature, np.random.default_rng(0)) == text


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_characters_come_as_often_as_their_probability_says(temperature: float) -> None:
    p = mg.softmax(logits_after("the ") / temperature)
    rng, n = np.random.default_rng(1), 400
    drawn = "".join(write("the ", 1, temperature, rng) for _ in range(n))
    counts = np.bincount(VOCABULARY.encode(drawn), minlength=len(p))
    assert (abs(counts - n * p) < 5 * np.sqrt(n * p * (1 - p)) + 1).all()


def test_the_same_seed_writes_the_same() -> None:
    texts = [write("the ", 30, 1.0, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("start", "temperature", "message"),
    [
        ("the", -1, "sample: temperature must be a number ≥ 0 and finite, got -1"),
        ("the", np.nan, "sample: temperature must be a number ≥ 0 and finite, got nan"),
        ("", 1, "the seed text is empty; the model needs a character to start from"),
        ("É", 1, "character 'É' is not among the 6 the model knows: 'aceht '"),
    ],
)
def test_what_a_sample_cannot_start_from_is_told(
    start: str, temperature: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write(start, 1, temperature, np.random.default_rng())


@pytest.mark.parametrize("n", [-1, 2.5, True])
def test_a_number_of_characters_that_is_none_is_told(n: Any) -> None:
    with pytest.raises(ValueError, match=f"sample: n must be a whole number ≥ 0, got {n}"):
        write("the", n, 1.0, np.random.default_rng())


def test_a_model_of_another_vocabulary_is_told() -> None:
    with pytest.raises(ValueError, match="the vocabulary has 2 characters, but Stack takes 6"):
        sample(CELL, PARAMS, Vocabulary("ab"), "ab", 1, 1.0, np.random.default_rng())
