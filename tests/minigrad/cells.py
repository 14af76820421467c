"""Cells of every kind and their folded graphs, on which laws are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.graph import Graph


@dataclass(frozen=True)
class Delayed(rnn.Cell):
    """A cell whose recurrent values have delays of their own."""

    inputs: int
    hidden: int
    delays: tuple[tuple[str, int], ...]

    @property
    def state(self) -> dict[str, int]:
        return dict(self.delays)

    def parameters(self) -> dict[str, Any]:
        H = self.hidden
        p = {"W_xh": rnn.glorot(self.inputs, H), "b_h": rnn.constant(0, H)}
        return p | {f"W_{name}": rnn.orthogonal(H, H) for name, _ in self.delays}

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        z = x @ p.W_xh + p.b_h
        for (name, _), value in zip(self.delays, state, strict=True):
            z = z + value @ p[f"W_{name}"]
        h = mg.named("h", mg.tanh(z))
        return h * z, *[h if k == 0 else mg.sigmoid(z) for k in range(len(self.delays))]


ALL = ("hidden-to-hidden", "output-to-hidden", "output-to-output")
BOTH = rnn.Bidirectional(rnn.GRUCell(2, 3), rnn.RNNCell(2, 2))

CELLS = {
    "Dense": rnn.Dense(2, 3, "tanh"),
    "RNN": rnn.RNNCell(2, 3),
    **{f"RNN {name}": rnn.RNNCell(2, 3, 2, name) for name in ALL},
    "RNN all recurrences": rnn.RNNCell(2, 3, 2, ALL, output_activation="sigmoid"),
    "LSTM": rnn.LSTMCell(2, 3),
    "LSTM with peepholes": rnn.LSTMCell(2, 3, peepholes=True),
    "GRU": rnn.GRUCell(2, 3),
    "GRU reset before": rnn.GRUCell(2, 3, reset="before"),
    "Stack": rnn.Stack([rnn.RNNCell(2, 3), rnn.LSTMCell(3, 2), rnn.Dense(2, 2)]),
    "Bidirectional": BOTH,
    "Stack of both directions": rnn.Stack([BOTH, rnn.RNNCell(5, 2), BOTH]),
    "delay 2": Delayed(2, 3, (("h", 2),)),
    "delays 1 and 3": Delayed(2, 3, (("h", 1), ("g", 3))),
    "delay -1": Delayed(2, 3, (("h", -1),)),
    "delay -2": Delayed(2, 3, (("h", -2),)),
    "delay 2 under delay -2": rnn.Stack([Delayed(2, 3, (("h", 2),)), Delayed(3, 2, (("h", -2),))]),
}

FOLDED = {name: cell.folded(batch=2) for name, cell in CELLS.items()}
FOLDED["class indices"] = rnn.LSTMCell(4, 3).folded(batch=2, classes=True)
FOLDED["ragged"] = rnn.GRUCell(2, 3).folded(batch=2, ragged=True)
FOLDED["ragged both directions"] = BOTH.folded(batch=2, ragged=True)

everything = pytest.mark.parametrize("name", FOLDED)


def random_inputs(graph: Graph, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    result = []
    for i in graph.inputs:
        node = graph.nodes[i]
        assert node.dtype is not None
        if node.dtype.kind == "f":
            result.append(0.5 * rng.normal(size=node.shape))
        else:
            result.append(rng.integers(0, 2, node.shape).astype(node.dtype))
    return result
