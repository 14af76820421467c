"""Drawn networks: every kind is drawn, and what is drawn is a cell."""

from random import Random

import numpy as np
import pytest

import rnn
from rnn.testing.networks import Mixed, draw_cell, draw_mixed

KINDS = (rnn.RNNCell, rnn.LSTMCell, rnn.GRUCell, rnn.Dense, rnn.Stack, rnn.Bidirectional, Mixed)


def test_every_kind_of_cell_is_drawn_and_the_same_for_the_same_draw():
    drawn = [draw_cell(Random(seed)) for seed in range(60)]
    assert {type(cell) for cell in drawn} == set(KINDS)
    assert drawn == [draw_cell(Random(seed)) for seed in range(60)]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mixed_cell_has_delays_of_one_sign_and_every_way_to_be_renewed(sign):
    drawn = [draw_mixed(Random(seed), 2, sign) for seed in range(60)]
    lags = {edge.lags for cell in drawn for edge in cell.edges()}
    assert {sign * lag for found in lags for lag in found} == {1, 2, 3}
    assert {len(found) for found in lags} == {1, 2}
    ways = {way for cell in drawn for way in cell.ways}
    assert ways == {"new", "sum", "leak", "gate", "hold"}


def test_a_value_that_is_held_is_the_old_one_of_the_next():
    cell = Mixed(1, 2, (("h", 1), ("g", 1)), ("hold", "leak"))
    h, g = np.zeros((1, 2)), np.full((1, 2), 8.0)
    p = cell.init(0)
    _, held, leaked = cell.step(p, np.zeros((1, 1)), h, g)
    _, other, _ = cell.step(p, np.zeros((1, 1)), h, g - 2.0)
    assert np.all(np.abs(held - other) > 0.5)
    assert leaked.shape == g.shape
