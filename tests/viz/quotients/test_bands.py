"""Bands: layers that recur by themselves, from the bottom up."""

from dataclasses import dataclass

import minigrad as mg
import rnn
from tests.viz.own import weights
from viz.quotients.adjoints import named
from viz.quotients.bands import bands
from viz.quotients.operations import operations

LSTM, GRU = rnn.LSTMCell, rnn.GRUCell


def layers(folded, level="gate"):
    view = operations(folded, level)
    found = bands(view, folded.step.nodes)
    placed = [name for band in found for name in band.blocks]
    assert sorted(placed) == sorted(block.id for block in view.blocks)
    return view, found


def titles(folded):
    return [band.title for band in layers(folded)[1]]


def test_a_stack_has_a_band_for_each_layer_and_its_adjoint_has_them_the_other_way_round():
    stack = rnn.Stack([LSTM(3, 5), rnn.Dense(5, 4, "tanh"), GRU(4, 5)]).folded()
    assert titles(stack) == [("layer 1",), ("layer 2",), ("layer 3",)]
    back = [title for title in titles(named(mg.adjoint(stack))) if title]
    assert list(dict.fromkeys(back)) == [("layer 3",), ("layer 2",), ("layer 1",)]


def test_directions_are_bands_and_what_both_read_or_give_has_its_own():
    both = rnn.Bidirectional(LSTM(3, 5))
    assert titles(both.folded()) == [(), ("forward",), ("backward",), ()]
    deep = titles(rnn.Stack([both, rnn.Bidirectional(GRU(10, 2))]).folded())
    assert deep[1:3] == [("layer 1", "forward"), ("layer 1", "backward")]
    assert deep[4:6] == [("layer 2", "forward"), ("layer 2", "backward")]


def test_links_between_bands_go_up_and_recurrent_ones_stay():
    for cell in (rnn.Stack([LSTM(3, 5), GRU(5, 5)]), rnn.Bidirectional(GRU(3, 5))):
        for folded in (cell.folded(), named(mg.adjoint(cell.folded()))):
            view, found = layers(folded, "op")
            at = {name: n for n, band in enumerate(found) for name in band.blocks}
            for k in view.links:
                assert at[k.source] == at[k.target] if k.delay else at[k.source] <= at[k.target]


def test_where_one_layer_recurs_there_is_one_band():
    for cell in (LSTM(3, 5), rnn.Stack([LSTM(3, 5), rnn.Dense(5, 2)])):
        assert titles(cell.folded()) == [()]


@dataclass(frozen=True)
class Fed(rnn.Cell):
    """Two layers; the lower one reads what the upper one was."""

    inputs: int = 3
    hidden: int = 4
    state = ("a", "b")

    def parameters(self):
        X, H = self.inputs, self.hidden
        return weights(W_xa=(X, H), W_ba=(H, H), W_ab=(H, H), W_bb=(H, H))

    def step(self, p, x, a, b):
        with mg.scope("layer1"):
            a = mg.named("a", mg.tanh(x @ p.W_xa + b @ p.W_ba + a))
        with mg.scope("layer2"):
            b = mg.named("b", mg.tanh(a @ p.W_ab + b @ p.W_bb))
        return b, a, b


def test_layers_that_feed_each_other_through_time_are_one_band():
    assert titles(Fed().folded()) == [()]
