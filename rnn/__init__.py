"""Recurrent networks as graphs on minigrad."""

from rnn.cell import Cell, Edge
from rnn.cells import Dense, GRUCell, LSTMCell, RNNCell, concatenated
from rnn.compose import Bidirectional, Stack
from rnn.losses import binary_cross_entropy, cross_entropy, mse
from rnn.optim import SGD, Adam, RMSProp, clip_by_global_norm
from rnn.params import Init, Params, constant, glorot, orthogonal
from rnn.run import run

__all__ = [
    "SGD", "Adam", "Bidirectional", "Cell", "Dense", "Edge", "GRUCell", "Init", "LSTMCell",
    "Params", "RMSProp", "RNNCell", "Stack", "binary_cross_entropy", "clip_by_global_norm",
    "concatenated", "constant", "cross_entropy", "glorot", "mse", "orthogonal", "run",
]  # fmt: skip
