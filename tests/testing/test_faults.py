"""The mutation gate: every named fault is found by a named law, and no law cries without one."""

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg
import rnn
from minigrad.testing.gate import examine
from minigrad.testing.planting import Rewrite
from minigrad.testing.plugin import PROFILES
from rnn.testing.gate import FAULTS, PROBES, SLOW

THOROUGH = settings().max_examples >= PROFILES["ci"]["max_examples"]
QUICK = ("rules", "shapes", "walk")
SAMPLE = [name for name in sorted(FAULTS) if FAULTS[name].area in QUICK][::5]
"""Planted in every run, of the areas whose laws come first; all are in the `ci` profile."""

QUICK_PROBES = [name for name in PROBES if name.removeprefix("recurrent: ") not in SLOW]


def test_there_are_faults_of_every_area():
    areas = {fault.area for fault in FAULTS.values()}
    assert areas == {
        "rules",
        "shapes",
        "walk",
        "folding",
        "passes",
        "scan",
        "cells",
        "recurrent",
        "checkpoint",
        "drawing",
    }
    assert len(FAULTS) >= 60


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_planted_and_taken_out_again(name):
    """A piece of source that is no longer there would make the gate pass for nothing."""
    loss = lambda x: mg.sum(mg.tanh(x @ x) * x)
    x = np.arange(4.0).reshape(2, 2)
    before = mg.grad(loss)(x)
    with FAULTS[name].planted():
        pass
    np.testing.assert_array_equal(mg.grad(loss)(x), before)


@pytest.mark.parametrize("name", FAULTS if THOROUGH else SAMPLE)
def test_every_fault_is_found_by_a_law(name):
    verdict = examine(FAULTS[name], PROBES)
    assert verdict.law is not None or FAULTS[name].missed, f"{name} is missed"


@pytest.mark.parametrize("name", PROBES if THOROUGH else QUICK_PROBES)
@pytest.mark.parametrize("draw", [0, 1] if THOROUGH else [0])
def test_no_law_cries_without_a_fault(name, draw):
    with np.errstate(all="ignore"):
        PROBES[name](draw)


def test_a_fault_that_no_longer_fits_the_source_is_told():
    gone = Rewrite("rnn.cells", "LSTMCell.step", (("no such text", ""),))
    with pytest.raises(LookupError, match="wanted once"), gone.planted():
        pass


def test_a_planted_fault_is_seen_through_every_reference():
    """Code objects are exchanged, so tables and caches see it too."""
    cell, xs = rnn.LSTMCell(2, 2), np.ones((3, 1, 2))
    p = cell.init(0)
    right = rnn.run(cell, p, xs)[0]
    with FAULTS["tanh of the memory forgotten"].planted():
        assert not np.allclose(rnn.run(cell, p, xs)[0], right)
    np.testing.assert_array_equal(rnn.run(cell, p, xs)[0], right)
