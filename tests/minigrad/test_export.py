"""What is exported runs without us, and gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
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


def test_what_is_no_function_is_refused(tmp_path: Path):
    with pytest.raises(TypeError, match="export takes a function, got 3"):
        mg.export(3, tmp_path / "x.onnx")  # type: ignore[arg-type]  # a mistake


def test_an_ending_that_says_nothing_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"'.*model\.pt' ends neither in \.stablehlo nor in"):
        mg.export(mg.tanh, tmp_path / "model.pt", np.ones(2))


class Attention(rnn.Cell):
    """A stranger's cell: it attends to the memory of its last three states."""

    inputs, hidden, width = 3, 4, 4
    state = {"h": (1, 2, 3)}

    def parameters(self) -> dict[str, Any]:
        names = {"W_q": (3, 4), "W_k": (4, 4), "W_v": (4, 4), "W_x": (3, 4)}
        return {name: rnn.glorot(*shape) for name, shape in names.items()}

    def step(self, p: Any, x: Any, *memory: Any) -> Any:
        query = mg.expand_dims(x @ p["W_q"], -2)
        past = mg.stack(list(memory), axis=-2)
        scores = mg.sum(query * (past @ p["W_k"]), axis=-1) / 2.0
        read = mg.sum(mg.expand_dims(mg.softmax(scores), -1) * (past @ p["W_v"]), axis=-2)
        h = mg.named("h", mg.tanh(x @ p["W_x"] + read))
        return h, h


def test_a_strangers_attention_cell_runs_in_onnxruntime(tmp_path: Path):
    cell, rng = Attention(), np.random.default_rng(0)
    p, xs = cell.init(0, np.float32), rng.normal(size=(9, 2, 3)).astype(np.float32)
    path = tmp_path / "attention.onnx"
    mg.export(lambda p, xs: rnn.run(cell, p, xs), path, p, xs)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [x.name for x in session.get_inputs()]
    assert names[:2] == ["argument[0].W_q", "argument[0].W_k"]
    found = session.run(None, dict(zip(names, flatten((p, xs))[0], strict=True)))
    assert_close(found, rnn.run(cell, p, xs))
