"""SVG is well-formed whatever things are called, and the same in every process."""

import os
import re
import subprocess
import sys
import xml.dom.minidom
import xml.etree.ElementTree
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
import viz
from tests.viz.hostile import HOSTILE as TEXTS
from tests.viz.hostile import everywhere, shown
from viz.output.svg import FAR, LEAN, _runs
from viz.scene.label import symbol, timed, words
from viz.scene.styles import PRINT

HOSTILE = [
    "<script>alert(1)</script>", "\\N", "\\", "a:b", 'x"y', "a&b", "]]>", "--", "<B>", "\x00\x1b",
    "\ud800", "x" * 20480, "\u202e\u0627", "node", "digraph", "", " ", "{|}", "%s", "\ufffe", "é_ñ",
]  # fmt: skip


def hostile_loss(name):
    w = mg.Tensor([1.0, 2.0], name=name)
    with mg.scope(name, t=1):
        h = mg.named(name, mg.tanh(w * 2.0))
    with mg.scope(name, t=2):
        h = mg.named(name, mg.tanh(h * w))
    return mg.named(name, h.sum())


def check(drawing):
    document = xml.dom.minidom.parseString(drawing.svg().encode())
    tags = {element.tagName for element in document.getElementsByTagName("*")}
    assert tags <= {
        "svg",
        "title",
        "desc",
        "rect",
        "g",
        "path",
        "polygon",
        "circle",
        "text",
        "tspan",
    }
    ids = [e.getAttribute("id") for e in document.getElementsByTagName("g")]
    assert len(ids) == len(set(ids))


@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_hostile_names_are_inert(name):
    loss = hostile_loss(name)
    check(viz.draw(loss, values=True, title=name))
    check(viz.draw(loss, level="gate"))


@given(TEXTS)
def test_any_text_is_read_back_from_the_svg(text):
    drawing = everywhere(text)
    root, scene = xml.etree.ElementTree.fromstring(drawing.svg().encode()), drawing.scene
    assert root.findtext("{*}title") == shown(f"{text} ")
    texts = ["".join(e.itertext()) for e in root.findall("{*}text")]
    assert texts == ["".join(run.text for run in t.label) for t in scene.texts]
    assert shown(f"{text} ") in texts
    for group in root.findall("{*}g"):
        shape = scene.shapes[group.get("id")]
        assert group.findtext("{*}title", "") == shown(shape.title)
        lines = ["".join(e.itertext()) for e in group.findall("{*}text")]
        assert lines == ["".join(run.text for run in line) for line in shape.lines]


def test_every_picture_is_well_formed(pictures):
    for drawing in pictures.values():
        check(drawing)


def test_an_svg_says_what_it_shows():
    text = viz.draw(rnn.RNNCell(3, 5, 2), "folded").svg()
    document = xml.dom.minidom.parseString(text)
    root = document.documentElement
    assert root.getAttribute("role") == "img"
    assert root.getAttribute("viewBox")
    assert "h to h with delay 1" in document.getElementsByTagName("desc")[0].firstChild.data
    assert "h^" not in text
    assert 'dy="' in text


PROGRAM = """
import rnn, viz, hashlib
cell = rnn.Stack([rnn.LSTMCell(3, 4), rnn.Bidirectional(rnn.GRUCell(4, 3))])
for level in ("cell", "gate", "op"):
    for view in ("folded", "unfolded"):
        drawing = viz.draw(cell, view, level=level)
        print(hashlib.sha256((drawing.svg() + drawing.source).encode()).hexdigest())
"""


def test_bytes_are_the_same_in_every_process():
    root = str(Path(viz.__file__).parents[1])
    told = set()
    for seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True
        )
        told.add(done.stdout)
    assert len(told) == 1


def test_a_time_keeps_away_from_a_slanted_letter():
    """Letters lean over what stands above and behind them, an f most; upright ones do not."""
    moved = lambda label: re.findall(r' dx="([\d.]+)"', _runs(PRINT, label, 10.0))
    found = [moved(timed(symbol(name), "t")) for name in ("h", "f", "W_xf")]
    assert found == [[f"{10 * LEAN:g}"], [f"{10 * FAR:g}"], []]
    assert moved(timed(words("h"), "t")) == []
