"""Character models: networks that say which character of a text comes next.

Classes go in, logits come out. The loss is the mean of −log p of the character that came; in bits
instead of nats it is what an arithmetic coder would spend on a character with this model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rnn.cell import Cell
from rnn.cells import Dense, LSTMCell
from rnn.checks import whole
from rnn.compose import Stack
from rnn.kinds import layered
from rnn.losses import cross_entropy
from rnn.run import run
from rnn.starts import begun
from rnn.text.streams import Streams
from rnn.text.vocabulary import Classes, Vocabulary

FOR_TEXT = {"lstm": partial(LSTMCell, forget_bias=0.0)}
"""Kinds that begin otherwise than alone: in a text little is worth keeping from the start.

With a bias of 1 an LSTM of 128 units comes in 2 million characters to a loss of 2.16 bits, with 0
to 2.01.
"""


def character_model(
    kind: str | Callable[..., Cell], symbols: int, hidden: int, layers: int = 1
) -> Stack:
    """Recurrent layers of one kind on top of each other, and a dense layer that gives logits.

    Args:
        kind: a name in `rnn.kinds.LAYERS`: "rnn", "lstm", "gru"; or what makes a cell of a number
            of inputs and of hidden units. Forget gates of an "lstm" begin half open, b_f = 0.
        symbols: number of classes V, both read and predicted.
        hidden: units H of each recurrent layer.
        layers: number of recurrent layers.

    >>> from rnn.kinds import written
    >>> written(character_model("gru", symbols=30, hidden=8))
    'Stack([GRUCell(30, 8), Dense(8, 30)])'
    """
    whole("character_model", "layers", layers)
    whole("character_model", "hidden", hidden)
    own = kind if callable(kind) else FOR_TEXT.get(kind, kind)
    made = layered(own, symbols, hidden, layers)
    return Stack([*made, Dense(made[-1].width, symbols)])


def check_vocabulary(cell: Cell, vocabulary: Vocabulary) -> None:
    """Refuse a cell that does not read and predict as many classes as there are characters."""
    if not cell.inputs == cell.width == len(vocabulary):
        raise ValueError(
            f"the vocabulary has {len(vocabulary)} characters, but {cell.label} takes "
            f"{cell.inputs} columns and gives {cell.width}; "
            f"character_model(kind, {len(vocabulary)}, hidden) fits"
        )


def loss_function(cell: Cell) -> Callable[..., Any]:
    """`loss(params, xs, targets, state) -> (loss, state)`, the loss in nats a character."""

    def loss(params: Any, xs: Any, targets: Any, state: Any) -> Any:
        logits, state = run(cell, params, xs, begun(cell, params, state))
        return cross_entropy(logits, targets), state

    return loss


def held_out_bits(cell: Cell, params: Any, classes: Classes, batch: int, length: int) -> float:
    """Bits per character on a text: the mean of −log₂ p, the hidden state carried through.

    Args:
        cell: from classes to logits.
        params: its parameters, as arrays.
        classes: the text, `(n,)`.
        batch: readers side by side, fewer if the text is short.
        length: steps at a time, fewer if the text is short.
    """
    length = max(1, min(length, len(classes) - 1))
    streams = Streams(classes, max(1, min(batch, (len(classes) - 1) // length)), length)
    loss, state, total = loss_function(cell), None, 0.0
    for k in range(len(streams)):
        value, state = loss(params, *streams[k], state)
        total += float(value)
    return total / len(streams) / float(np.log(2))
