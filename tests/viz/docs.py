"""The pictures of the README, from live cells: `python -m tests.viz.docs` draws them again."""

from pathlib import Path

import numpy as np

import minigrad as mg
import rnn
import viz

FOLDER = Path(__file__).resolve().parents[2] / "docs"


def gradients():
    """A run of three steps, and the norms of a gradient that vanishes on its way back."""
    cell = rnn.RNNCell(3, 4)
    params = cell.init(1)
    params = {**params, "W_hh": 0.15 * params.W_hh}
    xs = np.random.default_rng(0).normal(size=(3, 1, 3))
    hs, _ = rnn.run(cell, rnn.Params(params).tensors(), xs, unfolded=True)
    last = hs[-1]
    loss = mg.named("L", mg.mean(last * last))
    loss.backward()
    return viz.draw(loss, gradients=True)


DRAWINGS = {
    "rnn": lambda: viz.draw(rnn.RNNCell(3, 5, 2), steps="t"),
    "lstm_gates": lambda: viz.draw(rnn.LSTMCell(3, 5), "unfolded", 2, "gate"),
    "lstm_block": lambda: viz.draw(rnn.LSTMCell(3, 5), "block"),
    "gru_block": lambda: viz.draw(rnn.GRUCell(3, 5), "block"),
    "lstm_operations": lambda: viz.draw(rnn.LSTMCell(3, 5), "folded", level="op"),
    "lstm_backward": lambda: viz.draw(
        mg.adjoint(rnn.LSTMCell(3, 5).folded()), "folded", level="gate"
    ),
    "schedule": lambda: viz.draw(rnn.RNNCell(3, 5), "schedule"),
    "recurrences": lambda: viz.draw(
        rnn.RNNCell(3, 5, 2, recurrence=rnn.cells.RECURRENCES), steps="t"
    ),
    "gradients": gradients,
}

if __name__ == "__main__":
    for name, drawing in DRAWINGS.items():
        print(drawing().save(FOLDER / f"{name}.svg"))
