"""Laws of truncation: what is cut lets nothing through."""


import pytest

from rnn.testing import (
    Broken,
)
from tests.faults.network_probes import PROBES
from tests.faults.networks import FAULTS


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("truncated after k steps", "truncation lets gradients through"),
    ],
)
def test_a_law_alone_finds_the_fault_it_is_there_for(law, fault):
    """Other laws may come first in the gate, so that says nothing about these."""
    with FAULTS[fault].planted(), pytest.raises(Broken):
        PROBES[f"recurrent: {law}"](0)
