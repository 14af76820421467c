"""Three derivatives along random directions, and where there are fewer."""

from random import Random

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import (
    GradientMismatch,
    check_gradients,
    draw_program,
)


def test_a_graph_that_is_cut_has_a_wrong_gradient():
    """A gradient of zeros fits itself in both modes; differences know better."""
    f = lambda x: np.sin(x.data if isinstance(x, mg.Tensor) else x)
    with pytest.raises(GradientMismatch, match="no result is a tensor"):
        check_gradients(f, np.array([0.5]))
    assert check_gradients(lambda x: 3.0, np.ones(2)).is_cut


def test_at_a_kink_only_rules_are_compared_and_it_is_said():
    check = check_gradients(mg.relu, np.array([0.0, 1.0]))
    assert check.kink.op == "relu"
    assert check.method == "adjoint"


@pytest.mark.parametrize("seed", [1002587, 1007914, 1009481, 1018768])
def test_derivatives_below_the_smallest_normal_number_raise_no_alarm(seed):
    """Four of 25,000 programs on inputs of about 1000 cried before such digits were let go."""
    program = draw_program(Random(seed), scale=1000.0)
    check_gradients(program, *program.values, seed=seed)
