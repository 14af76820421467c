"""Names in pictures of adjoints, from the graph that they are the adjoint of."""

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from minigrad.folded import STATIC, SUM, folded_adjoint
from minigrad.graph import Node
from viz.figures import schedule
from viz.quotients.adjoints import named, reads, summed
from viz.quotients.circles import circles
from viz.quotients.labels import called
from viz.quotients.operations import operations
from viz.scene.label import plain

CELLS = {
    "RNN": rnn.RNNCell(3, 5, 2),
    "LSTM with peepholes": rnn.LSTMCell(3, 5, peepholes=True),
    "GRU": rnn.GRUCell(3, 5),
    "two layers": rnn.Stack([rnn.RNNCell(3, 5), rnn.LSTMCell(5, 5)]),
    "both directions": rnn.Bidirectional(rnn.RNNCell(3, 5)),
}


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_named_after_their_parameters(name):
    folded = CELLS[name].folded()
    pair = mg.adjoint(folded)
    backward = named(pair)
    step = backward.step
    sums = [k for k, role in zip(step.outputs, backward.outputs, strict=True) if role == SUM]
    found = [".".join(p for p in (step.nodes[k].scope, step.nodes[k].name) if p) for k in sums]
    parameters = [folded.input_node(k).name for k in folded.with_role(STATIC)]
    assert [n.replace("∂", "") for n in found] == parameters
    plainly = [(n.op, n.inputs, n.shape) for n in pair.backward.step.nodes]
    assert [(n.op, n.inputs, n.shape) for n in step.nodes] == plainly


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("level", ["gate", "op"])
def test_every_gradient_is_written_on_a_box(name, level):
    folded = CELLS[name].folded()
    scene = viz.draw(mg.adjoint(folded), "folded", level=level).scene
    told = " ".join(plain(line) for s in scene.shapes.values() for line in s.lines)
    for k in folded.with_role(STATIC):
        assert f"∂{folded.input_name(k).rpartition('.')[2]}" in told
    assert "array" not in told


def test_saved_values_are_told_as_what_they_are():
    scene = viz.draw(mg.adjoint(rnn.LSTMCell(3, 5).folded()), level="op").scene
    tags = {plain(s.lines[0]) for s in scene.shapes.values() if s.form == "tag"}
    assert "tanh C" in tags
    texts = {plain(s.lines[0]) for s in schedule(rnn.LSTMCell(3, 5), True).scene.shapes.values()
             if s.lines}  # fmt: skip
    assert {"weights", "saved", "tanh C"} <= texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.full((2, 3), -0.5), "−0.5"),
        (np.full((2, 3), 7), "7"),
        (np.arange(6.0).reshape(2, 3), "array"),
        (np.full((2, 3), np.nan), "array"),
        (np.full((2, 3), True), "array"),
        (np.empty((0, 3)), "array"),
    ],
)
def test_constants_of_one_value_are_written_as_that_value(value, text):
    assert plain(called(Node("constant", value=value))) == text


def test_boxes_of_an_adjoint_say_what_they_are_and_what_they_multiply_by():
    """No two of one name; × says by which saved value, or by whose slope."""
    for cell in (rnn.LSTMCell(3, 5), rnn.GRUCell(3, 5)):
        view = operations(named(mg.adjoint(cell.folded())), "gate")
        told = [plain(block.label) for block in view.blocks]
        assert len(set(told)) == len(told)
        assert not any(text.strip() in ("×", "× saved") for text in told)
    view = operations(named(mg.adjoint(rnn.LSTMCell(3, 5).folded())), "gate")
    told = {" ".join(plain(block.label).split()) for block in view.blocks}
    assert {"+ ∂C", "× f ∂C^(t−1)", "× o′ ∂z_o", "× tanh′ C", "× tanh C ∂o"} <= told


def test_saved_values_come_from_the_circles_that_made_them():
    folded = rnn.RNNCell(3, 5, 2).folded()
    pair = folded_adjoint(folded)
    backward = circles(pair.backward)
    assert set(reads(pair, circles(folded), backward)) == {("h", "dh")}
    assert {name: plain(label) for name, label in summed(named(pair), backward).items()} == {
        "dh": "Σ ∂W_xh, ∂W_hh, ∂b_h", "do": "Σ ∂W_ho, ∂b_o",
    }  # fmt: skip
