"""The gate: every planted fault is found by a named law, and no law cries without one."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg
import rnn
from minigrad.testing.plugin import PROFILES
from tests.faults import drawing, engine, loops, networks
from tests.faults.network_probes import PROBES, SLOW
from tests.faults.planting import Rewrite
from tests.faults.probes import finder

TABLES = (engine.FAULTS, loops.FAULTS, networks.FAULTS, drawing.FAULTS)
FAULTS = {name: fault for faults in TABLES for name, fault in faults.items()}
NUMBERS = [name for name in FAULTS if name not in drawing.FAULTS]
THOROUGH = settings().max_examples >= PROFILES["ci"]["max_examples"]
QUICK = ("rules", "shapes", "walk")
SAMPLE = sorted(name for name in FAULTS if FAULTS[name].area in QUICK)[::5]
"""Planted in every run, of the areas whose laws come first; all are in the `ci` profile."""

QUICK_PROBES = [name for name in PROBES if name.removeprefix("recurrent: ") not in SLOW]


def test_there_are_faults_of_every_area_and_each_has_a_name_of_its_own():
    areas = Counter(fault.area for fault in FAULTS.values())
    wanted = {"rules", "shapes", "walk", "folding", "passes", "scan", "cells", "recurrent",
              "checkpoint", "drawing"}  # fmt: skip
    assert areas.keys() == wanted
    assert len(FAULTS) == sum(map(len, TABLES)) > 150


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_can_be_planted_and_taken_out_again(name):
    """An expression that is no longer there would make the gate pass for nothing."""
    loss = lambda x: mg.sum(mg.tanh(x @ x) * x)
    x = np.arange(4.0).reshape(2, 2)
    before = mg.grad(loss)(x)
    with FAULTS[name].planted():
        pass
    np.testing.assert_array_equal(mg.grad(loss)(x), before)


@pytest.mark.parametrize("name", NUMBERS if THOROUGH else SAMPLE)
def test_a_fault_is_found_by_a_law(name):
    assert finder(FAULTS[name], PROBES), f"{name} is missed"


@pytest.mark.parametrize("name", PROBES if THOROUGH else QUICK_PROBES)
@pytest.mark.parametrize("draw", [0, 1] if THOROUGH else [0])
def test_no_law_cries_without_a_fault(name, draw):
    with np.errstate(all="ignore"):
        PROBES[name](draw)


@pytest.mark.parametrize("name", drawing.FAULTS if THOROUGH else sorted(drawing.FAULTS)[::7])
def test_a_fault_of_drawing_is_found_by_a_law(name):
    pytest.importorskip("pygraphviz")
    assert finder(FAULTS[name], drawing.PROBES, draws=1), f"{name} is missed"


# Those of geometry are held for many more cells in `tests/viz/test_scene.py`.
@pytest.mark.parametrize("name", [name for name in drawing.LAWS if name not in drawing.SLOW[1:]])
def test_pictures_keep_their_promises(name):
    pytest.importorskip("pygraphviz")
    for cell in drawing.CELLS:
        drawing.LAWS[name](cell, 1)


@pytest.mark.parametrize(
    ("law", "fault"),
    [
        ("a quotient has the graph's edges", "the first operand alone"),
        ("drawn as it is", "parameters drawn at the first step"),
        ("drawn as it is", "every edge drawn with delay 1"),
        ("DOT gives back the graph", "edges point backwards in the DOT"),
        ("no two nodes overlap", "half a box is forgotten"),
        ("edges end at their nodes", "edges from middle to middle"),
        ("no two values on one line", "all values in one lane"),
        ("what is left out is told", "one step too many left out"),
        ("SVG has it where the scene has it", "names are markup"),
        ("numbers are those of the tensors", "infinity looks like a number"),
        ("a marked node is the one that is meant", "readers are marked too"),
        ("a schedule is drawn in its order", "sums run first"),
    ],
)
def test_a_law_of_drawing_finds_a_fault_by_itself(law, fault):
    pytest.importorskip("pygraphviz")
    probes = {law: drawing.PROBES[f"drawing: {law}"]}
    assert finder(FAULTS[fault], probes, draws=1) == law


@pytest.mark.parametrize(
    ("function", "old"),
    [("LSTMCell.step", "no.such"), ("LSTMCell.stepped", "f * C"), ("RNNCell.step", "named")],
)
def test_a_fault_that_no_longer_fits_the_source_says_what_to_do(function, old):
    gone = Rewrite("rnn", function, old, "x")
    with pytest.raises(LookupError, match=rf"times, wanted once, in {function} of rnn .* row"):
        gone.found()


def test_a_fault_is_found_in_any_layout_of_the_source():
    """What counts is the syntax: quotes, brackets and line breaks do not."""
    spread = Rewrite("rnn", "LSTMCell.step", "(f*C\n   + (i * C_new))", "i * C + f * C_new")
    assert spread.found()[0] is rnn.LSTMCell.step


def test_a_planted_fault_is_seen_through_every_reference():
    """Code objects are exchanged, so tables and caches see it too."""
    cell, xs = rnn.LSTMCell(2, 2), np.ones((3, 1, 2))
    p = cell.init(0)
    right = rnn.run(cell, p, xs)[0]
    with FAULTS["tanh of the memory forgotten"].planted():
        assert not np.allclose(rnn.run(cell, p, xs)[0], right)
    np.testing.assert_array_equal(rnn.run(cell, p, xs)[0], right)
