"""Laws of time: networks in layers and in both directions are the runs they are made of."""


import pytest

import rnn
from rnn.testing import (
    assert_law,
)
from rnn.testing.networks import Mixed


@pytest.mark.parametrize("delay", [-3, -1, 1, 2])
def test_both_directions_of_a_cell_of_any_delay_are_two_runs(delay):
    """The state of one step has no axis of time that could be turned."""
    slow = Mixed(3, 2, (("h", delay),), ("leak",))
    assert_law("layers compose", rnn.Bidirectional(rnn.GRUCell(3, 2), slow))
    assert_law("layers compose", rnn.Bidirectional(slow))


def test_a_delay_of_several_steps_may_run_backward():
    """The law gave the backward layer its start values in the wrong order."""
    cell = Mixed(3, 1, (("h", 2), ("g", 1)), ("new", "leak"))
    assert_law("layers compose", rnn.Bidirectional(rnn.RNNCell(3, 1), cell))
