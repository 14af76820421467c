"""What cells around a cell have in common: its inputs, its parameters, its recurrent values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.tree import flatten
from rnn.cell import Cell, drawing, state_paths
from rnn.edge import Edge, read


class Wrapper(Cell):
    """A cell around a `cell`: it has the cell's recurrent values in one row, then its own.

    A subclass is a frozen dataclass with a field `cell`, a `step` that calls `inner`, and where it
    has them `own_edges` and `own_parameters`.
    """

    cell: Cell

    @property
    def inputs(self) -> int:  # type: ignore[override]  # that of the cell
        """The number of input columns of the cell."""
        return self.cell.inputs

    def own_parameters(self) -> Mapping[str, Any]:
        """What it adds to the parameters of the cell."""
        return {}

    def own_edges(self) -> Sequence[Edge]:
        """What it adds to the recurrent values of the cell."""
        return ()

    def parameters(self) -> Mapping[str, Any]:
        """Those of the cell, then its own."""
        inner, own = self.cell.parameters(), self.own_parameters()
        if both := [name for name in own if name in inner]:
            raise ValueError(
                f"{self.label}: {self.cell.label} already has a parameter {both[0]}; "
                "put the two on different layers of a Stack"
            )
        return {**inner, **own}

    def edges(self) -> tuple[Edge, ...]:
        """Those of the cell in one row, then its own."""
        inner = zip(state_paths(self.cell), flatten(self.cell.edges())[0], strict=True)
        return (*(replace(edge, name=path) for path, edge in inner), *self.own_edges())

    def start(
        self,
        batch: int,
        dtype: Any = float,
        params: Mapping[str, Any] | None = None,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[Any, ...]:
        """That of the cell in one row, then its own."""
        rng = drawing(rng)
        inner = flatten(self.cell.start(batch, dtype, params, rng))[0]
        return (*inner, *(edge.first(batch, rng).astype(dtype) for edge in self.own_edges()))

    def inner(self, p: Any, x: Any, state: Sequence[Any]) -> tuple[Any, list[Any]]:
        """y and the new recurrent values of one step of the cell, the values in one row."""
        y, *new = self.cell.step(p, x, *flatten(read(self.cell.edges()))[1].unflatten(state))
        return y, flatten(tuple(new))[0]


def must_be_cell(where: str, cell: Any) -> None:
    """Raise unless a wrapper was given a cell."""
    if not isinstance(cell, Cell):
        raise TypeError(f"{where} takes a cell, such as LSTMCell(3, 5), got {cell!r:.60}")
