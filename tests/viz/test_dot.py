"""The DOT holds the whole scene: parsed again, it gives back nodes, edges and places."""

import xml.dom.minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
import viz

pygraphviz = pytest.importorskip("pygraphviz")


def parsed(drawing):
    return pygraphviz.AGraph(string=drawing.source)


def test_parsed_dot_gives_back_nodes_and_edges(pictures):
    for name, drawing in pictures.items():
        graph, scene = parsed(drawing), drawing.scene
        nodes = {n for n in graph.nodes() if not n.startswith(("_text", "_1", "_2", "_3", "_4",
                 "_5", "_6", "_7", "_8", "_9"))}  # fmt: skip
        assert nodes == set(scene.shapes), name
        drawn = sorted((a, b) for a, b in graph.edges() if not a.startswith("_") and b[0] != "_")
        assert drawn == sorted((w.source, w.target) for w in scene.wires if w.source and w.target)


def test_places_in_the_dot_are_those_of_the_scene():
    drawing = viz.draw(rnn.LSTMCell(3, 5))
    graph = parsed(drawing)
    assert graph.graph_attr["layout"] == "nop2"
    for name, shape in drawing.scene.shapes.items():
        assert graph.get_node(name).attr["pos"] == f"{shape.x:.2f},{shape.y:.2f}"
        assert graph.get_node(name).attr["label"] is not None


@given(
    st.one_of(st.sampled_from(["\\N", "\\", "<B>", "a:b", "node", 'x"', "\x00", "]"]), st.text())
)
def test_hostile_names_are_text_in_the_dot(name):
    w = mg.Tensor([1.0, 2.0], name=name)
    drawing = viz.draw(mg.named(name, mg.tanh(w)))
    assert set(drawing.scene.shapes) == set(parsed(drawing).nodes())


def test_a_backslash_is_a_backslash_in_the_picture(monkeypatch):
    monkeypatch.setenv("PATH", "")
    drawing = viz.draw(rnn.RNNCell(3, 5), title="\\N or \\G", engine="graphviz")
    texts = xml.dom.minidom.parseString(drawing.svg()).getElementsByTagName("text")
    told = "".join(text.firstChild.data for text in texts)
    assert "\\N or \\G" in told.replace("\xa0", " ")


def test_graphviz_may_place_the_boxes_itself(monkeypatch):
    monkeypatch.setenv("PATH", "")
    drawing = viz.draw(rnn.LSTMCell(3, 5), "folded", level="gate", layout="dot")
    assert "pos=" not in drawing.source
    assert "<svg" in drawing.svg()
