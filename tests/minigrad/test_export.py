"""What is exported runs without us, and gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jax import export as jax_export

import minigrad as mg
import rnn
from minigrad.tree import flatten


def assert_close(found: Any, wanted: Any) -> None:
    for x, y in zip(flatten(found)[0], flatten(wanted)[0], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-6)


def test_an_lstm_comes_back_from_stablehlo(tmp_path: Path):
    cell = rnn.LSTMCell(3, 4)
    p, xs = cell.init(0, np.float32), np.ones((5, 2, 3), np.float32)
    path = tmp_path / "lstm.stablehlo"
    mg.export(lambda p, xs: rnn.run(cell, p, xs), path, p, xs)
    back = jax_export.deserialize(bytearray(path.read_bytes()))
    assert_close(back.call(*flatten((p, xs))[0]), rnn.run(cell, p, xs))


def test_an_ending_that_says_nothing_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"'.*model\.pt' ends neither in \.stablehlo nor in"):
        mg.export(mg.tanh, tmp_path / "model.pt", np.ones(2))
