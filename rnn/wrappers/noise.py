"""Dropout and zoneout: randomness as numbers that are handed in, never drawn in a step.

A mask is a recurrent value that passes itself on, so it is handed in as a part of the start state.
With a delay of one step the whole sequence has one mask; with a delay of T steps each of T steps
has its own, and they come round again after that. `cell.start(B, rng=rng)` draws them, for
training, as `rnn.fit` does for every batch; `cell.start(B)`, and a run without a state, has what is
expected of them, for use.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad import named
from minigrad.tree import flatten
from rnn.cell import Cell, state_paths
from rnn.cells import sizes
from rnn.checks import whole
from rnn.edge import Edge
from rnn.params import Params
from rnn.wrappers.products import Product, recurrent_weights
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class Mask(Edge):
    """A recurrent value that passes itself on: zeros and ones by chance, times a scale.

    Attributes:
        rate: how often an entry is `struck`, which is 0 or 1.
        struck: what stands in an entry that is hit, the other number in one that is not.
        scale: of all entries.
    """

    is_reset: ClassVar[bool] = False  # what was drawn outside cannot be drawn anew inside of a run
    rate: float = field(default=0.0, kw_only=True)
    struck: int = field(default=0, kw_only=True)
    scale: float = field(default=1.0, kw_only=True)

    def first(self, batch: int, rng: np.random.Generator | None) -> Any:
        """Drawn entries, or without a generator their expectation, `(B, size)` or (d, B, size)`."""
        shape = super().first(batch, None).shape
        hit: Any = np.full(shape, self.rate) if rng is None else rng.random(shape) < self.rate
        return self.scale * (hit if self.struck else 1.0 - hit)


@dataclass(frozen=True)
class Dropout(Cell):
    """A layer that drops columns and enlarges the rest: y = x ⊙ m (Srivastava et al. 2014).

    In a `Stack` it stands below the first layer for dropout of inputs, or between two layers. With
    one mask a sequence it is that of Gal and Ghahramani (2016, equation 7); with one for each of
    T steps, that of Zaremba et al. (2014).

    Args:
        inputs: number of columns.
        rate: how often one is dropped; the others are divided by 1 − rate.
        steps: the number of steps with a mask of their own; 1 for one mask a sequence.

    >>> import numpy as np, rnn
    >>> cell = Dropout(4, rate=0.5)
    >>> xs, rng = np.ones((2, 1, 4)), np.random.default_rng(0)
    >>> rnn.run(cell, {}, xs, cell.start(1, rng=rng))[0].tolist()
    [[[2.0, 0.0, 0.0, 0.0]], [[2.0, 0.0, 0.0, 0.0]]]
    >>> rnn.run(cell, {}, xs)[0].tolist()
    [[[1.0, 1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0, 1.0]]]
    """

    inputs: int
    rate: float
    steps: int = 1

    def __post_init__(self) -> None:
        sizes(self, "inputs", "steps")
        _rate("Dropout", self.rate)

    def parameters(self) -> dict[str, Any]:
        """None."""
        return {}

    def edges(self) -> tuple[Edge, ...]:
        """The mask m."""
        return (Mask("m", self.steps, self.inputs, rate=self.rate, scale=1 / (1 - self.rate)),)

    def step(self, p: Any, x: Any, m: Any) -> Any:
        """One time step."""
        return named("y", x * m), kept("m", m)


@dataclass(frozen=True)
class RecurrentDropout(Wrapper):
    """A cell whose recurrent products read h ⊙ m, with one mask m a sequence.

    What is dropped is what its weights W_h· read; the memory itself is left whole, also where a
    gate mixes it with the new one, as in a GRU (Gal and Ghahramani 2016, equation 7, "tied").

    Args:
        cell: with recurrent weights W_h·, such as `RNNCell`, `LSTMCell`, `GRUCell`.
        rate: how often a hidden unit is dropped; the others are divided by 1 − rate.
        steps: the number of steps with a mask of their own; 1 for one mask a sequence.

    >>> import viz, rnn
    >>> print(viz.equations(RecurrentDropout(rnn.RNNCell(3, 4), 0.25)))
    z_h⁽ᵗ⁾ = W_xh x⁽ᵗ⁾ + W_hh (h⁽ᵗ⁻¹⁾ ⊙ m⁽ᵗ⁻¹⁾) + b_h
    h⁽ᵗ⁾ = tanh(z_h⁽ᵗ⁾)
    m⁽ᵗ⁾ = m⁽ᵗ⁻¹⁾
    """

    cell: Cell
    rate: float
    steps: int = 1

    def __post_init__(self) -> None:
        must_be_cell("RecurrentDropout", self.cell)
        whole("RecurrentDropout", "steps", self.steps)
        _rate("RecurrentDropout", self.rate)
        recurrent_weights(self)

    def own_edges(self) -> tuple[Edge, ...]:
        """The mask m."""
        rows, _ = self.cell.parameters()[recurrent_weights(self)[0]].shape
        return (Mask("m", self.steps, rows, rate=self.rate, scale=1 / (1 - self.rate)),)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, its recurrent products behind the mask."""
        *before, m = state
        masked = {
            name: Product(p[name], lambda h, W: (h * m) @ W) for name in recurrent_weights(self)
        }
        y, new = self.inner(Params({**p, **masked}), x, before)
        return y, *new, kept("m", m)


@dataclass(frozen=True)
class Zoneout(Wrapper):
    """A cell whose recurrent values keep their old entries by chance (Krueger et al. 2017, eq. 2).

    ĥ⁽ᵗ⁾ = d ⊙ ĥ⁽ᵗ⁻¹⁾ + (1 − d) ⊙ h⁽ᵗ⁾ for an h⁽ᵗ⁾ that the cell made from ĥ⁽ᵗ⁻¹⁾, and so for each
    recurrent value; d is 1 where the old one is kept, and in use its expectation. An output that is
    a recurrent value, as h is, is zoned out too.

    Args:
        cell: with recurrent values of delay 1.
        rate: how often an entry is kept: one number, or one for each recurrent value in order. The
            authors advise small ones for h, larger ones for C.
        steps: the number of steps T with masks of their own.

    >>> import numpy as np, rnn
    >>> cell = Zoneout(rnn.LSTMCell(3, 5), rate=(0.05, 0.5), steps=20)
    >>> start = cell.start(2, rng=np.random.default_rng(0))
    >>> ys, (h, C, *masks) = rnn.run(cell, cell.init(0), np.ones((20, 2, 3)), start)
    >>> [mask.shape for mask in masks]
    [(20, 2, 5), (20, 2, 5)]
    """

    cell: Cell
    rate: float | tuple[float, ...]
    steps: int

    def __post_init__(self) -> None:
        must_be_cell("Zoneout", self.cell)
        whole("Zoneout", "steps", self.steps)
        edges = flatten(self.cell.edges())[0]
        many = isinstance(self.rate, list | tuple)
        rates = tuple(self.rate) if many else (self.rate,) * len(edges)  # type: ignore[arg-type]  # not a number here
        for rate in rates:
            _rate("Zoneout", rate)
        if not edges or any(edge.delay != 1 for edge in edges) or len(rates) != len(edges):
            raise ValueError(
                f"Zoneout: {len(rates)} rates for the recurrent values of {self.cell.label}: "
                f"{', '.join(state_paths(self.cell)) or 'none'}; it takes one rate, or one for "
                "each, and values of delay 1"
            )
        object.__setattr__(self, "rate", rates)

    def edges(self) -> tuple[Edge, ...]:
        """ĥ for h and so on, then a mask for each, d_h."""
        values, masks = [], []
        inner = zip(state_paths(self.cell), flatten(self.cell.edges())[0], strict=True)
        known = zip(inner, self.rate, strict=True)  # type: ignore[arg-type]  # a tuple by now
        for (path, edge), rate in known:
            scope, dot, name = path.rpartition(".")
            values.append(replace(edge, name=f"{path}\u0302"))
            mask = f"{scope}{dot}d_{name}"
            masks.append(Mask(mask, self.steps, edge.size, rate=rate, struck=1))
        return (*values, *masks)

    def own_edges(self) -> tuple[Edge, ...]:
        """The masks."""
        edges = self.edges()
        return edges[len(edges) // 2 :]

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, then the choice between old and new."""
        old, masks = state[: len(state) // 2], state[len(state) // 2 :]
        y, new = self.inner(p, x, old)
        zoned = []
        for s, s_new, d in zip(old, new, masks, strict=True):
            zoned.append(d * s + (1.0 - d) * s_new)
        y = next((s for s_new, s in zip(new, zoned, strict=True) if s_new is y), y)
        names = [edge.name.rpartition(".")[2] for edge in self.edges()]
        zoned_and_masks = (*zoned, *map(kept, names[len(old) :], masks))
        return y, *zoned_and_masks


def kept(name: str, value: Any) -> Any:
    """A recurrent value as it was, as a node of its own, which every step has."""
    return named(name, mg.ops.alias(value))


def _rate(where: str, rate: Any) -> None:
    is_number = isinstance(rate, int | float | np.integer | np.floating)
    if isinstance(rate, bool) or not is_number or not 0 <= rate < 1:
        raise ValueError(f"{where}: rate must be a number from 0 to below 1, got {rate!r:.60}")
