"""Marked nodes: found again in every kind of picture, told below it, the rest unmoved."""

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from tests.viz.geometry import covered
from viz.quotients.operations import operations

CELL = rnn.LSTMCell(3, 5)
GRAPH = mg.trace(lambda w, x: mg.tanh(x @ w) * 2.0, np.ones((3, 2)), np.ones((4, 3)))


def marked(drawing):
    return sorted(s.id for s in drawing.scene.shapes.values() if s.is_marked)


def told(drawing):
    return ["".join(run.text for run in text.label) for text in drawing.scene.texts]


def test_a_node_of_a_traced_graph_is_marked_and_the_rest_stays_where_it_is():
    assert GRAPH.nodes[3].op == "tanh"
    plain, drawing = viz.draw(GRAPH), viz.draw(GRAPH, marked={3: "backward 1.5, forward 2"})
    assert marked(drawing) == ["tanh"]
    assert "tanh, node 3: backward 1.5, forward 2" in told(drawing)
    assert drawing.svg().count("marked") == 1
    assert drawing.source.count("peripheries=2") == 1
    for name, shape in plain.scene.shapes.items():
        assert (drawing.scene.shapes[name].x, drawing.scene.shapes[name].y) == (shape.x, shape.y)
    assert covered(drawing.scene) == []


def test_a_number_written_into_a_box_marks_the_box_that_reads_it():
    k = next(k for k, node in enumerate(GRAPH.nodes) if node.op == "constant")
    assert marked(viz.draw(GRAPH, marked=[k])) == ["multiply"]


@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_a_node_of_a_step_is_marked_at_every_step(level):
    folded = CELL.folded()
    k = next(k for k, node in enumerate(folded.step.nodes) if node.name == "C" and node.inputs)
    once = marked(viz.draw(CELL, "folded", level=level, marked=[k]))
    thrice = marked(viz.draw(CELL, "unfolded", 3, level, marked=[k]))
    assert thrice == [f"{name}_t{t}" for name in once for t in (1, 2, 3)]
    if level != "cell":
        assert once == [operations(folded, level).of[k]]


def test_a_marked_tensor_is_shown_however_long_the_run_was():
    ys, _ = rnn.run(CELL, CELL.init(0).tensors(), np.ones((40, 1, 3)), unfolded=True)
    loss = ys.sum()
    drawing = viz.draw(loss, marked={mg.find(loss, "h", t=9): "NaN from here on"})
    assert [drawing.scene.shapes[name].block for name in marked(drawing)] == ["h_t9"]
    assert any(t.endswith("at t = 9: NaN from here on") for t in told(drawing))


def test_what_cannot_be_marked_is_told():
    with pytest.raises(ValueError, match=r"marked has 99, which is not in the graph; .* 0 to 5"):
        viz.draw(GRAPH, marked=[99])
    with pytest.raises(ValueError, match="marked has the tensor w, which is not in the graph"):
        viz.draw(mg.Tensor(1.0) * 2.0, marked=[mg.Tensor(1.0, name="w")])
    with pytest.raises(ValueError, match="numbers the nodes of the graph, which are others"):
        viz.draw(GRAPH, level="cell", marked=[3])
    ys, _ = rnn.run(CELL, CELL.init(0).tensors(), np.ones((9, 1, 3)), unfolded=True)
    with pytest.raises(ValueError, match=r"no box in this picture.*steps= says which"):
        viz.draw(ys, steps=[1, 2], marked=[mg.find(ys, "h", t=9)])
