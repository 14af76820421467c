"""Times of studying a gradient over time: `make bench`. Nothing here is asserted about time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from viz import page

CELL = rnn.LSTMCell(16, 64)
PARAMS = CELL.init(0)


def loss(ys: Any) -> Any:
    return mg.sum(mg.sin(ys))


def sequence(steps: int) -> Any:
    return np.random.default_rng(0).normal(size=(steps, 8, 16))


def test_the_ledger_of_an_lstm_of_64_units_over_100_steps(benchmark: Any) -> None:
    """Batch 8; wanted under 2 s and 1 GB."""
    with rnn.one_thread():
        book = benchmark.pedantic(
            rnn.bptt.ledger, (CELL, PARAMS, sequence(100), loss), rounds=2, warmup_rounds=1
        )
    assert book["W_hf"].norms.shape == (100, 100)


@pytest.mark.parametrize("cell", [CELL, rnn.RNNCell(16, 64)], ids=["LSTM", "RNN"])
def test_the_ladder_of_64_units_over_200_steps(benchmark: Any, cell: rnn.Cell) -> None:
    """All 200 Jacobians, their singular values, the product and the exponents; under 2 s."""
    with rnn.one_thread():
        found = benchmark.pedantic(
            rnn.bptt.ladder, (cell, cell.init(0), sequence(200)), rounds=2, warmup_rounds=1
        )
    assert found.jacobians.shape == (200, 64, 64)


def test_the_page_of_an_lstm_of_32_units_over_50_steps(benchmark: Any) -> None:
    """Every number, drawing and plot of it; under 5 s and 2 MB."""
    cell = rnn.LSTMCell(8, 32)
    xs = np.random.default_rng(0).normal(size=(50, 1, 8))
    with rnn.one_thread():
        source = benchmark.pedantic(
            page.html, (cell, cell.init(0), xs, loss), rounds=2, warmup_rounds=1
        )
    assert len(source.encode()) < 2_000_000
