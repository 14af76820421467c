import os
import re
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize("dpi", [72, 144, 155])
def test_no_pixel_of_a_ground_is_seen_through(dpi, tmp_path):
    """On a dark ground half a pixel was a light line at the edge."""
    pytest.importorskip("typst")
    image = pytest.importorskip("PIL.Image")
    for cell, view in ((rnn.LSTMCell(3, 5), "unfolded"), (rnn.RNNCell(3, 5, 2), "folded")):
        drawing = viz.draw(cell, view, style="dark")
        with image.open(drawing.save(tmp_path / "a.png", dpi=dpi)) as found:
            assert found.convert("RGBA").getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("before", ["", "tanh"])
def test_a_mark_stands_above_a_tall_letter(before, tmp_path):
    """In Typst's own letters a tilde goes through the h, which is then read as Planck's."""
    pytest.importorskip("typst")
    image = pytest.importorskip("PIL.Image")
    tops = []
    for letter in ("h", "h\u0303"):
        slanted = f'<tspan font-family="Times" font-style="italic">{letter}</tspan>'
        text = f'<text x="9" y="50" font-size="40"><tspan>{before}</tspan>{slanted}</text>'
        head = '<svg xmlns="http://www.w3.org/2000/svg" width="144pt" height="72pt">'
        (tmp_path / "a.png").write_bytes(render.from_svg(f"{head}{text}</svg>", "png", 144))
        with image.open(tmp_path / "a.png") as found:
            tops.append(found.convert("RGBA").getchannel("A").getbbox()[1])
    assert tops[1] < tops[0] - 6


@pytest.mark.parametrize("program", ["pdftops", "gs"])
def test_eps_is_the_picture_of_the_svg(program, monkeypatch, tmp_path):
    """Drawn by Ghostscript, which knows nothing of ours, it is the PNG; mirrored it is not."""
    pytest.importorskip("typst")
    image = pytest.importorskip("PIL.Image")
    if not (shutil.which(program) and shutil.which("gs")):
        pytest.skip(f"{program} or gs is missing")
    monkeypatch.setattr(render, "_CONVERTERS", {program: render._CONVERTERS[program]})
    drawing = viz.draw(rnn.LSTMCell(3, 5), on_edges=True)
    data = Path(drawing.save(tmp_path / "a.eps")).read_bytes()
    assert data.startswith(b"%!PS-Adobe-3.0 EPSF")
    seen = []
    drawing.save(tmp_path / "a.png", dpi=288)
    for name, options in (("a.eps", {"scale": 4}), ("a.png", {})):
        with image.open(tmp_path / name) as found:
            found.load(**options)
            small = found.convert("L").resize((160, 80), image.Resampling.BOX)
            seen.append(np.asarray(small, float))
    eps, png = seen
    assert np.abs(eps - png).mean() < np.abs(eps - png[:, ::-1]).mean() / 4


def test_eps_without_a_converter_is_refused_and_the_pdf_is_named(monkeypatch, tmp_path):
    pytest.importorskip("typst")
    monkeypatch.setattr(render, "_CONVERTERS", {})
    with pytest.raises(viz.RendererMissing, match=r"pdftops or gs .*as in LaTeX, save \.pdf"):
        viz.draw(rnn.Dense(2, 2)).save(tmp_path / "a.eps")
    assert (tmp_path / "a.svg").exists()
    assert not (tmp_path / "a.eps").exists()


def test_a_converter_that_fails_says_why(monkeypatch, tmp_path):
    pytest.importorskip("typst")
    if not shutil.which("pdftops"):
        pytest.skip("pdftops is missing")
    monkeypatch.setattr(render, "_CONVERTERS", {"pdftops": ["-eps", "b.pdf", "a.eps"]})
    with pytest.raises(RuntimeError, match=r"pdftops failed: .*b\.pdf"):
        viz.draw(rnn.Dense(2, 2)).save(tmp_path / "a.eps")


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
