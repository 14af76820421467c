"""Strings of the embedded Reber grammar follow it, and nothing else may."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn.data import reber


def walk(text: str) -> set[str]:
    """What may follow a text, found by walking all paths of the graph."""
    outer, inner = text[1], text[2:]
    node = 0
    for symbol in inner:
        node = reber.GRAMMAR[node][symbol]
        if node == 7:
            return {outer}
    return set(reber.GRAMMAR[node])


@given(seed=st.integers(0, 2**32 - 1))
def test_a_string_is_one_of_the_grammar_and_each_of_its_symbols_may_follow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xs, targets, mask = reber.strings(rng, 20, 3)
    legal = reber.successors(xs)
    for b in range(3):
        n = int(mask[:, b].sum())
        assert mask[:n, b].all()
        text = reber.written(xs[:1, b]) + reber.written(targets[:n, b])
        assert text[1] == text[-2] in "TP"
        assert text[0] == text[2] == "B"
        assert text[-3:] == f"E{text[1]}E"
        assert (xs[1:n, b] == targets[: n - 1, b]).all()
        for t in range(n):
            allowed = {reber.SYMBOLS[k] for k in np.flatnonzero(legal[t, b])}
            assert text[t + 1] in allowed
            if 2 <= t < n - 2:
                assert allowed == walk(text[: t + 1])


def test_the_symbols_that_may_follow_are_those_of_the_published_picture() -> None:
    """Hochreiter, Schmidhuber (1997), figure 3: from BT to S or X, from BP to T or V."""
    xs = np.array([[reber.SYMBOLS.index(s)] for s in "BTBTSXSET"])
    found = [reber.written(np.flatnonzero(row)) for row in reber.successors(xs)[:, 0]]
    assert found == ["TP", "B", "TP", "SX", "SX", "SX", "E", "T", "E"]
