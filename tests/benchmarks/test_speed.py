"""Times of the things users wait for: `make bench`. Nothing here is asserted about time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn

T, B, H, X = 2000, 4, 16, 3


@pytest.fixture
def weights() -> dict[str, mg.Tensor]:
    rng = np.random.default_rng(0)
    shapes = {"W_xh": (X, H), "W_hh": (H, H), "b_h": (H,)}
    return {name: mg.Tensor(0.2 * rng.normal(size=s), name) for name, s in shapes.items()}


def test_eager_rnn_of_2000_steps_forward_and_backward(benchmark: Any, weights: Any) -> None:
    """The unrolled tanh RNN, a Python loop over operations: µs a step is the time / 2000."""
    xs = np.random.default_rng(1).normal(size=(T, B, X))
    W_xh, W_hh, b_h = weights.values()

    def step() -> mg.Tensor:
        h: Any = np.zeros((B, H))
        for x in xs:
            h = mg.tanh(x @ W_xh + h @ W_hh + b_h)
        loss = mg.sum(h * h)
        for tensor in weights.values():
            tensor.grad = None
        loss.backward()
        return loss

    assert np.isfinite(benchmark(step).item())
    assert all(np.isfinite(tensor.grad).all() for tensor in weights.values())


@pytest.mark.parametrize("unfolded", [False, True], ids=["scan", "unfolded"])
@pytest.mark.parametrize(
    "cell", [rnn.RNNCell(64, 128), rnn.LSTMCell(64, 128), rnn.GRUCell(64, 128)]
)
def test_gradient_of_a_cell_over_50_steps(benchmark: Any, cell: rnn.Cell, unfolded: bool) -> None:
    xs = np.random.default_rng(0).normal(size=(50, 32, 64))
    params = cell.init(0)
    step = mg.grad(lambda p: mg.sum(rnn.run(cell, p, xs, unfolded=unfolded)[0]))
    assert sorted(benchmark(step, params)) == sorted(params)


def test_compiled_training_step_of_an_lstm(benchmark: Any) -> None:
    cell = rnn.LSTMCell(64, 128)
    xs = np.random.default_rng(0).normal(size=(50, 32, 64)).astype(np.float32)
    params = cell.init(0, np.float32)
    step = mg.compile(mg.value_and_grad(lambda p, xs: mg.sum(rnn.run(cell, p, xs)[0])))
    loss, _ = benchmark(step, params, xs)
    assert np.isfinite(loss)


def test_first_answer_of_a_new_cell(benchmark: Any) -> None:
    """Tracing, differentiating and compiling an LSTM that was never seen, T = 1000."""
    xs = np.random.default_rng(0).normal(size=(1000, 4, 8))
    sizes = iter(range(8, 10_000))

    def first() -> Any:
        cell = rnn.LSTMCell(8, 8, forget_bias=1.0 + next(sizes))
        return mg.grad(lambda p: mg.sum(rnn.run(cell, p, xs)[0]))(cell.init(0))

    assert "W_xf" in benchmark(first)


def test_folding_a_trace_of_10000_nodes(benchmark: Any) -> None:
    cell = rnn.LSTMCell(2, 2)
    graph = mg.unfold(cell.folded(1), 400)
    assert len(benchmark(mg.fold, graph).recurrences) == 2
