"""A network is taken into layers with their directions, and made of them again."""

from __future__ import annotations

import numpy as np
import pytest

import rnn
from rnn.interop import network


def test_layers_are_told_with_their_directions_and_paths():
    net = rnn.Stack([rnn.Bidirectional(rnn.GRUCell(2, 3)), rnn.Reversed(rnn.RNNCell(6, 2))])
    first, second = network.layers(net)
    assert [path for path, _ in first.sides] == ["layer1.forward", "layer1.backward"]
    assert second == network.Layer("layer2", (("layer2", rnn.RNNCell(6, 2)),), is_backward=True)
    assert network.layers(rnn.GRUCell(2, 3)) == [network.Layer("", (("", rnn.GRUCell(2, 3)),))]


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_layers_and_directions_make_a_network_with_their_parameters(merge):
    sides = [rnn.GRUCell(2, 3), rnn.GRUCell(2, 3)]
    params = [side.init(k) for k, side in enumerate(sides)]
    below, own = network.beside(sides, params, merge)
    assert below == rnn.Bidirectional(*sides, merge)
    above = rnn.RNNCell(below.width, 2)
    net, named = network.stacked([below, above], [own, above.init(2)])
    assert net == rnn.Stack([below, above])
    assert [layer.sides[0][0] for layer in network.layers(net)] == ["layer1.forward", "layer2"]
    np.testing.assert_array_equal(
        network.values("to", net, named)["layer1.backward.W_xr"], params[1].W_xr
    )
    assert network.beside(sides[:1], params[:1]) == network.stacked(sides[:1], params[:1])


def test_what_no_other_library_has_is_told():
    with pytest.raises(ValueError, match="to: Dense has no counterpart there; RNN, LSTM and GRU"):
        network.kind_of("to", rnn.Dense(2, 3))
    with pytest.raises(ValueError, match="to: RNNCell with an output layer has no place there"):
        network.kind_of("to", rnn.RNNCell(2, 3, 2))
