import xml.dom.minidom

import pytest

import rnn
import viz


@pytest.mark.parametrize("view", ["folded", "unfolded", None])
def test_a_drawing_is_saved_as_svg_and_dot_without_any_program(tmp_path, monkeypatch, view):
    monkeypatch.setenv("PATH", "")
    drawing = viz.draw(rnn.RNNCell(3, 5, 2), view=view)
    xml.dom.minidom.parse(drawing.save(tmp_path / "cell.svg"))
    assert "layout=nop2" in (tmp_path / drawing.save(tmp_path / "cell.gv")).read_text()


def test_png_is_drawn_by_pygraphviz_where_there_is_no_dot(tmp_path, monkeypatch):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    viz.draw(rnn.LSTMCell(3, 5)).save(tmp_path / "cell.png")
    assert (tmp_path / "cell.png").read_bytes().startswith(b"\x89PNG")
