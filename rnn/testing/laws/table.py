"""How a recurrent law is entered into a table, and what several laws ask of a cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigrad.tree import flatten
from rnn.cell import Cell
from rnn.testing.problem import DoesNotApply

Law = Callable[[Cell, int], None]


def entry(table: dict[str, Law]) -> Callable[[str], Callable[[Law], Law]]:
    """A decorator that enters a function into a table of laws, by the law's name."""
    return lambda name: lambda function: table.setdefault(name, function)


def causal(cell: Cell) -> None:
    """Go on only if no edge runs against time."""
    if any(edge.delay < 0 for edge in flatten(cell.edges())[0]):
        raise DoesNotApply("an edge runs against time")


def shapes_of(seed: int) -> tuple[int, int]:
    """A number of steps and of samples."""
    rng = np.random.default_rng(seed)
    return int(rng.integers(3, 6)), int(rng.integers(2, 4))
