"""What libraries differ in: the order of gates, which way a matrix stands, their activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Library:
    """How a library keeps the weights of a recurrent layer.

    Attributes:
        name: of the library.
        orders: for each kind of layer the gates in their order, by the letters they have here:
            h of an RNN, f i c o of a memory cell (c makes C̃), r z n of a GRU (n makes h̃).
        letters: the same gates by the library's own letters, for receipts.
        is_turned: whether a matrix has a row for each unit, so that x W is x Wᵀ there.
        activations: its names of activations, and ours.
        peepholes: the order of peephole weights, if it has any.
    """

    name: str
    orders: Mapping[str, str]
    letters: Mapping[str, str]
    is_turned: bool
    activations: Mapping[str, str]
    peepholes: str = ""
    ours: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        turned = {mine: theirs for theirs, mine in self.activations.items()}
        object.__setattr__(self, "ours", turned)


TORCH = Library(
    "PyTorch", {"rnn": "h", "lstm": "ifco", "gru": "rzn"},
    {"rnn": "h", "lstm": "i f g o", "gru": "r z n"}, True,
    {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid"},
)  # fmt: skip
KERAS = Library(
    "Keras", {"rnn": "h", "lstm": "ifco", "gru": "zrn"},
    {"rnn": "h", "lstm": "i f c o", "gru": "z r h"}, False,
    {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "hard_sigmoid": "hard_sigmoid",
     "linear": "identity", "softplus": "softplus", "exponential": "exp"},
)  # fmt: skip
ONNX = Library(
    "ONNX", {"rnn": "h", "lstm": "iofc", "gru": "zrn"},
    {"rnn": "h", "lstm": "i o f c", "gru": "z r h"}, True,
    {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid", "HardSigmoid": "hard_sigmoid",
     "Softplus": "softplus"},
    peepholes="iof",
)  # fmt: skip
