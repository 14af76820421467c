"""Loops over time, and what runs once on whole sequences."""

from __future__ import annotations

import pytest

import minigrad as mg
import rnn
from minigrad.folded import (
    components,
    phases,
)
from tests.minigrad.cells import FOLDED, Delayed, everything


def test_each_direction_of_a_bidirectional_network_is_a_loop_of_its_own():
    folded = FOLDED["Bidirectional"]
    loops = [direction for direction, _ in components(folded) if direction]
    assert sorted(loops) == [-1, 1]
    assert sorted(direction for direction, _ in phases(folded)) == [-1, 1]


@everything
def test_components_hold_every_node_once_and_sources_come_first(name):
    folded = FOLDED[name]
    order = [k for _, group in components(folded) for k in group]
    assert sorted(order) == list(range(len(folded.step)))
    place = {k: j for j, (_, group) in enumerate(components(folded)) for k in group}
    origins = folded.origins()
    for k, node in enumerate(folded.step.nodes):
        sources = [*node.inputs, *([origins[k][0]] if k in origins else [])]
        assert all(place[i] <= place[k] for i in sources)


def test_a_readout_of_a_loop_is_not_part_of_it():
    folded = rnn.Stack([rnn.RNNCell(2, 3), rnn.Dense(3, 2)]).folded(1)
    (loop,) = [group for direction, group in components(folded) if direction]
    names = {folded.step.nodes[k].name for k in loop}
    assert "h" in names
    assert "o" not in names
    inputs = [k for k in loop if folded.step.nodes[k].name == "x"]
    assert not inputs


def test_a_loop_with_delays_of_both_signs_is_refused():
    """Its step 1 would need step 2, which needs step 1."""
    folded = Delayed(2, 3, (("h", 1), ("g", -1))).folded(1)
    message = (
        "a loop has delays of both signs, so its steps cannot be ordered in time: "
        "h delay 1, g delay -1"
    )
    for refuse in (components, phases, lambda f: mg.unfold(f, 3)):
        with pytest.raises(ValueError, match=f"^{message}$"):
            refuse(folded)
