"""`minigrad draw`: cells of one's own, and every option that `viz.draw` has."""

import inspect
import sys

import pytest

import viz
from viz.cli import main, parser

MINE = """
from dataclasses import dataclass
import minigrad as mg, numpy as np, rnn

@dataclass(frozen=True)
class Own(rnn.Cell):
    inputs: int
    hidden: int
    state = ("h",)
    def parameters(self):
        return {"W_xh": rnn.glorot(self.inputs, self.hidden), "b": rnn.constant(0.0, self.hidden)}
    def step(self, p, x, h):
        h = mg.named("h", mg.tanh(x @ p.W_xh + 0.5 * h + p.b))
        return h, h

def f(x):
    return mg.sum(mg.tanh(x))

def without(x):
    return x

f.example_inputs = (np.ones(3),)
tensor = mg.named("y", mg.Tensor(1.0, name="x") * 2.0)
folded = Own(2, 3).folded()
seven = 7
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.delitem(sys.modules, "mine", raising=False)  # that of another test
    return tmp_path


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("mine.py:Own", "folded and unfolded"),
        ("mine:Own --view folded --level gate", "Own, one step"),
        ("mine.py:folded --view folded", "folded"),
        ("mine.py:f", "tanh"),
        ("mine.py:tensor --values", ">y<"),
        ("mine.py:Own --gradients --steps 2", "‖grad‖"),
        ("mine.py:Own --backward --level gate", "∂"),
        ("mine.py:Own --on-edges --around", ">xh<"),
        ("mine.py:Own --title Meins --style dark", "Meins"),
        ("--cell lstm --view schedule --backward", "sums over all steps"),
        ("--cell gru --view block", "candidate"),
    ],
)
def test_what_is_named_is_drawn(mine, call, told, capsys):
    assert main(["draw", *call.split(), "-o", "a.svg"]) == 0
    assert told in (mine / "a.svg").read_text("utf-8")
    assert capsys.readouterr().out == "a.svg\n"


def test_without_a_file_the_picture_has_the_name_of_the_thing(mine):
    assert main(["draw", "mine.py:Own"]) == 0
    assert (mine / "Own.svg").exists()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("draw mine.py", "draw: 'mine.py' names no one thing; write pkg.module:name"),
        ("draw mine.py:nobody", "draw: mine.py has no nobody"),
        ("draw mine.py:seven", "draw: mine.py:seven is 7, neither a function nor a cell"),
        ("draw mine.py:without", "draw: mine.py:without is no cell, graph or tensor; a function"),
        ("draw none.py:Own", "draw: there is no file none.py"),
        ("draw mine.py:Own --width 1cm", "draw: at 1cm the text"),
        ("draw mine.py:Own --style none.toml", "style: cannot read 'none.toml'"),
        ("draw --dpi 1 -o a.png", "save: dpi must be a number from 10 to 2400, got 1.0"),
        ("explain mine.py:f", "explain takes a cell, got <function f"),
        ("explain mine.py:nobody", "explain: mine.py has no nobody"),
    ],
)
def test_a_mistake_is_told_in_one_line(mine, call, told, capsys):
    assert main(call.split()) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"minigrad: {told}")
    assert shown.err.count("\n") == 1


def test_explain_takes_a_cell_of_ones_own(mine, capsys):
    assert main(["explain", "mine.py:Own"]) == 0
    assert "loop over t = 1 … T" in capsys.readouterr().out


def test_the_command_has_every_option_of_draw():
    options = vars(parser().parse_args(["draw"])).keys()
    asked = inspect.signature(viz.draw).parameters.keys()
    assert asked - options == {"obj", "marked"}  # nodes are numbered in Python
