"""Recurrent networks as graphs on minigrad."""

from rnn import bptt, checkpoint
from rnn.cell import Cell
from rnn.cells import Dense, GRUCell, LSTMCell, RNNCell, concatenated
from rnn.compose import Bidirectional, Reversed, Stack
from rnn.edge import Edge
from rnn.embedding import Embedding, Tied
from rnn.encoder_decoder import EncoderDecoder, encode_decode
from rnn.feedback import Feedback
from rnn.fit import Fit, fit, minibatches
from rnn.gated import CoupledLSTMCell, MGUCell
from rnn.history import History
from rnn.interop import from_keras, from_onnx, from_torch, to_keras, to_onnx, to_torch
from rnn.losses import binary_cross_entropy, cross_entropy, mse
from rnn.optim import SGD, Adam, RMSProp, clip_by_global_norm
from rnn.params import Init, Params, constant, glorot, orthogonal
from rnn.run import run
from rnn.tasks import (
    Task,
    many_to_many_delayed,
    many_to_many_synchronised,
    many_to_one,
    one_to_many,
    one_to_one,
    perform,
)
from rnn.tbptt import tbptt
from rnn.threads import one_thread
from rnn.wrappers.attention import Attention
from rnn.wrappers.noise import Dropout, RecurrentDropout, Zoneout
from rnn.wrappers.products import LayerNormalised
from rnn.wrappers.projected import Projected
from rnn.wrappers.shortcuts import Highway, Residual
from rnn.wrappers.start import LearnedStart

__all__ = [
    "SGD", "Adam", "Attention", "Bidirectional", "Cell", "CoupledLSTMCell", "Dense", "Dropout",
    "Edge", "Embedding", "EncoderDecoder", "Feedback", "Fit", "GRUCell", "Highway", "History",
    "Init", "LSTMCell", "LayerNormalised", "LearnedStart", "MGUCell", "Params", "Projected",
    "RMSProp", "RNNCell", "RecurrentDropout", "Residual", "Reversed", "Stack", "Task", "Tied",
    "Zoneout", "binary_cross_entropy", "bptt", "checkpoint", "clip_by_global_norm",
    "concatenated", "constant", "cross_entropy", "encode_decode", "fit", "from_keras",
    "from_onnx", "from_torch", "glorot", "many_to_many_delayed", "many_to_many_synchronised",
    "many_to_one", "minibatches", "mse", "one_thread", "one_to_many", "one_to_one", "orthogonal",
    "perform", "run", "tbptt", "to_keras", "to_onnx", "to_torch",
]  # fmt: skip
