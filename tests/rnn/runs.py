"""Cells of cells and of every delay, to try laws of runs on, and when two runs are alike."""

from __future__ import annotations

from typing import Any

import pytest

import rnn
from minigrad.tree import flatten
from rnn.kinds import EXAMPLES, written
from rnn.testing.problem import agree
from tests.minigrad.cells import Delayed

DEEP: dict[str, rnn.Cell] = {
    "three layers": rnn.Stack([rnn.LSTMCell(3, 4), rnn.RNNCell(4, 2), rnn.Dense(2, 2)]),
    "Stack of stacks": rnn.Stack([rnn.Stack([rnn.GRUCell(3, 2)]), rnn.LSTMCell(2, 3)]),
    "delay 2": Delayed(3, 4, (("h", 2),)),
    "delays 1 and 3 in a stack": rnn.Stack([Delayed(3, 4, (("h", 1), ("g", 3))), rnn.Dense(4, 2)]),
    "GRU and LSTM": rnn.Bidirectional(rnn.GRUCell(3, 4), rnn.LSTMCell(3, 2)),
    "delay -1": Delayed(3, 4, (("h", -1),)),
    "delay -2": Delayed(3, 4, (("h", -2),)),
    "Stack of both directions": rnn.Stack(
        [rnn.Bidirectional(rnn.RNNCell(3, 2)), Delayed(4, 2, (("h", 2),))]
    ),
}
CELLS = {written(cell): cell for cell in EXAMPLES} | DEEP
CAUSAL = {
    name: cell
    for name, cell in CELLS.items()
    if all(edge.delay > 0 for edge in flatten(cell.edges())[0])
}
BOTH_WAYS = {name: cell for name, cell in CELLS.items() if name not in CAUSAL}

every_cell = pytest.mark.parametrize("name", CELLS)


def assert_equal(found: Any, wanted: Any) -> None:
    """The same structure, and the same bits but for the sign of zeros."""
    agree(found, wanted, "found")


def assert_close(found: Any, wanted: Any, operations: float) -> None:
    """Equal to `operations` roundings of the largest entry, each of them carried without growth.

    Where weights are small an error does not grow from step to step; `operations` counts those in
    the longest path from an input to a result.
    """
    agree(found, wanted, "found", operations)
