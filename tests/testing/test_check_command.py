"""`minigrad check`: what it checks, what it prints, and its exit code."""

import base64
import re
from html import escape

import pytest

from minigrad.testing.faults import FAULTS
from viz.cli import main

MINE = """
import numpy as np
import minigrad as mg
import rnn
from minigrad.core.kinds import elementwise

@elementwise(lambda y, x: 3.0 * x)
def cube_{n}(x, out=None):
    return x * x * x

def good(x):
    return mg.sin(x)

def bad(x):
    return cube_{n}(mg.sin(x) + 1.0)

good.example_inputs = bad.example_inputs = (np.array([0.5, 1.5]),)
cell = rnn.GRUCell(2, 2)
"""


@pytest.fixture
def mine(tmp_path):
    import minigrad as mg

    before = dict(mg.PRIMITIVES)
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(n="here"))
    yield path
    mg.PRIMITIVES.clear()
    mg.PRIMITIVES.update(before)


def test_a_function_and_a_cell_that_are_right_exit_with_0(mine, capsys):
    assert main(["check", f"{mine}:good", f"{mine}:cell", "--draws", "1"]) == 0
    told = capsys.readouterr().out
    assert "<GradientCheck ok" in told
    assert "holds   split and continue" in told


def test_a_wrong_primitive_exits_with_1_and_is_named(mine, capsys):
    assert main(["check", f"{mine}:bad"]) == 1
    told = capsys.readouterr().out
    assert "first wrong primitive: cube_here" in told


def test_the_page_has_the_report_of_the_terminal_and_the_graph_at_fault(mine, capsys):
    file = mine.parent / "report.html"
    targets = [f"{mine}:{name}" for name in ("bad", "good", "cell")]
    assert main(["check", *targets, "--draws", "1", "--html", str(file)]) == 1
    page, told = file.read_text(), capsys.readouterr().out
    for line in told.splitlines():
        if not line.startswith(("page:", str(mine.parent))):
            assert escape(line) in page
    (picture,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert "its own rule disagrees" in base64.b64decode(picture).decode()
    assert "1 of 3 wrong" in page
    assert not re.search(r'(src|href)="(?!data:)|<script', page)


def test_what_cannot_be_judged_is_not_called_right(mine, capsys):
    file = mine.parent / "report.html"
    mine.write_text(mine.read_text() + "example_inputs = (np.array([0.0, 4.0]),)\n"
                    "def root(x):\n    return mg.sqrt(x)\n")  # fmt: skip
    assert main(["check", f"{mine}:root", "--html", str(file)]) == 0
    assert "cannot be judged: x[0] has no finite slope" in capsys.readouterr().out
    assert "root: cannot be judged</h2>" in file.read_text()
    assert "1 of 1 cannot be judged: " in file.read_text()


def test_a_broken_law_of_gradients_is_drawn_too(tmp_path, capsys):
    file = tmp_path / "report.html"
    with FAULTS["tanh slope (1 - y)²"].planted():
        into = ["--html", str(file), "--artifacts", str(tmp_path / "out")]
        assert main(["check", "rnn:RNNCell", "--draws", "1", *into]) == 1
    assert (tmp_path / "out" / "tanh.json").is_file()
    assert "gradient: the graph that was checked; tanh is at fault" in file.read_text()
    assert "first wrong primitive: tanh (RNNCell.h at t = 1)" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "code"), [("bad", 1), ("good", 2)])
def test_a_page_that_cannot_be_written_loses_no_report_and_no_failure(mine, name, code, capsys):
    assert main(["check", f"{mine}:{name}", "--html", str(mine / "no" / "report.html")]) == code
    told = capsys.readouterr()
    assert f"mine.py:{name}: " in told.out
    assert "cannot write" in told.err


def test_a_folder_is_searched_for_what_can_be_checked(mine, capsys):
    assert main(["check", str(mine.parent), "--draws", "1"]) == 1
    told = capsys.readouterr().out
    assert all(f"mine.py:{name}" in told for name in ("good", "bad", "cell"))


def test_what_raises_is_a_finding_and_the_rest_is_checked(mine, capsys):
    mine.write_text(mine.read_text() + "def worst(x):\n    return 1 / 0\n"
                    "worst.example_inputs = (1.0,)\nlast = rnn.GRUCell(2, 2)\n")  # fmt: skip
    assert main(["check", str(mine), "--draws", "1"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"worst: could not be checked: ZeroDivisionError: .*mine.py:\d+\)", told)
    assert "mine.py:last" in told


def test_cells_of_the_library_are_found_by_their_class(capsys):
    assert main(["check", "rnn:GRUCell", "--draws", "1"]) == 0
    assert "GRUCell(inputs=3, hidden=3" in capsys.readouterr().out


def test_faults_are_planted_by_part_of_their_name(capsys):
    assert main(["check", "--faults", "tanh slope"]) == 0
    told = capsys.readouterr().out
    assert "tanh slope (1 - y)²" in told
    assert "primitives: jvp" in told
    assert "4 faults, 0 missed" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check"], "name a function or cell"),
        (["check", "rnn:GRUCell", "--draws", "0"], "--draws must be a whole number from 1 to"),
        (["check", "rnn:Nobody"], "rnn has no Nobody"),
        (["check", "minigrad:tanh"], "needs inputs to be checked on"),
        (["check", "nowhere.py:f"], "there is no file nowhere.py"),
        (["check", __file__ + "x/broken.py"], "there is no file"),
        (["check", "--faults", "no such"], "no fault is called 'no such'"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, told, capsys):
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_cannot_be_loaded_is_told(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("x = nobody")
    assert main(["check", str(tmp_path)]) == 2
    assert "broken.py cannot be loaded: NameError: name 'nobody'" in capsys.readouterr().err
