"""The cells' equations on single numbers: what a step gives, written without arrays or graphs.

A gradient test cannot see a wrong forward, since the backward fits it. Only an independent
telling of the equations can, such as f and i exchanged on both sides.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnn.cells import Dense, GRUCell, LSTMCell, RNNCell

Row = list[float]


def sigmoid(z: float) -> float:
    """1 / (1 + exp(−z))."""
    return 1 / (1 + math.exp(-z))


ACTIVATIONS: dict[Any, Any] = {"tanh": math.tanh, "sigmoid": sigmoid, None: lambda z: z}


def dot(v: Row, W: Any, k: int) -> float:
    """Σ_j v_j W_jk."""
    return sum(v[j] * float(W[j][k]) for j in range(len(v)))


def _lstm(cell: Any, p: Any, x: Row, state: list[Row]) -> tuple[Row, list[Row]]:
    h, C = state
    shown, memory = [], []
    for k in range(len(h)):
        z = {g: dot(x, p[f"W_x{g}"], k) + dot(h, p[f"W_h{g}"], k) + float(p[f"b_{g}"][k])
             for g in "fico"}  # fmt: skip
        if cell.peepholes:
            z["f"] += C[k] * float(p["w_cf"][k])
            z["i"] += C[k] * float(p["w_ci"][k])
        new = sigmoid(z["f"]) * C[k] + sigmoid(z["i"]) * math.tanh(z["c"])
        if cell.peepholes:
            z["o"] += new * float(p["w_co"][k])
        memory.append(new)
        shown.append(sigmoid(z["o"]) * math.tanh(new))
    return shown, [shown, memory]


def _gru(cell: Any, p: Any, x: Row, state: list[Row]) -> tuple[Row, list[Row]]:
    (h,) = state
    H = range(len(h))
    gate = {
        g: [sigmoid(dot(x, p[f"W_x{g}"], k) + dot(h, p[f"W_h{g}"], k) + float(p[f"b_{g}"][k]))
            for k in H]
        for g in "rz"
    }  # fmt: skip
    new = []
    for k in H:
        if cell.reset == "after":
            past = gate["r"][k] * (dot(h, p["W_hn"], k) + float(p["b_hn"][k]))
        else:
            past = dot([gate["r"][j] * h[j] for j in H], p["W_hn"], k)
        n = math.tanh(dot(x, p["W_xn"], k) + past + float(p["b_n"][k]))
        new.append((1 - gate["z"][k]) * n + gate["z"][k] * h[k])
    return new, [new]


def _rnn(cell: Any, p: Any, x: Row, state: list[Row]) -> tuple[Row, list[Row]]:
    before = dict(zip(cell.state, state, strict=True))
    h = []
    for k in range(cell.hidden):
        z = dot(x, p["W_xh"], k) + float(p["b_h"][k])
        z += dot(before["h"], p["W_hh"], k) if "W_hh" in p else 0.0
        z += dot(before["o"], p["W_oh"], k) if "W_oh" in p else 0.0
        h.append(ACTIVATIONS[cell.activation](z))
    if cell.outputs is None:
        return h, [h for _ in cell.state]
    o = []
    for k in range(cell.outputs):
        z = dot(h, p["W_ho"], k) + float(p["b_o"][k])
        z += dot(before["o"], p["W_oo"], k) if "W_oo" in p else 0.0
        o.append(ACTIVATIONS[cell.output_activation](z))
    return o, [{"h": h, "o": o}[name] for name in cell.state]


def _dense(cell: Any, p: Any, x: Row, state: list[Row]) -> tuple[Row, list[Row]]:
    sigma = ACTIVATIONS[cell.activation]
    return [sigma(dot(x, p["W"], k) + float(p["b"][k])) for k in range(cell.outputs)], []


STEPS: dict[type, Any] = {LSTMCell: _lstm, GRUCell: _gru, RNNCell: _rnn, Dense: _dense}
"""One step of one sample: the output and the new state."""


def sequence(cell: Any, p: Any, xs: Any, start: Any) -> Any:
    """Outputs `(T, B, Y)` and last states, sample by sample and number by number.

    Raises:
        KeyError: the cell's equations are not written here.
    """
    one = STEPS[type(cell)]
    ys, ends = [], []
    for b in range(xs.shape[1]):
        state, column = [s[b].tolist() for s in start], []
        for x in xs[:, b].tolist():
            y, state = one(cell, p, x, state)
            column.append(y)
        ys.append(column)
        ends.append(state)
    last = tuple(np.array([end[k] for end in ends]) for k in range(len(start)))
    return np.moveaxis(np.array(ys), 1, 0), last
