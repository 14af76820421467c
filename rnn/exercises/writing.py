"""Networks that write: told the right characters while they learn, or left to what they wrote.

Teacher forcing gives as each input the character that should have come before (Williams, Zipser
1989). Running free, a network reads what it wrote itself; so it is always judged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.cell import Cell
from rnn.run import run

Rows = Callable[[Array], Array]
"""What a network reads after it wrote those classes: `(B,)` to `(1, B, X)`."""


def greedy(
    cell: Cell, params: Any, logits: Any, state: Any, rows: Rows, more: int
) -> tuple[Array, ...]:
    """The likeliest classes one after the other, each read before the next: `more` + 1 of `(B,)`.

    Args:
        cell: what writes.
        params: its parameters.
        logits: of the first, `(B, V)`.
        state: after it.
        rows: makes an input of classes.
        more: how many follow the first.
    """
    written = [logits.argmax(-1)]
    for _ in range(more):
        ys, state = run(cell, params, rows(written[-1]), state)
        written.append(ys[-1].argmax(-1))
    return tuple(written)


def one_hot(classes: Array, size: int) -> Array:
    """Rows of one-hot `(..., size)`.

    >>> one_hot(np.array([1, 0]), 3)
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    return np.asarray(mg.one_hot(classes, size), float)
