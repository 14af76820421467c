"""The cells that every law of drawing is checked on, one of them not in the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
import viz
from viz.output.drawing import Drawing


@dataclass(frozen=True)
class Own(rnn.Cell):
    """A user's cell: odd names, a delay of two steps, an activation of its own."""

    inputs: int
    hidden: int
    state = {"s": 2, "µ": 1}

    def parameters(self) -> dict[str, Any]:
        sizes = {"W_xs": self.inputs, "W_ss": self.hidden, "W_sµ": self.hidden, "W_µµ": self.hidden}
        return {name: rnn.glorot(size, self.hidden) for name, size in sizes.items()}

    def step(self, p: Any, x: Any, s: Any, m: Any) -> Any:
        s = mg.named("s", mg.relu(x @ p.W_xs + s @ p.W_ss))
        m = mg.named("µ", mg.sin(s @ p["W_sµ"] + m @ p["W_µµ"]))
        return m, s, m


ALL = ("hidden-to-hidden", "output-to-hidden", "output-to-output")
CELLS = {
    "rnn": rnn.RNNCell(3, 5, 2),
    "hidden only": rnn.RNNCell(3, 5),
    "output-to-hidden": rnn.RNNCell(3, 5, 2, recurrence="output-to-hidden"),
    "output-to-output": rnn.RNNCell(3, 5, 2, recurrence="output-to-output"),
    "three recurrences": rnn.RNNCell(3, 5, 2, recurrence=ALL),
    "two layers": rnn.Stack([rnn.RNNCell(3, 5), rnn.RNNCell(5, 5), rnn.Dense(5, 2)]),
    "lstm": rnn.LSTMCell(3, 5),
    "peepholes": rnn.LSTMCell(3, 5, peepholes=True),
    "gru": rnn.GRUCell(3, 5),
    "gru, reset before": rnn.GRUCell(3, 5, reset="before"),
    "dense": rnn.Dense(3, 2),
    "lstm stack": rnn.Stack([rnn.LSTMCell(3, 4), rnn.LSTMCell(4, 4), rnn.Dense(4, 2)]),
    "bidirectional": rnn.Bidirectional(rnn.GRUCell(3, 4)),
    "deep bidirectional": rnn.Stack([rnn.Bidirectional(rnn.RNNCell(3, 4)), rnn.LSTMCell(8, 5)]),
    "own": Own(3, 4),
}


@pytest.fixture(params=CELLS, scope="session")
def cell(request: pytest.FixtureRequest) -> rnn.Cell:
    return CELLS[request.param]


def loss_of(cell: rnn.Cell, steps: int = 3) -> mg.Tensor:
    """A loss over a run, with gradients on everything that is named."""
    params = cell.init(0).tensors()
    xs = np.random.default_rng(0).normal(size=(steps, 2, cell.inputs))
    ys, _ = rnn.run(cell, params, xs, unfolded=True)
    loss: mg.Tensor = mg.named("loss", (ys * ys).mean())
    loss.backward()
    return loss


def drawings(cell: rnn.Cell) -> Iterator[tuple[str, Drawing]]:
    """Every kind of picture of a cell."""
    for level in ("cell", "gate", "op"):
        yield f"{level}, folded", viz.draw(cell, "folded", level=level)
        for steps in (1, 3, 9):
            yield f"{level}, {steps} steps", viz.draw(cell, "unfolded", steps, level)
    yield "both", viz.draw(cell)
    for part in ("forward", "backward"):
        folded = getattr(mg.adjoint(cell.folded()), part)
        yield f"schedule, {part}", viz.draw(folded, "schedule")
    loss = loss_of(cell)
    yield "recorded", viz.draw(loss, values=True, gradients=True)
    yield "recorded gates", viz.draw(loss, level="gate")
    yield "recorded, elided", viz.draw(loss_of(cell, 8))
    yield "unfolded graph", viz.draw(mg.unfold(cell.folded(), 3))


@pytest.fixture(scope="session")
def pictures(cell: rnn.Cell) -> dict[str, Drawing]:
    return dict(drawings(cell))
