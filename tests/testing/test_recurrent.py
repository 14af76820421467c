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


def test_an_unknown_law_is_told():
    with pytest.raises(ValueError, match="unknown law 'gravity'"):
        assert_law("gravity", rnn.LSTMCell(2, 2))
    with pytest.raises(TypeError, match="takes a cell"):
        assert_law("padding", "LSTM")


@pytest.mark.parametrize(
    ("law", "fault"),
    [
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
