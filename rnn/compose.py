"""Cells made of cells: layers on top of each other, and both directions of time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import minigrad as mg
from minigrad import named, scope
from minigrad.errors import ShapeError
from minigrad.tree import flatten
from rnn.cell import Cell, Edge


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


@dataclass(frozen=True)
class Bidirectional(Cell):
    """Two cells over one sequence, one forward and one backward in time (Schuster, Paliwal 1997).

    The output is the forward one beside the backward one. The backward cell's recurrent edges have
    delay −1: its state at step t comes from step t + 1. `step` is therefore a graph, not something
    to call in a loop.

    Args:
        forward, backward: cells with the same number of inputs; the second is a copy of the first
            by default (with parameters of its own).
    """

    forward: Cell
    backward: Cell = field(default=None)  # type: ignore[assignment]  # replaced below

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
        leaves, tree = flatten(self.backward.edges())
        turned = tree.unflatten(Edge(e.name, -e.delay, e.size) for e in leaves)
        return (self.forward.edges(), turned)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """The two steps at time t, side by side."""
        new, sides = [], []
        for (name, cell), own in zip(self.parts().items(), state, strict=True):
            with scope(name):
                y, *after = cell.step(p[name], x, *own)
            sides.append(y)
            new.append(tuple(after))
        return (named("y", mg.concatenate(sides, axis=-1)), *new)
