"""Laws of weights: every parameter matters, but for those that a cell names."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing import (
    Broken,
    all_laws,
    assert_law,
)
from tests.faults.network_probes import PROBES
from tests.faults.networks import FAULTS


@dataclass(frozen=True)
class Forgetful(rnn.Cell):
    """A cell that forgets `@ p.W_hh`, and one that says so; the loss may read it."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        X, H = self.inputs, self.hidden
        return {"W_xh": rnn.glorot(X, H), "W_hh": rnn.orthogonal(H, H), "b": rnn.constant(0.0, H)}

    def step(self, p, x, h):
        h = mg.named("h", mg.tanh(x @ p.W_xh + h + p.b))
        return h, h


class Meant(Forgetful):
    idle = ("W_hh",)


class Wrong(Forgetful):
    idle = ("W_hh", "b")


class Unknown(Forgetful):
    idle = ("W_hh", "W_oo")


class Normalised(Forgetful):
    """A bias that is taken out again, but for rounding."""

    idle = ("W_hh", "b")

    def step(self, p, x, h):
        z = x @ p.W_xh + h + mg.mean(p.b)
        h = mg.named("h", mg.tanh(z - mg.mean(z, -1, True)))
        return h, h


def test_a_forgotten_parameter_breaks_one_law():
    card = all_laws(Forgetful(3, 4))
    assert card.broken == ["every parameter matters"]
    told = card.verdicts["every parameter matters"]
    assert told == "W_hh: other values give the same outputs and states"
    with pytest.raises(Broken, match=r"^layer1\.W_hh, layer2\.W_hh: other values"):
        assert_law("every parameter matters", rnn.Stack([Forgetful(3, 4), Forgetful(4, 4)]))


@pytest.mark.parametrize("cell", [Meant(3, 4), rnn.Stack([Meant(3, 4), rnn.Dense(4, 2)])])
def test_a_parameter_that_rightly_does_nothing_is_named(cell):
    assert_law("every parameter matters", cell)


def test_rounding_is_no_effect():
    assert_law("every parameter matters", Normalised(3, 4))


@pytest.mark.parametrize(
    ("cell", "told"),
    [(Wrong(3, 4), "b: named idle, but"), (Unknown(3, 4), "idle names W_oo, which is no")],
)
def test_what_is_named_idle_is(cell, told):
    with pytest.raises(Broken, match=f"^{told}"):
        assert_law("every parameter matters", cell)


@settings(max_examples=3 * settings().max_examples)
@given(seed=st.integers(0, 2**16), hidden=st.integers(1, 3))
def test_units_that_are_off_raise_no_alarm(seed, hidden):
    cell = rnn.RNNCell(2, hidden, 1, activation="relu", output_activation="relu")
    assert_law("every parameter matters", cell, seed)


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("every parameter matters", "recurrent weights forgotten"),
    ],
)
def test_a_law_alone_finds_the_fault_it_is_there_for(law, fault):
    """Other laws may come first in the gate, so that says nothing about these."""
    with FAULTS[fault].planted(), pytest.raises(Broken):
        PROBES[f"recurrent: {law}"](0)
