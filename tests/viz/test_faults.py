"""The gate of drawing: every named fault is found by a named law, and no law cries without one."""

import pytest
from hypothesis import settings

from minigrad.testing.gate import examine
from minigrad.testing.plugin import PROFILES
from viz.testing.faults import CELLS, FAULTS, PROBES, SLOW
from viz.testing.laws import LAWS

pytest.importorskip("pygraphviz")
THOROUGH = settings().max_examples >= PROFILES["ci"]["max_examples"]


# Those of geometry are held for many more cells in `test_scene`.
@pytest.mark.parametrize("name", [name for name in LAWS if name not in SLOW[1:]])
def test_pictures_keep_their_promises(name):
    for cell in CELLS:
        LAWS[name](cell, 1)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_can_be_planted(name):
    with FAULTS[name].planted():
        pass


@pytest.mark.parametrize("name", FAULTS if THOROUGH else sorted(FAULTS)[::7])
def test_every_fault_is_found_by_a_law(name):
    verdict = examine(FAULTS[name], PROBES, draws=1)
    assert verdict.law is not None, f"{name} is missed"


def test_every_law_finds_a_fault():
    """For each law a fault that it finds by itself."""
    alone = {
        "a quotient has the graph's edges": "the first operand alone",
        "DOT gives back the graph": "edges point backwards in the DOT",
        "no two nodes overlap": "half a box is forgotten",
        "edges end at their nodes": "edges from middle to middle",
        "no two values on one line": "all values in one lane",
        "what is left out is told": "one step too many left out",
        "SVG has it where the scene has it": "names are markup",
        "numbers are those of the tensors": "infinity looks like a number",
        "a marked node is the one that is meant": "readers are marked too",
        "a schedule is drawn in its order": "sums run first",
    }
    for law, fault in alone.items():
        verdict = examine(FAULTS[fault], {law: PROBES[f"drawing: {law}"]}, draws=1)
        assert verdict.law == law, fault
