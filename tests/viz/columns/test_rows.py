"""Rows: each layer keeps to its own."""

from dataclasses import replace

import pytest

import minigrad as mg
import rnn
import viz
from rnn.testing.networks import Mixed
from tests.viz.geometry import LAWS
from tests.viz.own import TwoLags
from viz.scene.curve import flat, line
from viz.scene.label import plain

LSTM, GRU = rnn.LSTMCell, rnn.GRUCell
CELLS = {
    "three": rnn.Stack([LSTM(3, 5), GRU(5, 8), rnn.RNNCell(8, 1, 2)]),
    "both ways": rnn.Bidirectional(LSTM(3, 8)),
    "both ways, deep": rnn.Stack([rnn.Bidirectional(GRU(3, 1)), rnn.Bidirectional(TwoLags(2, 3))]),
    "a start value read at two steps": rnn.Bidirectional(
        Mixed(3, 1, (("h", 2), ("g", 1), ("m", 1)), ("new", "new", "new"), "tanh"), LSTM(3, 1)
    ),
    "backward below": rnn.Stack([rnn.Reversed(TwoLags(3, 4)), rnn.Dense(4, 3), LSTM(3, 3)]),
}
VIEWS = {
    "folded": {"view": "folded"},
    "3 steps": {"view": "unfolded", "steps": 3},
    "9 steps, elided": {"view": "unfolded", "steps": 9},
    "shared": {"view": "unfolded", "steps": 2, "params": "shared"},
}


def panels(scene):
    """Bottom and top of the panels of each row."""
    found = [s for s in scene.shapes.values() if s.form == "panel"]
    return {(s.y - s.h / 2, s.y + s.h / 2) for s in found}


def strays(scene):
    """Recurrent wires that reach into the panels of another row."""
    rows, found = panels(scene), []
    for wire in scene.wires:
        if not wire.delay:
            continue
        ends = [scene.shapes[name].y for name in (wire.source, wire.target) if name]
        ys = [y for _, y in flat(wire.path)]
        own = [row for row in rows if all(row[0] < y < row[1] for y in ends)]
        others = [row for row in rows if row not in own]
        if len(own) != 1 or any(low < y < high for y in ys for low, high in others):
            found.append((wire.source, wire.target))
    return found


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", CELLS)
def test_pictures_of_many_layers_keep_the_laws_and_wires_keep_to_their_rows(name, view):
    folded = CELLS[name].folded()
    for given in (folded, mg.adjoint(folded)):
        scene = viz.draw(given, level="gate", **VIEWS[view]).scene
        assert {law.__name__: law(scene) for law in LAWS if law(scene)} == {}
        assert strays(scene) == []


def test_a_wire_that_leaves_its_row_is_noticed():
    scene = viz.draw(CELLS["three"], "folded", level="gate").scene
    k = next(k for k, wire in enumerate(scene.wires) if wire.name == "layer1.h")
    (x, y), tip = scene.wires[k].path[0], scene.wires[k].path[-1]
    scene.wires[k] = replace(scene.wires[k], path=(*line((x, y), (x, y + 400)), (x, y), tip, tip))
    assert strays(scene) == [("h_1", scene.wires[k].target)]


def test_every_layer_has_the_same_colours_and_its_own_subscript():
    scene = viz.draw(rnn.Bidirectional(LSTM(3, 5)), "folded", level="gate").scene
    colours = {wire.name: wire.colour for wire in scene.wires if wire.delay}
    assert colours["forward.h"] == colours["backward.h"] != colours["forward.C"]
    mixed = rnn.Stack([LSTM(3, 5), GRU(5, 5)])
    backward = viz.draw(mg.adjoint(mixed.folded()), "folded", level="gate").scene
    said = {plain(s.lines[0]) for s in backward.shapes.values() if s.lines}
    assert {"× f_1\u2002∂C_1^(t−1)", "× o_1", "× tanh C_1\u2002∂o_1", "× z_2′\u2002∂z_z, 2"} <= said
    often = viz.draw(mixed, "unfolded", 2, "gate").scene
    named = {plain(text.label) for text in often.texts}
    assert {"C_1^(0)", "h_2^(0)", "layer 1", "layer 2"} <= named
    boxes = {plain(s.lines[0]).partition("\u2002")[2] for s in often.shapes.values() if s.lines}
    assert {"f_1", "C_1", "r_2", "z_2"} <= boxes
