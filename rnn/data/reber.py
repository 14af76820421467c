"""Strings of the embedded Reber grammar: a symbol near the start returns near the end.

B, then T or P, then a whole Reber string from B to E, then the same T or P, then E. Between them
the grammar goes on by coin tosses. Source: Fahlman, The recurrent cascade-correlation architecture
(1991); Hochreiter, Schmidhuber (1997), experiment 1.
"""

from __future__ import annotations

import numpy as np

from minigrad.core import Array

SYMBOLS = "BTPSXVE"

GRAMMAR: tuple[dict[str, int], ...] = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
)
"""Reber's graph: from each node, the node that each symbol leads to; 7 is the end."""


def embedded(rng: np.random.Generator) -> str:
    """One string.

    >>> embedded(np.random.default_rng(1))
    'BTBPVVETE'
    """
    outer = "TP"[rng.integers(2)]
    node, inner = 0, ""
    while node < 7:
        ways = list(GRAMMAR[node])
        symbol = ways[rng.integers(len(ways))]
        node, inner = GRAMMAR[node][symbol], inner + symbol
    return f"B{outer}{inner}{outer}E"


def strings(rng: np.random.Generator, steps: int, batch: int) -> tuple[Array, Array, Array]:
    """Symbols, the symbol after each, and whether there is one: `(T, B)` each.

    Classes are places in `SYMBOLS`. Strings that do not fit into T steps are drawn again; shorter
    ones are padded.

    >>> xs, targets, mask = strings(np.random.default_rng(1), 12, 1)
    >>> written(xs[mask]), written(targets[mask])
    ('BTBPVVET', 'TBPVVETE')
    """
    xs, targets = np.zeros((2, steps, batch), np.int64)
    mask = np.zeros((steps, batch), bool)
    for b in range(batch):
        text = embedded(rng)
        while len(text) - 1 > steps:
            text = embedded(rng)
        classes = [SYMBOLS.index(symbol) for symbol in text]
        n = len(classes) - 1
        xs[:n, b], targets[:n, b], mask[:n, b] = classes[:-1], classes[1:], True
    return xs, targets, mask


def successors(xs: Array) -> Array:
    """Which symbols may follow each of the steps, `(T, B, 7)`; none after a string's end.

    >>> legal = successors(strings(np.random.default_rng(1), 12, 1)[0])
    >>> [written(np.flatnonzero(row)) for row in legal[:4, 0]]
    ['TP', 'B', 'TP', 'TV']
    """
    legal = np.zeros((*xs.shape, len(SYMBOLS)), bool)
    for b in range(xs.shape[1]):
        text = written(xs[:, b])
        node = 0
        for t, symbol in enumerate(text):
            if t == 0:
                ways = "TP"
            elif t == 1:
                ways = "B"
            elif node < 7:
                node = GRAMMAR[node][symbol]
                ways = "".join(GRAMMAR[node]) if node < 7 else text[1]
            else:
                legal[t, b, SYMBOLS.index("E")] = True
                break
            for way in ways:
                legal[t, b, SYMBOLS.index(way)] = True
    return legal


def written(classes: Array) -> str:
    """The symbols of classes."""
    return "".join(SYMBOLS[k] for k in classes)
