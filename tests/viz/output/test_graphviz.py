"""What Graphviz draws from the DOT, wherever it is."""

import sys

import pytest

import rnn
import viz
from viz.output.graphviz import from_dot


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
)
def test_pygraphviz_draws_where_there_is_no_dot(monkeypatch, suffix, start):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    source = viz.draw(rnn.LSTMCell(3, 5)).source
    assert from_dot(source, suffix).startswith(start)


def test_a_package_that_does_not_load_is_no_renderer(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(viz.RendererMissing):
        from_dot("digraph {}", "png")
