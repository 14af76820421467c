"""The report of a wrong gradient: whose fault it is, and the smallest program that shows it."""


import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import (
    GradientMismatch,
    check_gradients,
)
from tests.faults.engine import FAULTS

X, W = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.linspace(0.5, 1.5, 6).reshape(3, 2)


def layer(x, W):
    return mg.tanh(x @ W) * 2.0


def test_the_wrong_primitive_is_named_and_the_program_is_small():
    with FAULTS["tanh slope (1 - y)²"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(layer, X, W)
    assert found.value.primitive == "tanh"
    assert len(found.value.program) == 1
    told = str(found.value)
    for part in ("entry ", "first wrong primitive: tanh", "mg.tanh(x0)", "← here", "replay:"):
        assert part in told


def test_a_fault_of_the_walk_is_not_put_on_a_primitive():
    with FAULTS["the third use is lost"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(lambda x: x * mg.sin(x) + mg.cos(x) + mg.exp(x), np.array(0.5))
    assert found.value.primitive is None
    assert "each primitive is right alone" in str(found.value)


def test_the_whole_function_is_drawn_with_the_node_at_fault_marked():
    f = lambda x: mg.named("y", mg.sin(2.0 * x)) + x
    with FAULTS["sin slope -cos"].planted(), pytest.raises(GradientMismatch) as found:
        check_gradients(f, np.array(0.5))
    error = found.value
    assert error.whole.graph.nodes[error.node].op == "sin"
    assert len(error.whole) == 3
    assert len(error.program) == 1
    assert "its own rule disagrees" in error.svg()
    assert "first wrong primitive: sin (y)" in str(error)


def test_a_hidden_detour_through_plain_numbers_is_found():
    """A function that drops the graph on the way has a gradient that fits itself, but not f."""
    f = lambda x: mg.sin(x) * mg.detach(x)
    with pytest.raises(GradientMismatch, match="complex step differ") as found:
        check_gradients(f, np.array(0.7))
    assert "detach lets no gradient through" in str(found.value)
