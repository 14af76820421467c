"""An output fed back is one more recurrence; what is not fed back does not exist."""

from __future__ import annotations

import numpy as np
import pytest

import rnn
from minigrad.errors import ShapeError
from rnn.feedback import Feedback

STACK = rnn.Stack([rnn.LSTMCell(3, 4), rnn.GRUCell(4, 4), rnn.Dense(4, 3)])


def test_an_output_that_is_not_fed_back_has_no_influence_even_if_it_is_nan() -> None:
    cell = rnn.RNNCell(3, 4, 3)
    params = cell.init(0)
    xs = np.ones((3, 2, 3))
    off = np.concatenate([xs, np.zeros((3, 2, 1))], -1)
    start = (*cell.start(2), np.full((2, 3), np.nan))
    ys, _ = rnn.run(Feedback(cell), params, off, start)
    np.testing.assert_array_equal(ys, rnn.run(cell, params, xs)[0])


def test_own_outputs_are_a_recurrence_of_the_folded_graph() -> None:
    recurrences = Feedback(STACK).folded().recurrences
    assert [r.name for r in recurrences] == ["layer1.h", "layer1.C", "layer2.h", "y"]


def test_feeding_back_by_the_switch_equals_feeding_back_by_hand() -> None:
    params, rng = STACK.init(0), np.random.default_rng(0)
    xs, fed = rng.normal(size=(6, 2, 3)), rng.random((6, 2, 1)) < 0.5
    ys, _ = rnn.run(Feedback(STACK), params, np.concatenate([xs, fed], -1))
    y, state = np.zeros((2, 3)), STACK.start(2)
    for t in range(6):
        y, *state = STACK.step(params, np.where(fed[t], y, xs[t]), *state)
        np.testing.assert_allclose(ys[t], y, rtol=1e-12)


def test_an_output_that_is_no_input_is_told() -> None:
    with pytest.raises(ShapeError) as caught:
        Feedback(rnn.RNNCell(3, 4, 2))
    assert str(caught.value) == (
        "Feedback: RNNCell takes 3 columns, but an output fed back has 2; "
        "give feed= a function that makes an input from an output"
    )


def test_masks_inside_are_those_of_use_unless_they_are_drawn():
    """A run without a state drops nothing."""
    bare = rnn.Stack([rnn.RNNCell(3, 4), rnn.Dense(4, 3)])
    cell = rnn.Stack([rnn.RNNCell(3, 4), rnn.Dropout(4, 0.5), rnn.Dense(4, 3)])
    p = cell.init(0)
    known = rnn.Params(layer1=p.layer1, layer2=p.layer3)
    xs = np.random.default_rng(0).normal(size=(4, 2, 4))
    wanted = rnn.run(rnn.Feedback(bare), known, xs)[0]
    assert np.array_equal(rnn.run(rnn.Feedback(cell), p, xs)[0], wanted)
    assert not np.array_equal(
        rnn.run(rnn.Feedback(cell), p, xs, rnn.Feedback(cell).start(2, rng=0))[0], wanted
    )
