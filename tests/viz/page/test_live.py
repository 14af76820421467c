"""The program of a page, read by the rules of JavaScript, gives what the engine gives."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import leaf_paths
from tests.viz.page.ecma import Reader
from tests.viz.page.studies import CELLS, filled, given, loss
from viz.page.live import live
from viz.page.numbers import study


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_a_program_gives_loss_derivatives_and_uses_at_other_weights(cell):
    """It was written at the weights of seed 0, and runs at those of seed 1."""
    program = live(study(*given(cell)))
    _, params, xs, _ = given(cell, seed=1)
    v, at = filled(program, params, xs), program.layout
    Reader(program.functions[0], v)
    for row, seeded in zip(at["seeds"], at["seeded"], strict=True):
        for place, source in zip(row, seeded, strict=True):
            v[place] = v[source]
    Reader(program.functions[1], v)
    numbers = np.array(v)
    wanted = study(cell, params, xs, loss)
    assert numbers[at["loss"]] == pytest.approx(wanted.run.loss, rel=1e-12)
    for name, rows in zip(wanted.names, at["values"], strict=True):
        close(numbers[rows], wanted.messages.found["values"][name])
    for rows, parts in zip(at["messages"], wanted.messages.found["messages"], strict=True):
        close(numbers[rows], parts)
    for name, rows in zip(leaf_paths(params), at["uses"], strict=True):
        close(numbers[rows].sum(0), wanted.run.gradient[name])


def close(a, b):
    np.testing.assert_allclose(a, np.reshape(b, np.shape(a)), rtol=1e-12, atol=1e-12)


def test_what_is_too_large_or_has_several_samples_is_not_computed_in_the_page():
    assert live(study(*given(rnn.LSTMCell(2, 9)))) is None
    assert live(study(*given(rnn.LSTMCell(2, 3), T=13))) is None
    assert live(study(*given(rnn.LSTMCell(2, 3), B=2))) is None
    assert live(study(*given(rnn.LSTMCell(2, 8), T=12))) is not None


def test_characters_are_fixed():
    cell = rnn.RNNCell(4, 3)
    found = live(study(cell, cell.init(0), np.array([[0], [3], [1]]), lambda ys: mg.sum(ys * ys)))
    assert found is not None
    assert found.layout["x"] == []
