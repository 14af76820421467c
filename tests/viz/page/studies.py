"""Networks whose pages are tested: the library's cells, and a reader's own."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
import rnn
from tests.rnn.bptt.networks import Attention
from viz.page.live import Live

CELLS = (
    rnn.RNNCell(2, 3, 2), rnn.GRUCell(2, 3), rnn.LSTMCell(2, 3), Attention(2, 3),
    rnn.Stack([rnn.LSTMCell(2, 2), rnn.Dense(2, 2)]), rnn.Bidirectional(rnn.GRUCell(2, 2)),
)  # fmt: skip


def loss(ys: Any) -> Any:
    """Every step counts, and the last one more."""
    return mg.mean(ys * ys) + mg.sum(mg.tanh(ys[-1]))


def given(cell: rnn.Cell, T: int = 5, seed: int = 0, B: int = 1) -> tuple[Any, ...]:
    """A cell, weights, a sequence and a loss."""
    values = np.random.default_rng(seed)
    return cell, cell.init(values), values.normal(size=(T, B, cell.inputs)), loss


def filled(program: Live, params: Any, xs: Any) -> list[Any]:
    """The numbers of a program with weights and inputs in their places, switches on."""
    at, v = program.layout, [np.float64(0)] * program.layout["size"]
    from minigrad.tree import flatten

    for places, w in zip(at["params"], flatten(params)[0], strict=True):
        _put(v, places, w)
    for places, x in zip(at["x"], xs, strict=True):
        _put(v, places, x)
    for row in at["switches"]:
        _put(v, row, np.ones(len(row)))
    return v


def _put(v: list[Any], places: list[int], numbers: Any) -> None:
    for place, x in zip(places, np.asarray(numbers).reshape(-1), strict=True):
        v[place] = np.float64(x)
