"""What is around a cell leaves the cell as it is: its values in one row, its parameters by name."""

from __future__ import annotations

import numpy as np
import pytest

import rnn

INNER = rnn.Stack([rnn.LSTMCell(3, 3), rnn.Dropout(3, 0.5), rnn.GRUCell(3, 3)])


def test_the_values_of_a_nested_cell_stand_in_one_row_under_their_paths():
    cell = rnn.Residual(INNER)
    assert [edge.name for edge in cell.edges()] == ["layer1.h", "layer1.C", "layer2.m", "layer3.h"]
    assert [s.shape for s in cell.start(2)] == [(2, 3)] * 4


def test_the_start_of_what_is_inside_is_kept():
    """Masks of an inner layer are drawn; those of use are ones."""
    cell = rnn.Highway(INNER)
    drawn = cell.start(4, rng=np.random.default_rng(0))[2]
    assert set(np.unique(drawn)) == {0.0, 2.0}
    assert (cell.start(4)[2] == 1.0).all()


def test_a_name_that_both_have_is_refused():
    twice = rnn.Highway(rnn.Highway(rnn.RNNCell(3, 3)))
    with pytest.raises(ValueError, match="Highway: Highway already has a parameter W_xg"):
        twice.init(0)


@pytest.mark.parametrize(
    "wrap",
    [
        rnn.Residual, rnn.Highway, rnn.LearnedStart, rnn.LayerNormalised,
        lambda c: rnn.Zoneout(c, 0.5, 2), lambda c: rnn.RecurrentDropout(c, 0.5),
        lambda c: rnn.Projected(c, 2), lambda c: rnn.Attention(c, 2, 2),
    ],
)  # fmt: skip
def test_what_is_no_cell_is_not_wrapped(wrap):
    with pytest.raises(TypeError, match=r"takes a cell, such as LSTMCell\(3, 5\), got 'lstm'"):
        wrap("lstm")
