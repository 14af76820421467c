"""One name for one thing: in drawings and in equations a value has the same subscript."""

from __future__ import annotations

import pytest

import rnn
from minigrad.folded import folded_adjoint
from rnn.kinds import EXAMPLES, written
from viz.formulas.step import Step
from viz.quotients.adjoints import named
from viz.quotients.operations import operations
from viz.scene.label import named_part, plain

READ_OUT = rnn.Stack([rnn.LSTMCell(3, 4), rnn.Dense(4, 2)])
NETS = {
    "a readout with an o of its own": READ_OUT,
    "layers of one kind": rnn.Stack([rnn.LSTMCell(3, 4), rnn.LSTMCell(4, 4), rnn.Dense(4, 2)]),
    "an o that two readouts share": rnn.Stack([rnn.RNNCell(3, 4, 2), rnn.Dense(2, 2)]),
} | {written(cell): cell for cell in EXAMPLES}


def names(cell):
    """For each named value that has a box its name there, and in the equations."""
    folded = cell.folded()
    left, found = Step(folded).left, {}
    for block in operations(folded, "op").blocks:
        k = next((k for k in reversed(block.nodes) if folded.step.nodes[k].name), None)
        if k in left:
            written = f"{left[k].base}_{left[k].sub}".rstrip("_")
            found[k] = plain(named_part(block.label)).replace(", ", ","), written
    return found


@pytest.mark.parametrize("name", NETS)
def test_what_is_drawn_has_the_name_of_its_equation(name):
    assert [pair for pair in names(NETS[name]).values() if len({*pair}) > 1] == []


def test_layers_that_do_not_share_their_states_have_no_subscripts():
    said = {drawn for drawn, _ in names(READ_OUT).values()}
    assert {"f", "i", "C", "h", "o_1", "o_2"} <= said


def test_an_adjoint_has_the_names_of_its_step_for_what_is_saved_and_for_cotangents():
    view = operations(named(folded_adjoint(READ_OUT.folded())), "gate")
    said = {plain(block.label).replace("\u2002", " ") for block in view.blocks}
    assert {"× o_1", "× tanh C ∂o_1", "× o_1′ ∂z_o", "× f′ ∂z_f", "+ ∂C"} <= said
