"""The DOT holds the whole scene: parsed again, it gives back nodes, edges and places."""

import html
import xml.dom.minidom
import xml.etree.ElementTree as xml_tree
from dataclasses import replace

import pytest
from hypothesis import given

import rnn
import viz
from tests.viz.hostile import HOSTILE, PIECES, everywhere, shown
from viz.figures.gallery import gallery

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


def warned(source, capfd):
    """What Graphviz says when it draws a DOT, measuring text by the fonts that it finds."""
    capfd.readouterr()
    pygraphviz.AGraph(string=source).draw(format="svg", prog="dot")
    return [line for line in capfd.readouterr().err.splitlines() if "too small for label" in line]


def test_the_text_of_every_figure_has_room_in_the_fonts_of_graphviz(capfd):
    found = {e.name: warned(e.drawing().source, capfd) for e in gallery()}
    assert {name: told for name, told in found.items() if told} == {}
    tight = viz.draw(rnn.Dense(2, 2)).scene
    tight.shapes = {name: replace(s, w=9.0, h=9.0) for name, s in tight.shapes.items()}
    assert len(warned(viz.Drawing(tight).source, capfd)) == len(tight.shapes)


def written(node):
    """The lines of a label, from its parsed HTML."""
    rows = (node.attr["label"] or "").split("<BR/>")
    lines = ("".join(xml_tree.fromstring(f"<a>{row}</a>").itertext()) for row in rows)
    return [line.replace("\xa0", " ") for line in lines if line.strip()]


def lines_of(*labels):
    lines = ("".join(run.text for run in label).replace("\xa0", " ") for label in labels)
    return [line for line in lines if line.strip()]


@given(HOSTILE)
def test_any_text_is_read_back_from_the_dot(text):
    drawing = everywhere(text)
    graph, scene = parsed(drawing), drawing.scene
    assert {name for name in graph.nodes() if name[0] != "_"} == set(scene.shapes)
    for name, shape in scene.shapes.items():
        node = graph.get_node(name)
        assert written(node) == lines_of(*shape.lines)
        assert html.unescape(node.attr["tooltip"]) == shown(shape.title)[:400].replace("\\", "∖")
    for k, free in enumerate(scene.texts, 1):
        assert written(graph.get_node(f"_text{k}")) == lines_of(free.label)
    title = html.unescape(graph.graph_attr["tooltip"])
    assert title == shown(f"{text} ").replace("\\", "∖")


def test_graphviz_draws_any_text_as_it_is(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for piece in PIECES:
        drawing = viz.draw(rnn.RNNCell(3, 5), title=f"a{piece}z", engine="graphviz")
        svg = xml.dom.minidom.parseString(drawing.svg())
        told = "".join(text.firstChild.data for text in svg.getElementsByTagName("text"))
        wanted = shown(f"a{piece}z").replace("\xa0", " ")
        assert wanted in told.replace("\xa0", " "), piece
        links = svg.getElementsByTagName("a")
        assert not any(link.hasAttribute("xlink:href") for link in links)


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
