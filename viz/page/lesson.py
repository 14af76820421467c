"""The lesson of a page in numbers: one unit over three steps, and what a cell line is for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import minigrad as mg
import rnn
from rnn.bptt import totals
from viz.page.pictures import plot

UNIT_WEIGHTS = {"W_xh": 1.0, "W_hh": 0.5}
UNIT_INPUTS = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Step:
    """One step of the unit: what comes in, what it makes of it, and the derivatives."""

    t: int
    x: float
    before: float
    z: float
    h: float
    slope: float
    total: float
    immediate: float
    later: float
    share: float


@cache
def one_unit() -> tuple[Step, ...]:
    """h⁽ᵗ⁾ = tanh(x⁽ᵗ⁾ + ½ h⁽ᵗ⁻¹⁾) over three steps, with the loss L = h⁽³⁾.

    >>> [round(step.total, 4) for step in one_unit()]
    [0.0887, 0.3545, 1.0]
    """
    cell = rnn.RNNCell(1, 1)
    params = {name: np.array([[w]]) for name, w in UNIT_WEIGHTS.items()} | {"b_h": np.zeros(1)}
    xs = np.array(UNIT_INPUTS).reshape(-1, 1, 1)
    found = totals(cell, params, xs, lambda ys: mg.sum(ys[-1]))
    h, z = found["h"], found["z_h"]
    steps = []
    for t, x in enumerate(UNIT_INPUTS):
        before = 0.0 if t == 0 else float(h.values[t - 1].item())
        value, total = float(h.values[t].item()), float(h.total[t].item())
        slope = 1 - value * value
        steps.append(
            Step(t + 1, x, before, float(z.values[t].item()), value, slope, total,
                 float(h.immediate[t].item()), float(h.later[t].item()), total * slope * before)
        )  # fmt: skip
    return tuple(steps)


STEPS, HIDDEN = 50, 32
KINDS = {
    "RNN": rnn.RNNCell(8, HIDDEN),
    "GRU": rnn.GRUCell(8, HIDDEN),
    "LSTM, forget bias 0": rnn.LSTMCell(8, HIDDEN, forget_bias=0.0),
    "LSTM, forget bias 1": rnn.LSTMCell(8, HIDDEN, forget_bias=1.0),
    "LSTM, forget bias 3": rnn.LSTMCell(8, HIDDEN, forget_bias=3.0),
}
"""The cells whose gradients are compared, all on the same sequence."""


@cache
def flows() -> dict[str, tuple[float, ...]]:
    """For each kind of cell ‖dL/dh⁽ᵗ⁾‖ (of an LSTM ‖dL/dC⁽ᵗ⁾‖) at t = 1 … 50, as at T."""
    xs = np.random.default_rng(0).normal(size=(STEPS, 1, 8))
    found = {}
    for name, cell in KINDS.items():
        result = totals(cell, cell.init(0), xs, lambda ys: mg.sum(ys[-1]))
        norms = np.array([np.linalg.norm(x) for x in result[result.states[-1]].total])
        found[name] = tuple(float(x) for x in norms / norms[-1])
    return found


@cache
def flow_plot() -> str:
    """They on one logarithmic axis."""

    def draw(axes: Any) -> None:
        for (name, norms), marks in zip(flows().items(), ("-", "--", ":", "-.", "-"), strict=True):
            axes.semilogy(range(1, STEPS + 1), norms, marks, label=name, linewidth=1.8)
        axes.set(xlabel="step t", ylabel="‖dL/ds⁽ᵗ⁾‖ / ‖dL/ds⁽ᵀ⁾‖", xlim=(1, STEPS))
        axes.legend(loc="lower right", fontsize=9)

    told = "; ".join(f"{name}: {norms[0]:.1e} at t = 1" for name, norms in flows().items())
    return plot(draw, f"What is left of the gradient of the last step. {told}.", 7.2, 4.0)
