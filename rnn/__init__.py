"""Recurrent networks as graphs on minigrad."""

from rnn.cell import Cell, Edge
from rnn.cells import Dense, GRUCell, LSTMCell, RNNCell, concatenated
from rnn.compose import Bidirectional, Stack
from rnn.params import Init, Params, constant, glorot, orthogonal
from rnn.run import run

__all__ = [
    "Bidirectional", "Cell", "Dense", "Edge", "GRUCell", "Init", "LSTMCell", "Params", "RNNCell",
    "Stack", "concatenated", "constant", "glorot", "orthogonal", "run",
]  # fmt: skip
