"""`minigrad train --task`: what it says and leaves, how it goes on, and what it refuses."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn
from rnn.exercises import EXERCISES, Exercise
from rnn.history import History
from viz.cli import main, tasks
from viz.cli.training import WEIGHTS

CALL = ["train", "--task", "parity", "--hidden", "4"]

OWN = """
from dataclasses import dataclass
import minigrad as mg, rnn

@dataclass(frozen=True)
class Plain(rnn.Cell):
    inputs: int
    hidden: int
    state = ("h",)
    def parameters(self):
        return {"W": rnn.glorot(self.inputs + self.hidden, self.hidden)}
    def step(self, p, x, h):
        h = mg.named("h", mg.tanh(mg.concatenate([x, h], axis=-1) @ p.W))
        return h, h

def fails(inputs, hidden):
    raise RuntimeError("not today")
"""


def test_alone_it_lists_every_task_and_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--task"]) == 0
    _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == list(EXERCISES)
    for row, exercise in zip(rows, EXERCISES.values(), strict=True):
        assert exercise.pattern in row
        assert row.endswith(exercise.shows)


def test_a_task_is_trained_shown_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ahead of its baseline is exit code 0, behind it 1."""
    out = tmp_path / "new" / "run"
    assert main([*CALL, "--steps", "300", "--hidden", "16", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    for words in ("a coin", "said ", f"saved in {out / WEIGHTS}", "is ahead of its baselines"):
        assert words in told
    assert "<svg" in (out / tasks.HISTORY).read_text("utf-8")
    assert main(["train", "--task", "copy", "--steps", "1", "--out", str(tmp_path)]) == 1
    assert "copy: the network is not ahead of its baselines" in capsys.readouterr().out


def test_a_resumed_task_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    main([*CALL, "--out", str(whole), "--steps", "5", "--seed", "3", "--lr", "0.02"])
    main([*CALL, "--out", str(parts), "--steps", "2", "--seed", "3", "--lr", "0.02"])
    main(["train", "--task", "parity", "--out", str(parts), "--steps", "5", "--resume"])
    wanted, found = (rnn.Fit.load(folder / WEIGHTS).params.named() for folder in (whole, parts))
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_a_task_is_trained_by_any_engine_and_gone_on_with(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--out", str(tmp_path), "--engine", engine]
    assert main([*CALL, *run, "--steps", "2"]) in (0, 1)
    assert main([*CALL, *run, "--steps", "4", "--resume"]) in (0, 1)
    exercise = EXERCISES["parity"]
    wanted = rnn.exercises.train(exercise, exercise.lesson(), 4, hidden=4).history.loss
    found = rnn.Fit.load(tmp_path / WEIGHTS).history.loss
    np.testing.assert_allclose(found, wanted, rtol=0 if engine == "numpy" else 1e-4)
    told = capsys.readouterr().out
    assert f"step 4 of 4, saved in {tmp_path / WEIGHTS}" in told
    assert "a coin" in told


def test_a_cell_of_ones_own_is_trained_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(OWN, "utf-8")
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    for options in (["--layers", "2"], ["--resume"]):
        steps = ["--steps", str(3 + len(options))]
        assert main([*CALL, "--cell", "mine.py:Plain", *steps, *options]) in (0, 1)
    fitted = rnn.Fit.load(Path("run") / WEIGHTS)
    assert [type(layer).__name__ for layer in fitted.cell.layers] == ["Plain", "Plain", "Dense"]


def test_a_text_is_learnt_by_a_cell_of_ones_own_gone_on_with_and_sampled_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own_cell.py").write_text(OWN, "utf-8")
    Path("text").write_text("she sells sea shells " * 40, "utf-8")
    call = ["train", "--text", "text", "--batch", "2", "--length", "4", "--cell"]
    assert main([*call, "own_cell.py:Plain", "--steps", "1"]) == 0
    assert main([*call, "own_cell.py:Plain", "--steps", "2", "--resume"]) == 0
    assert main([*call, "gru", "--steps", "3", "--resume"]) == 2
    assert "--cell gru: the run in run/weights.safetensors was begun with Plain" in (
        capsys.readouterr().err
    )
    assert main(["sample", "--cell", "own_cell.py:Plain", "-n", "5", "--start", "she"]) == 0
    assert capsys.readouterr().out.startswith("she")


def test_a_fit_that_was_begun_elsewhere_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*CALL, "--steps", "1", "--out", str(tmp_path)])
    fitted = rnn.Fit.load(tmp_path / WEIGHTS)
    replace(fitted, about={"task": "parity"}).save(tmp_path / WEIGHTS)
    capsys.readouterr()
    assert main([*CALL, "--resume", "--out", str(tmp_path)]) == 2
    assert "was not begun by this command" in capsys.readouterr().err


def test_ctrl_c_saves_and_exits_with_130(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import signal

    monkeypatch.setattr(tasks, "tell", lambda fitted: signal.raise_signal(signal.SIGINT))
    assert main([*CALL, "--out", str(tmp_path)]) == 130
    assert "step 150 of 1500, saved in" in capsys.readouterr().out
    assert rnn.Fit.load(tmp_path / WEIGHTS).step == 150


def test_without_matplotlib_the_history_is_not_drawn_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tasks, "find_spec", lambda name: None)
    main([*CALL, "--out", str(tmp_path), "--steps", "1"])
    assert "a picture of the history needs matplotlib: pip install" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS]


MISTAKES = {
    "--task chess": "train: there is no task 'chess'; there are digits,",
    "--task parity --batch 3": "train: --batch is of a text; the task parity has its own",
    "--task parity --steps -1": "train: steps must be a whole number ≥ 1, got -1",
    "--task parity --layers 0": "train: layers must be a whole number ≥ 1, got 0",
    "--task parity --engine jax --dtype float64": "train: JAX has single precision only, unless",
    "--task parity --resume": "there is no weights file 'run/weights.safetensors'",
    "--task parity --cell nowhere:Plain": "train: nowhere cannot be loaded: ModuleNotFoundError",
    "--task parity --cell rnn:nobody": "train: rnn has no nobody",
    "--task parity --cell rnn:run": "train: rnn:run(3, 4) makes no cell: run",
    "--task parity --cell rnn:orthogonal": "train: rnn:orthogonal(3, 4) makes no cell: it is Init",
    "--task parity --cell own.py:fails": "train: own.py:fails(3, 4) makes no cell: not today",
    "--cell rnn:nobody": "train: rnn has no nobody",
    "--task adding --out parity --resume": "train: the run in parity/weights.safetensors is of",
    "--task parity --out parity": "parity/weights.safetensors holds a run; --resume goes on",
    "--task parity --out parity --resume --seed 4": "--seed 4: the run in parity/weights",
    "--out parity --resume": "'parity/weights.safetensors' holds weights, but no training run",
}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN, "utf-8")
    main([*CALL, "--steps", "1", "--out", "parity"])


@pytest.mark.usefixtures("places")
def test_mistakes_are_told_in_one_line_and_leave_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = (Path("parity") / WEIGHTS).read_bytes()
    for call, told in MISTAKES.items():
        capsys.readouterr()
        assert main(["train", *call.split()]) == 2, call
        caught: Any = capsys.readouterr()
        assert caught.out == ""
        assert caught.err.startswith(f"minigrad: {told}")
        assert caught.err.count("\n") == 1
    assert (Path("parity") / WEIGHTS).read_bytes() == before
    assert {path.name for path in Path().iterdir()} == {"parity", "own.py"}


def test_the_picture_has_the_losses_above_and_what_is_to_be_beaten_below() -> None:
    history = History().stepped(2.0, 1.0).stepped(1.0, 1.0).found({"error": 0.5, "more": 0.1})
    exercise = Exercise("", "", EXERCISES["adding"].lesson, higher=False)
    above, below = tasks.drawn(history, exercise, {"a": {"error": 3.0}, "b": {"error": 2.0}}).axes
    (losses,) = above.lines
    assert losses.get_ydata().tolist() == [2.0, 1.0]
    error, beaten, more = below.lines
    assert (error.get_xdata(), error.get_ydata(), more.get_ydata()) == ([2], [0.5], [0.1])
    assert beaten.get_ydata() == [2.0, 2.0]
    assert beaten.get_color() == error.get_color() != more.get_color()
    (highest,) = tasks.drawn(
        history, replace(exercise, higher=True), {"a": {"more": 3.0}, "b": {"more": 2.0}}
    ).axes[1].lines[2:]
    assert highest.get_ydata() == [3.0, 3.0]
