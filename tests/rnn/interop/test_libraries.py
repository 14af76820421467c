"""What is known of each library is whole: every gate once, every activation by one name."""

from __future__ import annotations

import pytest

from rnn.activations import activations
from rnn.interop.libraries import KERAS, ONNX, TORCH

GATES = {"rnn": "h", "lstm": "cfio", "gru": "nrz"}


@pytest.mark.parametrize("library", [TORCH, KERAS, ONNX], ids=lambda library: library.name)
def test_every_gate_has_its_place_and_every_activation_its_name(library):
    assert {kind: "".join(sorted(order)) for kind, order in library.orders.items()} == GATES
    assert all(len(library.letters[kind].split()) == len(g) for kind, g in GATES.items())
    assert set(library.activations.values()) <= set(activations())
    assert {library.activations[theirs] for theirs in library.ours.values()} == set(library.ours)
    assert sorted(library.peepholes) in ([], sorted("ifo"))
