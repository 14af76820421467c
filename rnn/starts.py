"""What the sequences of a training step begin with: what is carried, what is learnt, what is drawn.

A start that is learnt is made of the parameters inside the loss, or it has no gradient. A mask is
drawn outside of it, for what is compiled holds no chance. So a step is `handed` a state in which
None stands where a sequence begins and nothing is drawn, and the loss has it `begun`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.tree import flatten
from rnn.cell import Cell
from rnn.checks import tensor_or_array

CHANCE = 1
"""Sets masks apart from data that are drawn by the seed and the step too."""


def drawn(seed: int, step: int) -> np.random.Generator:
    """What draws the masks of a step, a function of the two alone: runs go on bit for bit."""
    return np.random.default_rng([seed, step, CHANCE])


def handed(
    cell: Cell, params: Mapping[str, Any], xs: Any, carried: Any, seed: int, step: int
) -> Any:
    """The state that a step is given, nested as that of the cell; None where nothing is drawn.

    Masks (`rnn.Dropout`, `rnn.Zoneout`) are drawn anew for every step, also where the rest of the
    state is carried.

    Args:
        cell: any.
        params: its parameters, for their precision.
        xs: what is read, `(T, B, …)`, or a tuple of such.
        carried: the state in which the step before ended; None where the sequences begin.
        seed: of all masks.
        step: its number.

    >>> import numpy as np, rnn
    >>> cell = rnn.Stack([rnn.Dropout(2, 0.5), rnn.GRUCell(2, 3)])
    >>> handed(cell, cell.init(0), np.ones((7, 1, 2)), None, seed=1, step=0)
    ((array([[2., 0.]]),), (None,))
    """
    edges, tree = flatten(cell.edges())
    if all(edge.is_reset for edge in edges):
        return carried
    rows = tensor_or_array(flatten(xs)[0][0]).shape[1]
    fresh = flatten(cell.start(rows, flatten(params)[0][0].dtype, rng=drawn(seed, step)))[0]
    kept = [None] * len(edges) if carried is None else flatten(carried)[0]
    pairs = zip(edges, kept, fresh, strict=True)
    return tree.unflatten(k if edge.is_reset else mask for edge, k, mask in pairs)


def begun(cell: Cell, params: Mapping[str, Any], state: Any) -> Any:
    """The same with the start values of the cell in place of None, made of its parameters."""
    leaves, tree = flatten(state)
    given = next((x for x in leaves if x is not None), None)
    if given is None or all(x is not None for x in leaves):
        return state  # all of it, or nothing, for which runs have `cell.start` themselves
    own = flatten(cell.start(given.shape[-2], given.dtype, params))[0]
    return tree.unflatten(o if x is None else x for o, x in zip(own, leaves, strict=True))
