"""The recurrent laws hold for every cell there is, drawn ones too, and say what is broken."""

import re
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing import (
    LAWS,
    Broken,
    DoesNotApply,
    all_laws,
    assert_law,
    cells,
    recurrent_networks,
    sequences,
)
from rnn.testing.gate import FAULTS, PROBES
from rnn.testing.networks import Mixed
from rnn.testing.problem import agree


@settings(max_examples=5)
@pytest.mark.parametrize("law", LAWS)
@given(cell=cells(), seed=st.integers(0, 2**16))
def test_every_law_holds_for_drawn_cells(law, cell, seed):
    with suppress(DoesNotApply):
        assert_law(law, cell, seed)


@given(q=recurrent_networks())
def test_drawn_networks_give_the_same_numbers_on_the_graph(q):
    agree(q.run(unfolded=True), q.run(), "unfolded", q.roundings())


@given(pair=sequences(ragged=True))
def test_ragged_sequences_have_lengths_that_fit(pair):
    xs, lengths = pair
    assert lengths.shape == (xs.shape[1],)
    assert np.all(lengths <= len(xs))


@dataclass(frozen=True)
class Careless(rnn.Cell):
    """Mixes its samples, and knows what it was called before."""

    inputs: int
    hidden: int
    state = ("h",)

    def parameters(self):
        return {"W_xh": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p, x, h):
        h = mg.tanh(x @ p.W_xh + mg.mean(h, 0, True))
        return h, h


@pytest.mark.parametrize("delay", [-3, -1, 1, 2])
def test_both_directions_of_a_cell_of_any_delay_are_two_runs(delay):
    """The state of one step has no axis of time that could be turned."""
    slow = Mixed(3, 2, (("h", delay),), ("leak",))
    assert_law("layers compose", rnn.Bidirectional(rnn.GRUCell(3, 2), slow))
    assert_law("layers compose", rnn.Bidirectional(slow))


def test_a_cell_that_mixes_samples_breaks_the_laws_of_batches_alone():
    card = all_laws(Careless(3, 4))
    assert {"batch permutation", "padding"} <= set(card.broken)
    assert "gradient" not in card.broken
    assert "BROKEN  batch permutation" in str(card)
    with pytest.raises(Broken, match="samples"):
        assert_law("batch permutation", Careless(3, 4))


@dataclass(frozen=True)
class Failing(Careless):
    """A step that raises; or, with a number of units that is odd, numbers that are not finite."""

    def step(self, p, x, h):
        h = mg.log(-1.0 - mg.square(x @ p.W_xh)) if self.hidden % 2 else p.nobody
        return h, h


@pytest.mark.parametrize(
    ("hidden", "told"), [(4, r"nobody.*test_recurrent.py:\d+\)"), (3, "not finite: result")]
)
def test_a_cell_that_does_not_run_is_told_once(hidden, told):
    card = all_laws(Failing(3, hidden))
    assert card.broken == ["runs"]
    assert re.search(told, str(card))
    assert "padding: the cell does not run" in str(card)


def test_a_card_without_a_cell_or_a_draw_is_refused():
    with pytest.raises(TypeError, match="all_laws takes a cell"):
        all_laws(rnn.LSTMCell)
    with pytest.raises(ValueError, match="no seeds, so no law would be tried"):
        all_laws(rnn.LSTMCell(2, 2), seeds=[])


def test_a_delay_of_several_steps_may_run_backward():
    """The law gave the backward layer its start values in the wrong order."""
    cell = Mixed(3, 1, (("h", 2), ("g", 1)), ("new", "leak"))
    assert_law("layers compose", rnn.Bidirectional(rnn.RNNCell(3, 1), cell))


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


def test_an_unknown_law_is_told():
    with pytest.raises(ValueError, match="unknown law 'gravity'"):
        assert_law("gravity", rnn.LSTMCell(2, 2))
    with pytest.raises(TypeError, match="takes a cell"):
        assert_law("padding", "LSTM")


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("every parameter matters", "recurrent weights forgotten"),
        ("truncated after k steps", "truncation lets gradients through"),
        ("no recurrent weights, no memory", "memory beside W_hh"),
        ("at rest: a power of W_hh", "recurrent weights transposed"),
        ("output-to-hidden with identity readout", "output fed back transposed"),
        ("saved and loaded", "saved in single precision"),
        ("saved and loaded", "states loaded in reverse"),
        ("drawn as it is", "every edge drawn with delay 1"),
        ("drawn as it is", "parameters drawn at the first step"),
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
