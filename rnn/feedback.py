"""A network that reads what it wrote: one more delayed edge, from the output to the input.

Being an edge of the folded graph it is drawn, unfolded and differentiated like any recurrence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.errors import ShapeError
from rnn.cell import Cell
from rnn.edge import Edge
from rnn.wrappers.wrapper import Wrapper


def identity(y: Any) -> Any:
    """y as it is: what feeds an output back unchanged."""
    return y


@dataclass(frozen=True)
class Feedback(Wrapper):
    """A cell with a delayed edge from its output to its input: feed(y⁽ᵗ⁻¹⁾) in place of x⁽ᵗ⁾.

    At which steps is told by one more column of the input, the last: 1 where y is fed back, else 0.

    Args:
        cell: the cell whose output is fed back.
        feed: makes an input `(B, X)` from an output `(B, Y)`, out of minigrad functions.

    >>> import rnn
    >>> Feedback(rnn.RNNCell(3, 5, 3)).edges()
    (Edge(name='h', delay=1, size=5), Edge(name='y', delay=1, size=3))
    """

    cell: Cell
    feed: Callable[[Any], Any] = identity

    def __post_init__(self) -> None:
        fed = np.shape(self.feed(np.zeros((1, self.cell.width))))
        if fed != (1, self.cell.inputs):
            raise ShapeError(
                f"Feedback: {self.cell.label} takes {self.cell.inputs} columns, but an output fed "
                f"back has {fed[-1]}; give feed= a function that makes an input from an output"
            )

    @property
    def inputs(self) -> int:  # type: ignore[override]  # one more than the cell's
        """The number of input columns of the cell, and one."""
        return self.cell.inputs + 1

    def own_edges(self) -> tuple[Edge, ...]:
        """The output y."""
        return (Edge("y", 1, self.cell.width),)

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """One step of the cell, on the input or on what is fed back."""
        *before, y = state
        x = mg.where(x[:, -1:] > 0, self.feed(y), x[:, :-1])
        y, new = self.inner(p, x, before)
        return y, *new, y
