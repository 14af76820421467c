"""Laws of the simple cell: what its recurrent weights carry."""


import pytest

from rnn.testing import (
    Broken,
)
from tests.faults.network_probes import PROBES
from tests.faults.networks import FAULTS


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("no recurrent weights, no memory", "memory beside W_hh"),
        ("at rest: a power of W_hh", "recurrent weights transposed"),
        ("output-to-hidden with identity readout", "output fed back transposed"),
    ],
)
def test_a_law_alone_finds_the_fault_it_is_there_for(law, fault):
    """Other laws may come first in the gate, so that says nothing about these."""
    with FAULTS[fault].planted(), pytest.raises(Broken):
        PROBES[f"recurrent: {law}"](0)
