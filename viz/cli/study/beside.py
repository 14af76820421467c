"""The networks that a flow is shown beside: the same sizes, another kind of cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn import Cell, Dense, Params, Stack
from rnn.kinds import LAYERS
from viz.cli.study.setup import Setup

HIDDEN = 32
"""Units of what a cell is shown beside if it does not tell how many it has."""

BESIDE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "RNN": ("rnn", {}),
    "GRU": ("gru", {}),
    "LSTM b_f = 0": ("lstm", {"forget_bias": 0.0}),
    "LSTM b_f = 1": ("lstm", {"forget_bias": 1.0}),
    "LSTM b_f = 3": ("lstm", {"forget_bias": 3.0}),
}
"""Their names, kinds and options."""


def beside(s: Setup, seed: int) -> dict[str, tuple[Cell, Mapping[str, Any]]]:
    """Networks that read what the setup's reads, with first weights.

    As many inputs, units and outputs as the network of the setup; a readout where it has one.
    """
    first = getattr(s.cell, "layers", (s.cell,))[0]
    hidden = getattr(first, "hidden", HIDDEN)
    found: dict[str, tuple[Cell, Mapping[str, Any]]] = {}
    for name, (kind, options) in BESIDE.items():
        layer: Cell = LAYERS[kind](s.cell.inputs, hidden, **options)
        width = s.cell.width
        cell = layer if layer.width == width else Stack([layer, Dense(hidden, width)])
        params = cell.init(seed)
        if cell != s.cell or not _same(params, s.params):
            found[name] = cell, params
    return found


def _same(params: Params, others: Any) -> bool:
    """Whether it is the network of the setup itself."""
    pairs = zip(params.named().values(), others.named().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
