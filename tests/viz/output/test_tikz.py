"""TikZ holds every shape, edge and text of the scene, and pdflatex sets it."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings

import rnn
import viz
from tests.viz.hostile import HOSTILE, PIECES, everywhere
from viz.figures.gallery import gallery
from viz.output.tex import tex
from viz.scene.label import symbol, words

COMMANDS = """
    begin end definecolor path draw fill node fontsize selectfont sffamily bfseries mathit
    mathrm mbox texttt enspace top partial sigma Sigma Pi mu odot times div pm cdot dots
    cdots rightarrow leftarrow surd ge le ne wedge neg Vert vert hat backslash sim alpha
    beta gamma delta varepsilon theta lambda varphi omega eta tau rho pi psi tilde bar acute
    grave ddot check dot
"""
KNOWN = {f"\\{name}" for name in COMMANDS.split()}
"""Commands of plain LaTeX and TikZ: `test_pdflatex_sets_every_figure` tries them all."""


def broken(source):
    """What plain LaTeX would stumble over: brackets, letters and commands that it does not know."""
    source = re.sub("^%.*", "", source)  # the title
    left = re.sub(r"\\[{}$]", "", source)
    found = [f"{a}{b}" for a, b in ("{}",) if left.count(a) != left.count(b)]
    found += sorted({c for c in source if c > "\u017f" or "\x7f" <= c <= "\xa0"})
    found += sorted(set(re.findall(r"\\[a-zA-Z]+", source.replace("\\\\", ""))) - KNOWN)
    return found + (["$"] if left.count("$") % 2 else [])


def test_every_shape_edge_and_text_is_there(cell):
    for drawing in (viz.draw(cell), viz.draw(cell, "folded", level="gate")):
        source, scene = drawing.tikz, drawing.scene
        lines = sum(len(s.lines) for s in scene.shapes.values())
        assert source.count(r"\node[") == lines + len(scene.texts)
        assert source.count(r"\path[fill") == len(scene.shapes)
        assert source.count(r"\draw[") >= len(scene.wires)
        assert broken(source) == []


@settings(max_examples=min(settings().max_examples, 30))
@given(HOSTILE)
def test_any_text_is_one_that_latex_can_set(text):
    assert broken(everywhere(text).tikz) == []


def test_what_latex_would_stumble_over_is_seen():
    assert broken("a{b") == ["{}"]
    assert broken("∂") == ["∂"]
    assert broken("$x") == ["$"]


def test_labels_in_commands_of_latex():
    assert tex(symbol("W_xh", "t−1")) == "$W_{xh}^{(t-1)}$"
    assert tex(symbol("C̃")) == r"$\tilde{C}$"
    assert tex(words("50 % & more")) == r"50 \% \& more"


def test_a_width_scales_places_and_letters():
    drawing = viz.draw(rnn.RNNCell(3, 5), "folded")
    small = drawing.sized("2.9cm").tikz
    left, _, right, _ = drawing.scene.bounds()
    ratio = 2.9 / 2.54 * 72 / (right - left)
    sizes, whole = ([float(s) for s in re.findall(r",scale=([\d.]+)", tikz)] for tikz in
                    (small, drawing.tikz))  # fmt: skip
    assert sizes == pytest.approx([size * ratio for size in whole], abs=0.001)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex")
@pytest.mark.deep
def test_pdflatex_sets_every_figure(tmp_path):
    pages = []
    for style in ("print", "dark", "grey"):
        for entry in gallery(style=style):
            entry.drawing().save(tmp_path / f"{style}_{entry.name}.tikz")
            pages.append(rf"\noindent\input{{{style}_{entry.name}.tikz}}\newpage")
    for k, piece in enumerate(PIECES):
        (tmp_path / f"p{k}.tikz").write_text(everywhere(piece).tikz, "utf-8")
        pages.append(rf"\noindent\input{{p{k}.tikz}}\newpage")
    paper = r"\usepackage[paperwidth=80cm,paperheight=70cm,margin=1cm]{geometry}"
    source = rf"\documentclass{{article}}\usepackage{{tikz}}{paper}\begin{{document}}"
    whole = "\n".join([source, *pages, r"\end{document}"])
    (tmp_path / "all.tex").write_text(whole, "utf-8")
    call = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
