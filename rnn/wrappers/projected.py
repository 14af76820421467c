"""A recurrent projection: fewer columns come back than there are units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from minigrad import named
from minigrad.errors import ShapeError
from rnn.cell import Cell
from rnn.checks import whole
from rnn.edge import Edge
from rnn.params import Init, glorot, orthogonal
from rnn.wrappers.products import recurrent_weights
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class Projected(Wrapper):
    """A cell that gives, and reads back, r = h W_hr of fewer columns (Sak et al. 2014, eq. 6).

    The `proj_size` of PyTorch. The cell's h becomes r; its weights W_h· have R rows.

    Args:
        cell: whose output is h and which reads h through W_h· alone: `RNNCell`, or any `LSTMCell`.
        outputs: columns R of r.

    >>> import rnn
    >>> cell = Projected(rnn.LSTMCell(3, hidden=50), outputs=8)
    >>> cell.edges()
    (Edge(name='r', delay=1, size=8), Edge(name='C', delay=1, size=50))
    >>> cell.init(0).W_hf.shape
    (8, 50)
    """

    cell: Cell
    outputs: int

    def __post_init__(self) -> None:
        must_be_cell("Projected", self.cell)
        whole("Projected", "outputs", self.outputs)
        recurrent_weights(self)
        names = [edge.name for edge in self.cell.edges()]
        if names[:1] != ["h"]:
            raise ValueError(f"Projected: the first recurrent value is h, got {', '.join(names)}")
        try:
            self.folded()
        except ShapeError as error:
            raise ShapeError(
                f"Projected: {self.cell.label} reads h in other ways than by W_h·, as a GRU does, "
                f"so it cannot have fewer columns ({error})"
            ) from None

    @property
    def units(self) -> int:
        """The number of units H of the cell."""
        return int(self.cell.size("h"))

    def parameters(self) -> Mapping[str, Any]:
        """Those of the cell, W_h· with R rows, and W_hr of shape (H, R)."""
        found: dict[str, Init] = dict(self.cell.parameters())
        for name in recurrent_weights(self):
            found[name] = orthogonal(self.outputs, self.units)
        return {**found, "W_hr": glorot(self.units, self.outputs)}

    def edges(self) -> tuple[Edge, ...]:
        """r in the place of h, then what else the cell has."""
        h, *rest = self.cell.edges()
        return (replace(h, name="r", size=self.outputs), *rest)

    def start(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Zeros."""
        return Cell.start(self, *args, **kwargs)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, then the projection."""
        h, (_, *rest) = self.inner(p, x, state)
        r = named("r", h @ p.W_hr)
        return r, r, *rest
