"""The models that only count, held to their definition."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn.text.baselines import bits_per_character
from rnn.text.reading import read_text
from rnn.text.streams import split
from rnn.text.vocabulary import Vocabulary


def witten_bell(train: list[int], context: list[int], symbol: int, symbols: int) -> float:
    """p(symbol | context), by the definition, counting anew each time."""
    n = len(context)
    shorter = witten_bell(train, context[1:], symbol, symbols) if n else 1 / symbols
    places = [k for k in range(n, len(train)) if train[k - n : k] == context]
    followers = [train[k] for k in places]
    kinds = len(set(followers))
    if not places:
        return shorter
    return (followers.count(symbol) + kinds * shorter) / (len(places) + kinds)


@given(seed=st.integers(0, 2**32 - 1), symbols=st.integers(2, 4), n=st.integers(1, 25))
def test_baselines_equal_counting_by_the_definition(seed: int, symbols: int, n: int) -> None:
    whole = np.random.default_rng(seed).integers(0, symbols, n + 6)
    text = whole.tolist()
    bits = bits_per_character(whole[:n], whole[n:], symbols)
    for order, name in enumerate(("unigram", "bigram", "trigram")):
        if n <= order:
            continue
        p = [witten_bell(text[:n], text[k - order : k], text[k], symbols) for k in range(n, n + 6)]
        np.testing.assert_allclose(bits[name], -np.log2(p).mean(), rtol=1e-12)
    np.testing.assert_allclose(bits["uniform"], np.log2(symbols), rtol=1e-12)


def test_probabilities_of_the_reference_sum_to_one() -> None:
    train = [0, 1, 0, 2, 2, 1, 0, 1, 0]
    for context in itertools.product(range(3), repeat=2):
        total = sum(witten_bell(train, list(context), k, 3) for k in range(3))
        np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_longer_contexts_predict_the_language_reference_better() -> None:
    text = read_text()
    vocabulary = Vocabulary.of(text)
    bits = bits_per_character(*split(vocabulary.encode(text)), len(vocabulary))
    assert bits["uniform"] > bits["unigram"] > bits["bigram"] > bits["trigram"] > 2
