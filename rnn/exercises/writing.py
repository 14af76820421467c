"""Networks that write: told the right characters while they learn, or left to what they wrote.

Teacher forcing gives as each input the character that should have come before (Williams, Zipser
1989). Running free, a network reads what it wrote itself; so it is always judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.cell import Cell
from rnn.run import run

Rows = Callable[[Array], Array]
"""What a network reads after it wrote those classes: `(B,)` to `(1, B, X)`."""


@dataclass(frozen=True)
class EncoderDecoder(Cell):
    """Two cells, of which the second begins with the state in which the first ends.

    It has the parameters of both and no step of its own: `rnn.encode_decode` runs it, and so does
    `told` of `rnn.exercises.dates`.

    >>> import rnn
    >>> list(EncoderDecoder(rnn.GRUCell(3, 4), rnn.GRUCell(2, 4)).init(0))
    ['encoder', 'decoder']
    """

    encoder: Cell
    decoder: Cell

    @property
    def inputs(self) -> int:  # type: ignore[override]  # that of the encoder
        """The number of input columns of the encoder."""
        return self.encoder.inputs

    def parameters(self) -> Mapping[str, Any]:
        """Those of both."""
        return {"encoder": self.encoder.parameters(), "decoder": self.decoder.parameters()}

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        """Refused: there are two loops, one after the other."""
        raise TypeError("an encoder and a decoder have no common step; run them by encode_decode")


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
