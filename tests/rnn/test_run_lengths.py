"""A ragged batch is its samples run alone, each to its own end; padding has no influence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnn
from minigrad.tree import tree_map
from rnn.testing.problem import Problem, problem
from rnn.testing.strategies import SEEDS, cells
from tests.rnn.runs import CELLS, DEEP, assert_close, assert_equal, every_cell


@given(
    cell=cells() | st.sampled_from([*DEEP.values()]),
    lengths=st.lists(st.integers(0, 5), min_size=3, max_size=3),
    seed=SEEDS,
)
def test_a_ragged_batch_equals_its_samples_run_alone(cell, lengths, seed):
    """Outputs up to the end, zeros behind it, the state at the sample's own end; all gradients."""
    q = problem(cell, 5, 3, seed)
    ys, state = q.run(lengths)
    dp, dxs, dstart = q.gradients(lengths)
    summed = tree_map(np.zeros_like, q.params)
    for b, n in enumerate(lengths):
        row = lambda s, b=b: s[..., b : b + 1, :]
        alone = Problem(cell, q.params, row(q.xs[:n]), tree_map(row, q.start))
        own, own_xs, own_start = alone.gradients()
        summed = tree_map(np.add, summed, own)
        assert_close((ys[:n, b : b + 1], tree_map(row, state)), alone.run(), q.roundings())
        assert_close((row(dxs[:n]), tree_map(row, dstart)), (own_xs, own_start), q.roundings())
        assert not np.any(ys[n:, b])
    assert_close(dp, summed, 3 * q.roundings())


def padded(q: Problem, lengths: Any, filling: float) -> Problem:
    after = np.arange(len(q.xs))[:, None] >= np.asarray(lengths)
    return Problem(q.cell, q.params, np.where(after[..., None], filling, q.xs), q.start)


@every_cell
@pytest.mark.parametrize("filling", [np.nan, 1e300, -np.inf])
def test_padding_has_no_influence_and_no_gradient(name, filling):
    """Not a rounding of it: the bits of all results stay, and its gradient is exactly zero."""
    lengths = [5, 0, 3]
    clean = padded(problem(CELLS[name], 5, 3, 0), lengths, 0.0)
    dirty = padded(clean, lengths, filling)
    assert_equal(
        rnn.run(dirty.cell, dirty.params, dirty.xs, dirty.start, lengths),
        rnn.run(clean.cell, clean.params, clean.xs, clean.start, lengths),
    )
    found = dirty.gradients(lengths)
    assert_equal(found, clean.gradients(lengths))
    for b, n in enumerate(lengths):
        assert not np.any(found[1][n:, b])


def test_the_padding_law_sees_padding_that_leaks():
    q = problem(CELLS["GRUCell(3, 4)"], 5, 3, 0)
    lengths = [5, 0, 3]
    ys, _ = rnn.run(q.cell, q.params, padded(q, lengths, 1.0).xs, q.start)
    clean, _ = rnn.run(q.cell, q.params, padded(q, lengths, 0.0).xs, q.start)
    assert not np.array_equal(ys, clean)


@every_cell
def test_full_lengths_change_nothing(name):
    q = problem(CELLS[name], 4, 3, 0)
    plain = rnn.run(q.cell, q.params, q.xs, q.start)
    assert_equal(rnn.run(q.cell, q.params, q.xs, q.start, [4, 4, 4]), plain)
    assert_close(q.gradients(np.array([4, 4, 4])), q.gradients(), q.roundings())
