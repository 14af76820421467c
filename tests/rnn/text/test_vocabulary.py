"""Characters are classes and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn.text.vocabulary import Vocabulary


@given(st.text(min_size=2).filter(lambda text: len(set(text)) > 1))
def test_decode_undoes_encode_for_any_text(text: str) -> None:
    vocabulary = Vocabulary.of(text)
    classes = vocabulary.encode(text)
    assert vocabulary.decode(classes) == text
    assert set(classes.tolist()) == set(range(len(vocabulary)))


def test_an_unknown_character_is_told() -> None:
    with pytest.raises(ValueError, match="character 'z' is not among the 2 the model knows: 'ab'"):
        Vocabulary("ab").encode("abz")


@pytest.mark.parametrize("characters", ["aba", 3, None, ["a", "b"]])
def test_a_vocabulary_is_a_string_of_different_characters(characters: Any) -> None:
    with pytest.raises(ValueError, match="a vocabulary is a string in which no character comes tw"):
        Vocabulary(characters)
