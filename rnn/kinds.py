"""The kinds of cells by name: what the command line offers, the README lists, the tests hold to.

A new kind is a class with a `step`, its name in `rnn`, and one line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

from rnn.cell import Cell
from rnn.cells import RECURRENCES, Dense, GRUCell, LSTMCell, RNNCell
from rnn.compose import Bidirectional, Reversed, Stack
from rnn.embedding import Embedding, Tied
from rnn.gated import CoupledLSTMCell, MGUCell
from rnn.wrappers.attention import Attention
from rnn.wrappers.noise import Dropout, RecurrentDropout, Zoneout
from rnn.wrappers.products import LayerNormalised
from rnn.wrappers.projected import Projected
from rnn.wrappers.shortcuts import Highway, Residual
from rnn.wrappers.start import LearnedStart

TIES = (("layer3.W", "layer1.E"),)

KINDS: dict[str, tuple[Cell, ...]] = {
    "rnn": (RNNCell(3, 4), RNNCell(3, 4, 2, RECURRENCES)),
    "lstm": (
        LSTMCell(3, 4),
        LSTMCell(3, 4, peepholes=True),
        LSTMCell(3, 4, gate_activation="hard_sigmoid"),
    ),
    "gru": (GRUCell(3, 4), GRUCell(3, 4, reset="before")),
    "coupled": (CoupledLSTMCell(3, 4),),
    "mgu": (MGUCell(3, 4),),
    "dense": (Dense(3, 2), Dense(3, 2, activation="tanh")),
    "stack": (Stack([RNNCell(3, 4), Dense(4, 2)]),),
    "bidirectional": (Bidirectional(RNNCell(3, 4)), Bidirectional(RNNCell(3, 4), merge="sum")),
    "reversed": (Reversed(RNNCell(3, 4)),),
    "embedding": (Embedding(3, 2),),
    "tied": (Tied(Stack([Embedding(3, 4), RNNCell(4, 4), Dense(4, 3)]), TIES),),
    "dropout": (Dropout(3, 0.25), Dropout(3, 0.25, steps=2)),
    "recurrent dropout": (RecurrentDropout(GRUCell(3, 4), 0.25),),
    "zoneout": (Zoneout(LSTMCell(3, 4), (0.25, 0.5), 2),),
    "layer normalised": (LayerNormalised(GRUCell(3, 4)),),
    "residual": (Residual(RNNCell(3, 3)),),
    "highway": (Highway(RNNCell(3, 3)),),
    "learnt start": (LearnedStart(LSTMCell(3, 4)),),
    "projected": (Projected(LSTMCell(3, 4), 2),),
    "attention": (Attention(RNNCell(5, 4), 3, 2),),
}
"""Examples of every kind, the plain one first, then its options, all with X, H, O = 3, 4, 2.

What a kind is for, and its source, is the first line of its class's documentation.
"""

EXAMPLES = tuple(cell for examples in KINDS.values() for cell in examples)

LAYERS: dict[str, type[Any]] = {
    name: type(plain) for name, (plain, *_) in KINDS.items() if hasattr(plain, "hidden")
}
"""The classes that are made from a number of inputs and of hidden units: recurrent layers."""


def layered(
    kind: str | Callable[..., Cell], inputs: int, hidden: int, count: int = 1, **options: Any
) -> list[Cell]:
    """Recurrent layers of one kind, each as input of the next; the options are of the last one.

    A kind is a name in `LAYERS`, or what makes a cell of a number of inputs and of hidden units.

    >>> [written(cell) for cell in layered("gru", 3, 4, count=2, reset="before")]
    ['GRUCell(3, 4)', "GRUCell(4, 4, reset='before')"]
    """
    if not callable(kind) and kind not in LAYERS:
        raise ValueError(f"unknown cell {kind!r}; there are {', '.join(LAYERS)}")
    made = kind if callable(kind) else LAYERS[kind]
    layers = [made(inputs, hidden, **(options if count == 1 else {}))]
    for k in range(1, count):  # a cell of somebody else may give more columns than it has units
        layers.append(made(layers[-1].width, hidden, **(options if k == count - 1 else {})))
    return layers


def written(cell: Cell) -> str:
    """A cell as one writes it, without what is left as it is by default.

    >>> [written(cell) for cell in KINDS["gru"]]
    ['GRUCell(3, 4)', "GRUCell(3, 4, reset='before')"]
    """
    known = fields(cell)  # type: ignore[arg-type]  # a cell of the table is a dataclass
    sizes = [field.name for field in known if field.default is MISSING]
    plain = type(cell)(*[getattr(cell, name) for name in sizes])
    said = [_told(getattr(cell, name)) for name in sizes]
    for field in known:
        value = getattr(cell, field.name)
        if value != getattr(plain, field.name):
            said.append(f"{field.name}={_told(value)}")
    return f"{type(cell).__name__}({', '.join(said)})"


def _told(value: Any) -> str:
    if isinstance(value, Cell):
        return written(value)
    if isinstance(value, tuple) and all(isinstance(item, Cell) for item in value):
        return f"[{', '.join(map(written, value))}]"
    return repr(value)
