"""Laws of one run in many ways: a cell that does not run, and what saving may lose."""

import re
from dataclasses import dataclass

import pytest

import minigrad as mg
import rnn
from rnn.testing import (
    Broken,
    all_laws,
)
from tests.faults.network_probes import PROBES
from tests.faults.networks import FAULTS


@dataclass(frozen=True)
class Failing(rnn.Cell):
    """A step that raises; or, with a number of units that is odd, numbers that are not finite."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        return {"W_xh": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p, x, h):
        h = mg.log(-1.0 - mg.square(x @ p.W_xh)) if self.hidden % 2 else p.nobody
        return h, h


@pytest.mark.parametrize(
    ("hidden", "told"), [(4, r"nobody.*test_runs.py:\d+\)"), (3, "not finite: result")]
)
def test_a_cell_that_does_not_run_is_told_once(hidden, told):
    card = all_laws(Failing(3, hidden))
    assert card.broken == ["runs"]
    assert re.search(told, str(card))
    assert "padding: the cell does not run" in str(card)


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("saved and loaded", "saved in single precision"),
        ("saved and loaded", "states loaded in reverse"),
    ],
)
def test_a_law_alone_finds_the_fault_it_is_there_for(law, fault):
    """Other laws may come first in the gate, so that says nothing about these."""
    with FAULTS[fault].planted(), pytest.raises(Broken):
        PROBES[f"recurrent: {law}"](0)


@dataclass(frozen=True)
class Overflowing(rnn.Cell):
    """Right, but its fourth power is not finite after a few steps."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        return {"W_xh": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p, x, h):
        h = (x @ p.W_xh + 3.0 * h) ** 4.0 + 5.0
        return h, h


def test_a_cell_that_overflows_is_not_finite_once():
    card = all_laws(Overflowing(3, 4))
    assert card.broken == ["runs"]
    assert re.match(r"not finite: result\[0\]\[\d, \d, \d\] is inf, and ", card.verdicts["runs"])
