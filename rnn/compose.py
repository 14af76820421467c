"""Cells made of cells: layers on top of each other, time turned round, and both its directions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import minigrad as mg
from minigrad import named, scope
from minigrad.errors import ShapeError
from minigrad.tree import flatten
from rnn.cell import Cell
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class Stack(Cell):
    """Layers on top of each other; each reads what the one below gives at the same step.

    Parameters are nested by layer (`p.layer1.W_xh`), and so is the state: one tuple a layer.

    >>> import rnn
    >>> two = rnn.Stack([rnn.RNNCell(3, 5), rnn.RNNCell(5, 5), rnn.Dense(5, 2)])
    >>> [edge.name for edge in two.folded().recurrences]
    ['layer1.h', 'layer2.h']
    """

    layers: Sequence[Cell]

    def __post_init__(self) -> None:
        layers = tuple(self.layers) if isinstance(self.layers, list | tuple) else ()
        if not layers or not all(isinstance(layer, Cell) for layer in layers):
            raise TypeError(
                f"Stack takes a list of at least one cell, got {self.layers!r}; "
                "write Stack([RNNCell(3, 5), Dense(5, 2)])"
            )
        object.__setattr__(self, "layers", layers)
        for k, (below, above) in enumerate(itertools.pairwise(layers), 1):
            if below.width != above.inputs:
                raise ShapeError(
                    f"Stack: layer {k} gives {below.width} columns, "
                    f"layer {k + 1} takes {above.inputs}"
                )

    @property
    def inputs(self) -> int:  # type: ignore[override]  # that of the first layer
        """The number of input columns of the first layer."""
        return self.layers[0].inputs

    def parts(self) -> dict[str, Cell]:
        """The layers by name."""
        return {f"layer{k}": layer for k, layer in enumerate(self.layers, 1)}

    def parameters(self) -> dict[str, Any]:
        """The parameters of every layer under its name."""
        return {name: part.parameters() for name, part in self.parts().items()}

    def edges(self) -> Any:
        """One tuple of edges a layer."""
        return tuple(layer.edges() for layer in self.layers)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One time step of every layer, from the bottom up."""
        new = []
        for (name, layer), own in zip(self.parts().items(), state, strict=True):
            with scope(name):
                x, *after = layer.step(p[name], x, *own)
            new.append(tuple(after))
        return (x, *new)


def _turned(edges: Any) -> Any:
    """Recurrent values that come from later steps in place of earlier ones."""
    leaves, tree = flatten(edges)
    return tree.unflatten(edge.turned() for edge in leaves)


@dataclass(frozen=True)
class Reversed(Wrapper):
    """A cell that runs backward in time: its state at step t comes from step t + 1.

    Outputs stand at the step of their input, as with every cell. `step` is a graph, not something
    to call in a loop.

    >>> import rnn
    >>> Reversed(rnn.GRUCell(3, 5)).edges()
    (Edge(name='h', delay=-1, size=5),)
    """

    cell: Cell

    def __post_init__(self) -> None:
        must_be_cell("Reversed", self.cell)

    def edges(self) -> Any:
        """The edges of the cell in one row, with the sign of the delay turned."""
        return _turned(super().edges())

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """The step of the cell."""
        y, new = self.inner(p, x, state)
        return y, *new


MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "concat": lambda a, b: mg.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: 0.5 * (a + b),
}
"""What two directions make of their outputs, by the names that Keras gives them."""


@dataclass(frozen=True)
class Bidirectional(Cell):
    """Two cells over one sequence, one forward and one backward in time (Schuster, Paliwal 1997).

    The output is the forward one beside the backward one, or another mixture of the two. The
    backward cell's recurrent edges have delay −1: its state at step t comes from step t + 1. `step`
    is therefore a graph, not something to call in a loop.

    Args:
        forward, backward: cells with the same number of inputs; the second is a copy of the first
            by default (with parameters of its own).
        merge: "concat", or, for directions of the same width, "sum", "mul" or "ave" (the mean).
    """

    forward: Cell
    backward: Cell = field(default=None)  # type: ignore[assignment]  # replaced below
    merge: str = "concat"

    def __post_init__(self) -> None:
        if self.backward is None:
            object.__setattr__(self, "backward", self.forward)
        for cell in (self.forward, self.backward):
            if not isinstance(cell, Cell):
                raise TypeError(f"Bidirectional takes two cells, got {cell!r:.60}")
        if self.forward.inputs != self.backward.inputs:
            raise ShapeError(
                f"Bidirectional: the forward cell takes {self.forward.inputs} columns, "
                f"the backward cell {self.backward.inputs}"
            )
        if self.merge not in MERGES:
            raise ValueError(
                f"Bidirectional: unknown merge {self.merge!r}; there are {', '.join(MERGES)}"
            )
        if self.merge != "concat" and self.forward.width != self.backward.width:
            raise ShapeError(
                f"Bidirectional: the forward cell gives {self.forward.width} columns, the backward "
                f"cell {self.backward.width}; only merge='concat' takes both"
            )

    @property
    def inputs(self) -> int:  # type: ignore[override]  # that of either cell
        """The number of input columns of either cell."""
        return self.forward.inputs

    def parts(self) -> dict[str, Cell]:
        """The two cells by name."""
        return {"forward": self.forward, "backward": self.backward}

    def parameters(self) -> dict[str, Any]:
        """The parameters of both cells under "forward" and "backward"."""
        return {name: part.parameters() for name, part in self.parts().items()}

    def edges(self) -> Any:
        """The edges of both cells; those of the second with the sign of the delay turned."""
        return (self.forward.edges(), _turned(self.backward.edges()))

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """The two steps at time t, side by side."""
        new, sides = [], []
        for (name, cell), own in zip(self.parts().items(), state, strict=True):
            with scope(name):
                y, *after = cell.step(p[name], x, *own)
            sides.append(y)
            new.append(tuple(after))
        return (named("y", MERGES[self.merge](*sides)), *new)
