"""Strategies for Hypothesis: cells, sequences for them, and networks ready to run."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from rnn.cell import Cell
from rnn.testing.networks import draw_cell
from rnn.testing.problem import Problem, problem

SEEDS = st.integers(0, 2**32 - 1)


def cells(inputs: int = 3) -> st.SearchStrategy[Cell]:
    """Cells of every kind: the library's, mixed ones with delays, stacks, both directions.

    >>> from hypothesis import find
    >>> import rnn
    >>> find(cells(inputs=2), lambda cell: isinstance(cell, rnn.GRUCell)).inputs
    2
    """
    return st.builds(lambda random: draw_cell(random, inputs), st.randoms(use_true_random=False))


@st.composite
def sequences(draw: Any, inputs: int = 3, most: int = 6, ragged: bool = False) -> Any:
    """A sequence `(T, B, X)`; with `ragged` a pair of it and the length of each sample `(B,)`.

    >>> from hypothesis import find
    >>> xs, lengths = find(sequences(ragged=True), lambda pair: pair[0].shape[0] == 4)
    >>> xs.shape[2], lengths.shape == xs.shape[1:2]
    (3, True)
    """
    steps, batch = draw(st.integers(0, most)), draw(st.integers(1, 3))
    xs = np.random.default_rng(draw(SEEDS)).normal(size=(steps, batch, inputs))
    if not ragged:
        return xs
    lengths = draw(st.lists(st.integers(0, steps), min_size=batch, max_size=batch))
    return xs, np.array(lengths)


@st.composite
def recurrent_networks(draw: Any, most: int = 6) -> Problem:
    """A cell with weights, a sequence, and a start state that is zero or given.

    >>> from hypothesis import find
    >>> q = find(recurrent_networks(), lambda q: q.steps == 2)
    >>> len(q.run()[0])
    2
    """
    cell = draw(cells())
    q = problem(cell, draw(st.integers(0, most)), draw(st.integers(1, 3)), draw(SEEDS))
    if draw(st.booleans()):
        q.start = cell.start(q.xs.shape[1])
    return q
