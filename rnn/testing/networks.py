"""Random recurrent networks: mixed recurrences, delays, layers, both directions, ragged batches.

Each is a cell, so everything a cell has follows: its folded graph, its unfolding, its adjoint,
its program. Draws use only the interface of `random.Random`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import minigrad as mg
from minigrad.core import PRIMITIVES
from rnn.cell import Cell
from rnn.cells import RECURRENCES, Dense, GRUCell, LSTMCell, RNNCell
from rnn.compose import Bidirectional, Stack
from rnn.params import Init, constant, glorot, orthogonal


@dataclass(frozen=True)
class Mixed(Cell):
    """A cell of several recurrent values, each with a delay and a way to be renewed.

    Args:
        inputs, hidden: sizes X and H.
        delays: name and delay of each recurrent value, or the several lags at which it is read.
        ways: for each, "new" (the activation), "sum" (the pre-activation), "leak" (mixed with its
            old value), "gate" (mixed by a gate) or "hold" (the old value of the next one).
        activation: an elementwise primitive.
    """

    inputs: int
    hidden: int
    delays: tuple[tuple[str, int | tuple[int, ...]], ...]
    ways: tuple[str, ...]
    activation: str = "tanh"

    @property
    def state(self) -> Mapping[str, int | tuple[int, ...]]:
        """Name to delay, or lags."""
        return dict(self.delays)

    @property
    def read(self) -> list[str]:
        """A name for each lag: h, and h1 for the second one of h."""
        return [f"{edge.name}{n or ''}" for edge in self.edges() for n in range(len(edge.lags))]

    def parameters(self) -> dict[str, Init]:
        """W_x, b, and one matrix for each lag of each recurrent value."""
        H = self.hidden
        recurrent = {f"W_{name}": orthogonal(H, H) for name in self.read}
        return {"W_x": glorot(self.inputs, H), "b": constant(0.125, H), **recurrent}

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One time step."""
        z = x @ p.W_x + p.b
        for name, s in zip(self.read, state, strict=True):
            z = z + (0.5 * s) @ p[f"W_{name}"]
        h = mg.named("y", PRIMITIVES[self.activation](z))
        before = dict(zip(self.read, state, strict=True))
        last = [before[name] for name, _ in self.delays]
        new = []
        for k, way in enumerate(self.ways):
            old = last[k]
            if way == "hold":
                new.append(0.5 * last[(k + 1) % len(last)] + 0.5 * h)
            elif way == "gate":
                gate = mg.sigmoid(z)
                new.append(gate * old + (1.0 - gate) * h)
            else:
                new.append({"new": h, "sum": 0.25 * z, "leak": 0.5 * old + 0.5 * h}[way])
        return (h + 0.25 * new[0], *new)


def draw_mixed(random: Random, inputs: int, sign: int = 1) -> Cell:
    """A cell of one to three recurrent values with lags 1 … 3, all of one sign."""
    count = random.randint(1, 3)
    names = ("h", "g", "m")[:count]
    lags = (1, 1, 1, 2, 3, (1, 2), (1, 3), (2, 3))
    given = [random.choice(lags) for _ in names]
    signed = [sign * d if isinstance(d, int) else tuple(sign * lag for lag in d) for d in given]
    delays = tuple(zip(names, signed, strict=True))
    ways = tuple(random.choice(("new", "sum", "leak", "gate", "hold")) for _ in names)
    activation = random.choice(("tanh", "sigmoid", "sin", "softplus"))
    return Mixed(inputs, random.randint(1, 3), delays, ways, activation)


def draw_cell(random: Random, inputs: int = 3, depth: int = 2) -> Cell:
    """Any cell: those of the library, mixed ones, stacks, both directions."""
    hidden = random.randint(1, 4)
    kind = random.choice(("rnn", "lstm", "gru", "mixed", "dense", "stack", "both"))
    if kind == "lstm":
        return LSTMCell(inputs, hidden, peepholes=random.random() < 0.5)
    if kind == "gru":
        return GRUCell(inputs, hidden, random.choice(("after", "before")))
    if kind == "dense":
        return Dense(inputs, hidden, random.choice((None, "tanh")))
    if kind == "stack" and depth:
        layers, width = [], inputs
        for _ in range(random.randint(1, 3)):
            layers.append(draw_cell(random, width, depth - 1))
            width = layers[-1].width
        return Stack(layers)
    if kind == "both" and depth:
        return Bidirectional(draw_cell(random, inputs, 0), draw_cell(random, inputs, 0))
    if kind == "rnn":
        chosen = [name for name in RECURRENCES if random.random() < 0.5]
        return RNNCell(inputs, hidden, random.randint(1, 3), chosen, output_activation="tanh")
    return draw_mixed(random, inputs, random.choice((1, 1, -1)))
