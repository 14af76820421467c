import re
import xml.dom.minidom

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from tests.viz.conftest import loss_of
from tests.viz.geometry import LAWS
from viz.scene.label import symbol


@pytest.mark.parametrize("view", ["folded", "unfolded", None])
def test_a_drawing_is_saved_as_svg_and_dot_without_any_program(tmp_path, monkeypatch, view):
    monkeypatch.setenv("PATH", "")
    drawing = viz.draw(rnn.RNNCell(3, 5, 2), view=view)
    xml.dom.minidom.parse(drawing.save(tmp_path / "cell.svg"))
    drawing.save(tmp_path / "cell.gv")
    assert "layout=nop2" in (tmp_path / "cell.gv").read_text("utf-8")


def test_a_notebook_shows_the_svg():
    drawing = viz.draw(rnn.GRUCell(3, 5))
    shown = drawing._repr_mimebundle_()["image/svg+xml"]
    assert shown == drawing._repr_svg_()
    assert shown.replace(' style="max-width:100%;height:auto"', "") == drawing.svg()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"view": "sideways"},
            "unknown view 'sideways'; there are None, 'folded', 'unfolded', 'block', 'schedule'",
        ),
        ({"level": "atom"}, "unknown level 'atom'"),
        ({"style": "neon"}, "unknown style 'neon'"),
        ({"layout": "grid"}, "unknown layout 'grid'"),
        ({"engine": "mine"}, "unknown engine 'mine'"),
        ({"steps": 0}, "steps must be a whole number ≥ 1"),
        ({"values": True}, "a network holds no numbers"),
    ],
)
def test_mistakes_are_told(options, told):
    with pytest.raises(ValueError, match=told):
        viz.draw(rnn.RNNCell(3, 5, 2), **options)


def test_only_graphs_are_drawn():
    with pytest.raises(TypeError, match="draw takes a cell, a folded graph, a schedule, a traced"):
        viz.draw([1, 2, 3])
    with pytest.raises(ValueError, match="a tensor is drawn as it was computed"):
        viz.draw(mg.Tensor(1.0), view="folded")


def test_a_suffix_or_folder_that_is_not_there_is_told(tmp_path):
    drawing = viz.draw(rnn.RNNCell(3, 5, 2))
    with pytest.raises(ValueError, match=r"must end in one of \.svg"):
        drawing.save(tmp_path / "cell.jpg")
    with pytest.raises(OSError, match="cannot write"):
        drawing.save(tmp_path / "no" / "cell.svg")


def test_too_many_boxes_are_refused_with_a_way_out():
    x = mg.Tensor(1.0)
    for _ in range(2100):
        x = mg.tanh(x)
    with pytest.raises(ValueError, match=r"2,100 boxes.*level='cell'.*steps=.*force=True"):
        viz.draw(x)
    cell = rnn.LSTMCell(3, 5)
    with pytest.raises(ValueError, match="too many"):
        viz.draw(cell, "unfolded", range(1, 301), "op")
    assert len(viz.draw(cell, "unfolded", range(1, 101), "op", force=True).scene.shapes) > 2000


def test_a_title_stands_above_everything():
    plain = viz.draw(rnn.RNNCell(3, 5)).scene.bounds()
    titled = viz.draw(rnn.RNNCell(3, 5), title="One layer").scene
    assert titled.bounds()[3] > plain[3]
    assert titled.title == "One layer"


@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_a_traced_run_with_a_loss_has_the_folded_picture_of_its_cell(level):
    cell = rnn.LSTMCell(3, 5)

    def loss(p, xs):
        return mg.mean(rnn.run(cell, p, xs, unfolded=True)[0])

    shown = []
    for steps in (3, 30):
        graph = mg.trace(loss, cell.init(0), np.ones((steps, 1, 3)))
        drawing = viz.draw(graph, view="folded", level=level)
        shown.append({(w.source, w.target, w.delay) for w in drawing.scene.wires})
    own = viz.draw(cell, view="folded", level=level)
    assert shown[0] == shown[1]
    assert len(shown[0]) == len({(w.source, w.target, w.delay) for w in own.scene.wires})


def test_a_shared_parameter_is_one_node_with_an_edge_to_each_reader():
    cell = rnn.RNNCell(3, 5, 2)
    for given in (cell, loss_of(cell, 4)):
        view = "unfolded" if given is cell else None
        drawing = viz.draw(given, view, 4, "op", params="shared")
        weights = [s for s in drawing.scene.shapes.values() if s.lines]
        names = {s.id for s in weights if s.lines[0] == symbol("W_hh")}
        assert len(names) == 1
        assert sum(w.source in names for w in drawing.scene.wires) == 4
        assert [law.__name__ for law in LAWS if law(drawing.scene)] == []
    with pytest.raises(ValueError, match="circles have no parameters to share; level='gate'"):
        viz.draw(cell, params="shared")


def test_each_job_has_its_door():
    cell, loss = rnn.LSTMCell(3, 5), loss_of(rnn.RNNCell(3, 5))
    assert viz.network(cell, "unfolded", 3).svg() == viz.draw(cell, "unfolded", 3).svg()
    assert viz.schedule(cell).svg() == viz.draw(cell, "schedule").svg()
    assert viz.record(loss, gradients=True).svg() == viz.draw(loss, gradients=True).svg()
    with pytest.raises(TypeError, match="network takes a cell or a folded graph"):
        viz.network(loss)
    with pytest.raises(TypeError, match="record takes a tensor or a traced graph"):
        viz.record(cell)


@pytest.mark.parametrize("width", ["50cm", "29cm", "26cm", "22cm"])
def test_a_run_on_paper_shows_its_first_step_and_what_was_marked(width):
    loss = loss_of(rnn.RNNCell(3, 4), steps=5)
    marked = mg.find(loss, "h", t=4)
    drawing = viz.draw(loss, values=True, steps=range(1, 6), marked={marked: "here"}, width=width)
    assert {law.__name__: law(drawing.scene) for law in LAWS if law(drawing.scene)} == {}
    shapes = [s for s in drawing.scene.shapes.values() if s.block]
    assert {"z_h_t1" if width == "50cm" else "h_t1"} <= {s.id for s in shapes}  # then by gates
    assert [s.id for s in shapes if s.is_marked] == ["h_t4"]
    short = [s for s in shapes if s.block.startswith("elided")]
    assert all(len(s.lines) == 1 for s in short)  # no value of its own
    assert len(short) == (4 if any("left out" in text for text in drawing.words) else 0)


@pytest.mark.parametrize(
    ("cell", "width", "told"),
    [
        (rnn.LSTMCell(3, 5), "8cm", "; view='block' can be read at 8cm"),
        (rnn.LSTMCell(3, 5), "7cm", "; view='folded', level='cell' can be read at 7cm"),
        (rnn.RNNCell(3, 5), "4cm", "; view='folded', level='cell' can be read at 4cm"),
        (rnn.RNNCell(3, 5), "1cm", "from [0-9.]+ cm on it is"),
    ],
)
def test_a_width_that_is_too_small_names_the_view_that_fits(cell, width, told):
    with pytest.raises(ValueError, match=f"{told}$"):
        viz.draw(cell, width=width)
    if "view=" in told:
        options = dict(re.findall(r"(view|level)='(\w+)'", told))
        assert viz.draw(cell, **options, width=width).width
