"""The layers of other libraries that weights are taken from and given to, by their options."""

from __future__ import annotations

from typing import Any

STEPS, BATCH, INPUTS, UNITS = 3, 2, 2, 3

Options = dict[str, Any]

TORCH: dict[str, tuple[str, Options]] = {
    "RNN": ("RNN", {}),
    "RNN without biases": ("RNN", {"bias": False}),
    "RNN of relu, 2 layers, both directions":
        ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bidirectional": True}),
    "LSTM": ("LSTM", {}),
    "LSTM without biases": ("LSTM", {"bias": False}),
    "LSTM, 2 layers": ("LSTM", {"num_layers": 2}),
    "LSTM, both directions": ("LSTM", {"bidirectional": True}),
    "LSTM, 2 layers, both directions": ("LSTM", {"num_layers": 2, "bidirectional": True}),
    "LSTM, projected": ("LSTM", {"proj_size": 2}),
    "LSTM, projected, 2 layers, both directions":
        ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    "GRU": ("GRU", {}),
    "GRU without biases": ("GRU", {"bias": False}),
    "GRU, 2 layers, both directions": ("GRU", {"num_layers": 2, "bidirectional": True}),
    "RNNCell": ("RNNCell", {}),
    "RNNCell of relu": ("RNNCell", {"nonlinearity": "relu"}),
    "LSTMCell": ("LSTMCell", {}),
    "GRUCell": ("GRUCell", {}),
}  # fmt: skip

KERAS: dict[str, tuple[str, Options, str | None]] = {
    "SimpleRNN": ("SimpleRNN", {}, None),
    "SimpleRNN of relu, without biases":
        ("SimpleRNN", {"activation": "relu", "use_bias": False}, None),
    "SimpleRNN, linear": ("SimpleRNN", {"activation": None}, None),
    "LSTM": ("LSTM", {}, None),
    "LSTM without biases": ("LSTM", {"use_bias": False}, None),
    "LSTM of other activations":
        ("LSTM", {"activation": "softplus", "recurrent_activation": "relu"}, None),
    "LSTM of hard sigmoids": ("LSTM", {"recurrent_activation": "hard_sigmoid"}, None),
    "GRU": ("GRU", {}, None),
    "GRU without biases": ("GRU", {"use_bias": False}, None),
    "GRU, reset before": ("GRU", {"reset_after": False}, None),
    "GRU, reset before, without biases": ("GRU", {"reset_after": False, "use_bias": False}, None),
    "LSTM, both directions": ("LSTM", {}, "concat"),
    "LSTM, both directions, without biases": ("LSTM", {"use_bias": False}, "mul"),
    "GRU, both directions, summed": ("GRU", {}, "sum"),
    "GRU, reset before, both directions, averaged": ("GRU", {"reset_after": False}, "ave"),
    "SimpleRNN, both directions, multiplied": ("SimpleRNN", {}, "mul"),
}  # fmt: skip

SINGLE = {"keras/LSTM of hard sigmoids": "PyTorch's slope of it is 1/6 in single precision"}
"""Cases whose gradients the library has in single precision alone, whatever it is asked for."""

ONNX: dict[str, tuple[str, Options]] = {
    "RNN": ("RNN", {}),
    "RNN of relu, reverse": ("RNN", {"activations": ["Relu"], "direction": "reverse"}),
    "LSTM": ("LSTM", {}),
    "LSTM, both directions": ("LSTM", {"direction": "bidirectional"}),
    "LSTM with peepholes": ("LSTM", {"P": True}),
    "LSTM with coupled gates and peepholes": ("LSTM", {"P": True, "input_forget": 1}),
    "LSTM with coupled gates": ("LSTM", {"input_forget": 1}),
    "LSTM of other activations": ("LSTM", {
        "activations": ["HardSigmoid", "Softplus", "Softplus"],
        "activation_alpha": [1 / 6], "activation_beta": [0.5],
    }),
    "GRU": ("GRU", {"linear_before_reset": 1}),
    "GRU, reset before": ("GRU", {}),
    "GRU, reset before, both directions": ("GRU", {"direction": "bidirectional"}),
    "GRU, both directions": ("GRU", {"direction": "bidirectional", "linear_before_reset": 1}),
}  # fmt: skip
