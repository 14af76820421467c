"""Recurrent networks as graphs on minigrad."""

from rnn import bptt
from rnn.cell import Cell, Edge
from rnn.cells import Dense, GRUCell, LSTMCell, RNNCell, concatenated
from rnn.compose import Bidirectional, Stack
from rnn.feedback import Feedback
from rnn.losses import binary_cross_entropy, cross_entropy, mse
from rnn.optim import SGD, Adam, RMSProp, clip_by_global_norm
from rnn.params import Init, Params, constant, glorot, orthogonal
from rnn.run import run
from rnn.tasks import (
    Task,
    encode_decode,
    many_to_many_delayed,
    many_to_many_synchronised,
    many_to_one,
    one_to_many,
    one_to_one,
    perform,
)
from rnn.threads import one_thread

__all__ = [
    "SGD", "Adam", "Bidirectional", "Cell", "Dense", "Edge", "Feedback", "GRUCell", "Init",
    "LSTMCell", "Params", "RMSProp", "RNNCell", "Stack", "Task", "binary_cross_entropy", "bptt",
    "clip_by_global_norm", "concatenated", "constant", "cross_entropy", "encode_decode", "glorot",
    "many_to_many_delayed", "many_to_many_synchronised", "many_to_one", "mse", "one_thread",
    "one_to_many", "one_to_one", "orthogonal", "perform", "run",
]  # fmt: skip
