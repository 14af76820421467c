import os
import sys

import pytest

import rnn
import viz
from minigrad.extras import installing
from viz.output import render


@pytest.fixture
def nothing(monkeypatch):
    """Neither a `dot` program nor pygraphviz."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(render, "_package", lambda name: None)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_missing_renderer_names_the_command_and_the_svg_it_wrote(
    nothing, monkeypatch, tmp_path, platform
):
    monkeypatch.setattr(sys, "platform", platform)
    command = {"linux": "apt install", "darwin": "brew install", "win32": "winget install"}[
        platform
    ]
    with pytest.raises(viz.RendererMissing, match=command) as told:
        viz.draw(rnn.RNNCell(3, 5, 2)).save(tmp_path / "cell.png")
    assert installing("render") in str(told.value)
    assert told.value.written == str(tmp_path / "cell.svg")
    assert (tmp_path / "cell.svg").read_text("utf-8").startswith("<svg")
    assert not (tmp_path / "cell.png").exists()


def test_available_tells_what_there_is(nothing):
    assert viz.available() == {"svg": "built in", "dot": None, "pygraphviz": None}


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
)
def test_pygraphviz_draws_where_there_is_no_dot(monkeypatch, suffix, start):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", "")
    source = viz.draw(rnn.LSTMCell(3, 5)).source
    assert render.render(source, suffix).startswith(start)


def test_a_package_that_does_not_load_is_no_renderer(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(render, "_package", lambda name: "9")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(viz.RendererMissing):
        render.render("digraph {}", "png")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "a.svg"
    file.write_text("old")
    monkeypatch.setattr(os, "replace", _refuse)
    with pytest.raises(OSError, match="cannot write"):
        render.write(str(file), b"new")
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


def _refuse(*args):
    raise OSError(28, "No space left on device")
