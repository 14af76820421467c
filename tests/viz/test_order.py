"""`minigrad order` prints and draws; what cannot be is told before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnn.exercises.order import Order
from viz.cli import main
from viz.cli import order as command


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_it_prints_and_draws(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Order(("wheel",), np.array([[0.0, 0.0, 2.0]]), np.array([2.0]), "GRUCell")
    asked: list[object] = []
    monkeypatch.setattr(command, "order", lambda *args: asked.extend(args) or found)
    file = tmp_path / f"order.{suffix}"
    call = ["order", "--cell", "rnn", "--hidden", "3", "--steps", "5", "--seed", "2"]
    assert main([*call, "-o", str(file)]) == 0
    assert asked == ["rnn", 3, 5, 2]
    assert capsys.readouterr().out == f"{found}\n{file}\n"
    assert file.read_bytes()[:8] in (b"\x89PNG\r\n\x1a\n", b"<?xml ve")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("-o order.bmp", "order: 'order.bmp' must end in one of .svg, .png, .pdf"),
        ("--cell rnn:nobody", "train: rnn has no nobody"),
    ],
)
def test_a_mistake_is_told_before_the_work(
    options: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["order", *options.split()]) == 2
    assert capsys.readouterr().err == f"minigrad: {told}\n"
