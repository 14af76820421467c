"""`minigrad train --task`: a run of a task, by any engine, gone on with, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rnn
from rnn.exercises import EXERCISES
from viz.cli import main
from viz.cli.training import WEIGHTS


def go(folder: Path, *options: str) -> int:
    return main(["train", "--task", "parity", "--hidden", "3", "--out", str(folder), *options])


@pytest.mark.parametrize("engine", ["numpy", "jax"])
def test_a_task_is_trained_by_any_engine_and_gone_on_with(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go(tmp_path, "--steps", "2", "--engine", engine) in (0, 1)
    again = ["train", "--task", "parity", "--out", str(tmp_path), "--resume", "--steps", "4"]
    assert main([*again, "--engine", engine]) in (0, 1)
    exercise = EXERCISES["parity"]
    wanted = rnn.exercises.train(exercise, exercise.lesson(), 4, hidden=3).history.loss
    found = rnn.Fit.load(tmp_path / WEIGHTS).history.loss
    np.testing.assert_allclose(found, wanted, rtol=0 if engine == "numpy" else 1e-4)
    told = capsys.readouterr().out
    assert f"step 4 of 4, saved in {tmp_path / WEIGHTS}" in told
    assert "a coin" in told


def test_without_a_name_the_tasks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--task"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n{name} " in told for name in EXERCISES)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--batch", "3"], "train: --batch is of a text; the task parity has its own"),
        (["--steps", "0"], "train: steps must be a whole number ≥ 1, got 0"),
        (["--resume"], "there is no weights file"),
        (["--engine", "jax", "--dtype", "float64"], "train: JAX has single precision only, unless"),
    ],
)
def test_what_a_task_has_no_use_for_is_told_in_one_line_and_nothing_is_left(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go(tmp_path / "run", *options) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"minigrad: {told}")
    assert errors.count("\n") == 1
    assert not (tmp_path / "run").exists()
