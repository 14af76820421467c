"""A start state that is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from rnn.cell import Cell
from rnn.params import Init, constant
from rnn.wrappers.wrapper import Wrapper, must_be_cell


@dataclass(frozen=True)
class LearnedStart(Wrapper):
    """A cell that begins with parameters in place of zeros: h⁽⁰⁾ = h_0, C⁽⁰⁾ = C_0.

    They are what `rnn.run` begins with unless it is given a state, so a sequence that is continued
    goes on as ever. `cell.start(B, params=params)` is the same.

    Args:
        cell: one cell; in a `Stack`, wrap each layer.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = LearnedStart(rnn.GRUCell(3, 4))
    >>> loss = lambda p: mg.sum(rnn.run(cell, p, np.ones((2, 5, 3)))[0])
    >>> mg.grad(loss)(cell.init(0)).h_0.shape
    (4,)
    """

    cell: Cell

    def __post_init__(self) -> None:
        must_be_cell("LearnedStart", self.cell)
        if hasattr(self.cell, "parts") or not self.cell.edges():
            raise TypeError(
                f"LearnedStart takes one cell with a state, got {self.cell!r:.80}; "
                "wrap each layer by itself"
            )

    @property
    def idle(self) -> tuple[str, ...]:  # type: ignore[override]  # by the cell
        """What a run that is given its state never reads."""
        return (*self.cell.idle, *self.own_parameters())

    def own_parameters(self) -> dict[str, Init]:
        """h_0 for h: a row, or one for each step of its delay."""
        return {
            f"{e.name}_0": constant(0, *([] if abs(e.delay) == 1 else [abs(e.delay)]), e.size)
            for e in self.cell.edges()
        }

    def start(
        self,
        batch: int,
        dtype: Any = float,
        params: Mapping[str, Any] | None = None,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[Any, ...]:
        """The rows that are learnt, for every sample; without `params` those of the cell itself."""
        if params is None:
            return super().start(batch, dtype, params, rng)
        found = []
        for edge in self.cell.edges():
            steps = [] if abs(edge.delay) == 1 else [abs(edge.delay)]
            row = mg.astype(params[f"{edge.name}_0"], dtype)
            row = mg.expand_dims(row, -2)
            found.append(mg.broadcast_to(row, (*steps, batch, edge.size)))
        return tuple(found)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell."""
        y, new = self.inner(p, x, state)
        return y, *new
