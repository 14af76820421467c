"""PNG, PDF and EPS are the SVG, place by place."""

import re
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import rnn
import viz
from viz.output import typst


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


@pytest.mark.parametrize("dpi", [72, 110, 144, 155, 200])
@pytest.mark.parametrize("size", [(143.3, 97.7), (480.4, 818.6)])
def test_no_row_or_column_of_pixels_is_left_out(size, dpi, tmp_path):
    """A slanted edge moves on by as much from row to row, and from column to column."""
    pytest.importorskip("typst")
    image = pytest.importorskip("PIL.Image")
    wide, high = size
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}pt" height="{high}pt" '
    shape = f'<path d="M0,0H{wide}L0,{high}Z"/>'
    data = typst.from_svg(f'{head}viewBox="0 0 {wide} {high}">{shape}</svg>', "png", dpi)
    (tmp_path / "a.png").write_bytes(data)
    with image.open(tmp_path / "a.png") as found:
        ink = np.asarray(found.convert("RGBA"), float)[:, :, 3] / 255
    for edge in (ink.sum(0), ink.sum(1)):
        steps = -np.diff(edge)[1:-1]
        assert steps.max() < 1.5 * steps.mean()


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
        (tmp_path / "a.png").write_bytes(typst.from_svg(f"{head}{text}</svg>", "png", 144))
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
    monkeypatch.setattr(typst, "_CONVERTERS", {program: typst._CONVERTERS[program]})
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
    monkeypatch.setattr(typst, "_CONVERTERS", {})
    with pytest.raises(viz.RendererMissing, match=r"pdftops or gs .*as in LaTeX, save \.pdf"):
        viz.draw(rnn.Dense(2, 2)).save(tmp_path / "a.eps")
    assert (tmp_path / "a.svg").exists()
    assert not (tmp_path / "a.eps").exists()


def test_a_converter_that_fails_says_why(monkeypatch, tmp_path):
    pytest.importorskip("typst")
    if not shutil.which("pdftops"):
        pytest.skip("pdftops is missing")
    monkeypatch.setattr(typst, "_CONVERTERS", {"pdftops": ["-eps", "b.pdf", "a.eps"]})
    with pytest.raises(RuntimeError, match=r"pdftops failed: .*b\.pdf"):
        viz.draw(rnn.Dense(2, 2)).save(tmp_path / "a.eps")
