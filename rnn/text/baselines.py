"""What a text model must beat: counting how often characters follow each other.

An n-gram model predicts a character from the n − 1 before it. Sequences that were never seen get
their share by Witten and Bell's rule, which has nothing to tune: after a context that was
followed by k different characters in c places, k / (c + k) of the probability is left to the
model with the shorter context. Source: Witten, Bell, IEEE Trans. Inf. Theory 37(4), 1991, method C.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn.text.vocabulary import Classes

NAMES = ("uniform", "unigram", "bigram", "trigram")


def bits_per_character(train: Classes, held_out: Classes, symbols: int) -> dict[str, float]:
    """The mean of −log₂ p over the held-out characters, for each model by name.

    Counts are of `train` alone. The first held-out characters have the last of `train` as their
    context, as they have in the text; a network starts there from nothing.

    Args:
        train: class indices, `(n,)`.
        held_out: the class indices that follow, `(m,)`.
        symbols: the number of classes, the size of the vocabulary.

    >>> import numpy as np
    >>> bits_per_character(np.array([0, 1] * 50), np.array([0, 1] * 5), symbols=4)["uniform"]
    2.0
    """
    if not len(train) or not len(held_out):
        raise ValueError(
            f"baselines need text to count and text to judge on, got {len(train)} and "
            f"{len(held_out)} characters"
        )
    p = np.full(len(held_out), 1.0 / symbols)
    result = {NAMES[0]: float(-np.log2(p).mean())}
    for n, name in enumerate(NAMES[1:], 1):
        p = _refine(p, train, held_out, symbols, n)
        result[name] = float(-np.log2(p).mean())
    return result


def _refine(shorter: Any, train: Classes, held_out: Classes, symbols: int, n: int) -> Any:
    """The n-gram probabilities of the held-out characters, given those of the (n−1)-gram model."""
    grams = _grams(np.concatenate([train, held_out]), symbols, n)
    seen, asked = grams[: len(train) - n + 1], grams[len(grams) - len(held_out) :]
    if not len(seen):
        return shorter
    kinds, counts = np.unique(seen, return_counts=True)
    contexts, first = np.unique(kinds // symbols, return_index=True)
    total = np.add.reduceat(counts, first)
    followers = np.diff(np.append(first, len(kinds)))
    hits = _look_up(kinds, counts, asked)
    c, k = (_look_up(contexts, values, asked // symbols) for values in (total, followers))
    return np.where(c > 0, (hits + k * shorter) / np.maximum(c + k, 1), shorter)


def _grams(classes: Classes, symbols: int, n: int) -> Classes:
    """Every n characters in a row as one number, by the place of the last of them."""
    result = np.zeros(len(classes) - n + 1, np.int64)
    for k in range(n):
        result = result * symbols + classes[k : len(classes) - n + 1 + k]
    return result


def _look_up(keys: Any, values: Any, asked: Any) -> Any:
    """values[k] where keys[k] is asked for, 0 where there is no such key; keys are sorted."""
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], 0)
