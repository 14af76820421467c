"""Vectors for classes, and weights in two places."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
import rnn

NET = rnn.Stack([rnn.Embedding(6, 3), rnn.RNNCell(3, 3), rnn.Dense(3, 6)])
TIED = rnn.Tied(NET, [("layer3.W", "layer1.E")])
XS = np.array([[1, 5], [0, 2], [3, 3]])


def test_an_embedding_is_a_row_look_up_without_one_hot_rows():
    cell = rnn.Embedding(6, 3)
    p = cell.init(0)
    assert np.array_equal(rnn.run(cell, p, XS)[0], p.E[XS])
    ops = {node.op for node in cell.folded(2, classes=True).step.nodes}
    assert "lookup" in ops
    assert "matmul" not in ops


def test_vectors_start_with_a_length_near_one():
    lengths = np.linalg.norm(rnn.Embedding(200, 64).init(0).E, axis=1)
    assert 0.9 < lengths.mean() < 1.1


def test_tied_weights_are_one_parameter_whose_gradient_is_the_sum_of_both_places():
    p = TIED.init(0)
    loose = rnn.Params({**p, "layer3": rnn.Params({"W": p.layer1.E.T, "b": p.layer3.b})})
    loss = lambda net: lambda p: mg.sum(mg.sin(rnn.run(net, p, XS)[0]))
    assert loss(TIED)(p) == loss(NET)(loose)
    one, two = mg.grad(loss(TIED))(p), mg.grad(loss(NET))(loose)
    np.testing.assert_allclose(one.layer1.E, two.layer1.E + two.layer3.W.T, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(one.layer3.b, two.layer3.b, rtol=1e-12, atol=1e-14)


def test_a_square_weight_is_tied_as_it_is():
    cell = rnn.Tied(rnn.RNNCell(3, 3), [("W_hh", "W_xh")])
    p = cell.init(0)
    assert list(p) == ["W_xh", "b_h"]
    xs = np.random.default_rng(0).normal(size=(4, 2, 3))
    wanted = rnn.run(rnn.RNNCell(3, 3), {**p, "W_hh": p.W_xh}, xs)[0]
    assert np.array_equal(rnn.run(cell, p, xs)[0], wanted)


@pytest.mark.parametrize(
    ("ties", "error", "told"),
    [
        ([("layer3.V", "layer1.E")], ValueError, "Tied: no parameter 'layer3.V'; there are layer1"),
        ([("layer3.b", "layer1.E")], mg.ShapeError, "which fits neither as it is nor transposed"),
        ([("layer2.W_xh", "layer2.W_hh"), ("layer2.W_hh", "layer2.W_xh")], ValueError,
         "a tied parameter has one place to be"),
        ("layer3.W", TypeError, "Tied takes pairs of names"),
        ([], TypeError, "Tied takes pairs of names"),
    ],
)  # fmt: skip
def test_what_cannot_be_tied_is_told(ties, error, told):
    with pytest.raises(error, match=told):
        rnn.Tied(NET, ties)
