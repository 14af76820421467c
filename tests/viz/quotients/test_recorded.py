import numpy as np
import pytest

import minigrad as mg
import rnn
import viz


def test_steps_that_were_recorded_are_columns():
    cell = rnn.RNNCell(3, 5, 2)
    xs = mg.Tensor(np.ones((3, 1, 3)))
    ys, _ = rnn.run(cell, cell.init(0).tensors(), xs, unfolded=True)
    titles = [text.label[0].text for text in viz.draw(ys.sum()).scene.texts]
    assert [t for t in titles if t.startswith("t = ")] == ["t = 0", "t = 1", "t = 2", "t = 3"]


def test_a_leaf_used_twice_is_one_box():
    w = mg.Tensor(2.0, name="w")
    shapes = viz.draw(w * w + w).scene.shapes
    assert sorted(shapes) == ["add", "multiply", "w"]


def test_a_long_run_is_elided_and_says_so():
    x = mg.Tensor(1.0, name="x")
    for t in range(1, 41):
        with mg.scope("loop", t=t):
            x = mg.named("h", mg.tanh(x))
    scene = viz.draw(x).scene
    assert "t = 3 … 39" in [text.label[0].text for text in scene.texts]
    assert len([s for s in scene.shapes.values() if s.block]) == 3


def test_a_traced_graph_is_drawn_and_folds_to_circles():
    graph = mg.unfold(rnn.RNNCell(3, 5, 2).folded(), 5)
    assert "h_t3" in viz.draw(graph).scene.shapes
    assert {"x", "h", "o"} <= set(viz.draw(graph, "folded", level="cell").scene.shapes)


@pytest.mark.parametrize(("steps", "gap"), [([1, 2], "t = 3 … 9"), (1, "t = 2 … 9"), (9, "")])
def test_chosen_steps_of_a_recorded_run_leave_a_gap_for_the_others(steps, gap):
    cell = rnn.LSTMCell(3, 5)
    ys, _ = rnn.run(cell, cell.init(0).tensors(), np.ones((9, 1, 3)), unfolded=True)
    scene = viz.draw(ys, steps=steps).scene
    titles = [text.label[0].text for text in scene.texts if "…" in text.label[0].text]
    assert gap == "" or gap in titles
    with pytest.raises(ValueError, match="the run has the steps 1 to 9, got 12"):
        viz.draw(ys, steps=12)
