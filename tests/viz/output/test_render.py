import os
import re
import struct
import sys
from pathlib import Path

import pytest

import rnn
import viz
from minigrad.extras import installing
from viz.output import render


@pytest.fixture
def nothing(monkeypatch):
    """Neither Typst nor a `dot` program nor pygraphviz."""
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
    wanted = {"svg": "built in", "typst": None, "dot": None, "pygraphviz": None}
    assert viz.available() == wanted


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


def test_png_and_pdf_are_the_svg_and_need_no_graphviz(monkeypatch, tmp_path):
    """The page is as large as the SVG, pixels are as many as asked for, a clear ground is clear."""
    pytest.importorskip("typst")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    drawing = viz.draw(rnn.LSTMCell(3, 5), style="transparent")
    wide = float(re.search(r'width="([\d.]+)pt"', drawing.svg())[1])
    for dpi in (72, 150):
        data = Path(drawing.save(tmp_path / "a.png", dpi=dpi)).read_bytes()
        pixels, _, _, colours = struct.unpack(">IIBB", data[16:26])
        assert abs(pixels - wide * dpi / 72) <= 2
        assert colours == 6  # with an alpha channel
    drawing.save(tmp_path / "a.pdf")
    first = (tmp_path / "a.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    assert Path(drawing.save(tmp_path / "a.pdf")).read_bytes() == first


def test_eps_has_all_letters(tmp_path):
    pytest.importorskip("pygraphviz")
    drawing = viz.draw(rnn.LSTMCell(3, 5))
    data = Path(drawing.save(tmp_path / "a.eps")).read_bytes()
    assert data.startswith(b"%!PS-Adobe-3.0 EPSF")
    assert b"cairo" in data[:200]


@pytest.mark.parametrize("dpi", [0, -1, True, "96", float("nan"), 1e9])
def test_a_resolution_that_cannot_be_is_told(dpi, tmp_path):
    with pytest.raises(ValueError, match="dpi must be a number from 10 to 2400"):
        viz.draw(rnn.Dense(2, 2)).save(tmp_path / "a.png", dpi=dpi)


def test_a_width_at_which_nobody_reads_is_refused():
    drawing = viz.draw(rnn.RNNCell(3, 5, 2), steps="t")
    with pytest.raises(ValueError, match=r"at 3cm the text .* would be .* from [\d.]+ cm on it is"):
        drawing.sized("3cm")
    least = re.search(r"from (\d+\.\d) cm", str(told_by(lambda: drawing.sized("3cm"))))[1]
    assert f'width="{float(least) / 2.54 * 72:.2f}'.rstrip("0") in drawing.sized(f"{least}cm").svg()
    for width in ("", "wide", "0cm", "-3cm", "8 parsec", 8):
        with pytest.raises(ValueError, match="a width is '8cm'"):
            drawing.sized(width)


def told_by(call):
    with pytest.raises(ValueError) as told:  # noqa: PT011  # its text is what is wanted
        call()
    return told.value
