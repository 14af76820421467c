"""Weights of other libraries, in and out, with a receipt of what became of each.

PyTorch, Keras and ONNX keep the gates of a layer side by side in one matrix, each in its own order;
here each gate has its own weights. What differs is data: `libraries` has the orders, `gates` takes
such matrices apart and puts them together again, in one place for all. What a library has no
place for is refused: no conversion loses a number silently.
"""

from rnn.interop.keras import from_keras, to_keras
from rnn.interop.onnx import from_onnx, to_onnx
from rnn.interop.receipt import Imported, Receipt
from rnn.interop.torch import from_torch, to_torch

__all__ = [
    "Imported", "Receipt", "from_keras", "from_onnx", "from_torch", "to_keras", "to_onnx",
    "to_torch",
]  # fmt: skip
