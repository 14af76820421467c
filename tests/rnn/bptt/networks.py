"""Networks that a study is tried on: any cell with weights, a sequence, a start and a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing.problem import Problem, problem


@dataclass(frozen=True)
class Attention(rnn.Cell):
    """A reader's own cell: attention over its last three states, and a memory of delay two."""

    inputs: int
    hidden: int

    @property
    def state(self) -> dict[str, Any]:
        return {"h": (1, 2, 3), "m": 2}

    def parameters(self) -> dict[str, rnn.Init]:
        H = self.hidden
        return {
            "W_q": rnn.glorot(self.inputs, H),
            "W_v": rnn.orthogonal(H, H),
            "b": rnn.constant(0, H),
        }

    def step(self, p: Any, x: Any, h: Any, h2: Any, h3: Any, m: Any) -> Any:
        q = mg.named("q", x @ p.W_q)
        past = mg.stack([h, h2, h3], axis=1)
        scores = mg.named("a", mg.softmax(mg.sum(past * mg.expand_dims(q, 1), axis=-1), axis=-1))
        read = mg.sum(past * mg.expand_dims(scores, -1), axis=1)
        h = mg.named("h", mg.tanh(read @ p.W_v + q + 0.5 * m + p.b))
        return h, h, 0.5 * m + 0.25 * h


@dataclass(frozen=True)
class Linear(rnn.Cell):
    """h = h W, whatever comes in."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self) -> dict[str, rnn.Init]:
        return {"W_hh": rnn.orthogonal(self.hidden, self.hidden)}

    def step(self, p: Any, x: Any, h: Any) -> Any:
        h = mg.named("h", h @ p.W_hh)
        return h, h


OWN = (Attention(3, 2), rnn.Stack([Attention(3, 3), rnn.LSTMCell(3, 2)]))

causal = lambda q: all(r.delay > 0 for r in q.cell.folded().recurrences)


@st.composite
def networks(draw: Any, most: int = 5) -> Problem:
    """Any cell, the library's or a reader's own, with at least one step."""
    cell = draw(st.one_of(rnn.testing.cells(), st.sampled_from(OWN)))
    return problem(
        cell, draw(st.integers(1, most)), draw(st.integers(1, 2)), draw(st.integers(0, 99))
    )


def loss_of(q: Problem) -> Any:
    """A loss that hears every output, each in its own way."""
    weights = np.random.default_rng(1).normal(size=q.run()[0].shape)
    return lambda ys: mg.sum(mg.sin(ys) * weights)


def given(q: Problem) -> tuple[Any, ...]:
    """The arguments of a study."""
    return q.cell, q.params, q.xs, loss_of(q)


def unfolded(q: Problem) -> Any:
    """The outputs of the run with every operation of every step on the graph."""
    return rnn.run(q.cell, q.params.tensors(), q.xs, q.start, unfolded=True)[0]


def on_graph(tensor: Any, q: Problem, name: str, t: int) -> Any:
    """The tensor that a run with all steps on the graph has under a name; None if there is none."""
    try:
        return mg.find(tensor, f"{q.cell.label}.{name}", t)
    except LookupError:
        return None
