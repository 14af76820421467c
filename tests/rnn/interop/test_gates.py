"""Matrices of gates side by side are taken apart and put together by one rule for all libraries."""

from __future__ import annotations

import numpy as np
import pytest

import rnn
from rnn.interop import gates
from rnn.interop.libraries import KERAS, ONNX, TORCH


@pytest.mark.parametrize("library", [TORCH, KERAS, ONNX], ids=lambda library: library.name)
def test_a_gate_is_found_where_the_library_puts_it(library):
    """Each block of a matrix holds the place of its gate; counted here, not computed."""
    places = {
        ("PyTorch", "lstm"): {"i": 0, "f": 1, "c": 2, "o": 3},
        ("PyTorch", "gru"): {"r": 0, "z": 1, "n": 2},
        ("Keras", "lstm"): {"i": 0, "f": 1, "c": 2, "o": 3},
        ("Keras", "gru"): {"z": 0, "r": 1, "n": 2},
        ("ONNX", "lstm"): {"i": 0, "o": 1, "f": 2, "c": 3},
        ("ONNX", "gru"): {"z": 0, "r": 1, "n": 2},
    }
    for kind, cell in (("lstm", rnn.LSTMCell(1, 2)), ("gru", rnn.GRUCell(1, 2))):
        row = np.repeat(np.arange(float(gates.GATES[kind])), 2)
        names = dict.fromkeys(("kernel", "recurrent", "bias", "recurrent_bias"), "")
        blocks = gates.Blocks(row[None], np.stack([row, row]), row, 10.0 * row, names=names)
        found, _ = gates.taken_apart(library, kind, blocks, cell, "")
        for gate, place in places[library.name, kind].items():
            assert (found[f"W_x{gate}"] == place).all()
            assert (found[f"W_h{gate}"] == place).all()
            apart = kind == "gru" and gate == "n"
            assert (found[f"b_{gate}"] == (place if apart else 11 * place)).all()
        if kind == "gru":
            assert (found["b_hn"] == 20).all()


def test_a_forget_gate_that_is_not_read_would_still_be_right():
    """Coupled gates: what stands in the place of f mirrors i, so f = σ(−z_i) = 1 − i."""
    cell = rnn.CoupledLSTMCell(2, 3)
    p = cell.init(0)
    names = {"kernel": "W", "recurrent": "R", "bias": "b", "recurrent_bias": "c"}
    blocks, _ = gates.put_together(ONNX, "lstm", cell, p, names, "")
    plain, _ = gates.taken_apart(ONNX, "lstm", blocks, rnn.LSTMCell(2, 3), "")
    xs = np.random.default_rng(0).normal(size=(4, 2, 2))
    np.testing.assert_allclose(
        rnn.run(rnn.LSTMCell(2, 3), plain, xs)[0], rnn.run(cell, p, xs)[0], rtol=1e-12, atol=1e-14
    )
