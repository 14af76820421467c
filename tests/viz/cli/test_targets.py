"""A target names a thing, whatever else has its name, and says what is wrong with it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from viz.cli.targets import named, resolve

SOURCE = """
import numpy as np, minigrad as mg, rnn
cell = rnn.GRUCell(2, 3)
def f(x):
    return mg.sum(mg.tanh(x))
f.example_inputs = (np.ones(3),)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "random.py"
    path.write_text(SOURCE)
    return path


def test_a_file_may_have_the_name_of_a_module_that_others_import(file: Path) -> None:
    found = [name for name, _ in resolve("check", str(file))]
    assert found == [f"{file}:cell", f"{file}:f"]
    assert sys.modules["random"] is random
    path = file.rename(file.with_name("a_file_of_mine.py"))
    assert named("check", f"{path}:cell") == named("check", f"{path}:cell")
    assert [x for x in sys.modules if "a_file_of_mine" in x] == ["a_file_of_mine"]


def test_a_cell_whose_step_fails_is_told_in_a_line(file: Path) -> None:
    wrong = "class Wrong(rnn.RNNCell):\n    def step(self, p, x, h):\n        raise KeyError('W')\n"
    file.write_text(f"import rnn\n{wrong}")
    with pytest.raises(ValueError, match=r"^draw: .*random\.py:Wrong: KeyError: 'W'$"):
        named("draw", f"{file}:Wrong")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (":f", "':f' names no module"),
        ("rnn.cells:Nothing", "rnn.cells has no Nothing"),
        ("rnn.nowhere", "rnn.nowhere cannot be loaded: ModuleNotFoundError"),
        (".cells:f", r"\.cells cannot be loaded: ImportError"),
        ("nowhere.py:f", "there is no file nowhere.py"),
    ],
)
def test_a_target_that_names_nothing_is_told(target: str, said: str) -> None:
    with pytest.raises((OSError, ValueError), match=f"^study: {said}"):
        list(resolve("study", target))
