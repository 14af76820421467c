"""Derivatives without rules tell how good they are, and where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.core import Tensor
from minigrad.testing.numeric import Line, both_sides, complex_step, nearest_kink, richardson
from minigrad.testing.rounding import EPSILON, PathScale

ONE = [np.array(1.0)]


@given(x=st.floats(-2, 2), v=st.floats(0.125, 4))
def test_a_complex_step_is_right_to_rounding_and_differences_to_what_they_say(x, v):
    f = lambda x: [np.exp(x) * np.sin(x)]
    wanted = v * np.exp(x) * (np.sin(x) + np.cos(x))
    line = Line(f, [np.array(x)], [np.array(v)], ONE)
    step = complex_step(line)
    assert abs(step - wanted) <= 8 * EPSILON * v * np.exp(x) * (abs(np.sin(x)) + abs(np.cos(x)))
    value, off = richardson(line)
    assert abs(value - wanted) <= off + 64 * EPSILON * abs(wanted)
    assert off <= 1e-4 * v


def test_slopes_on_both_sides_are_those_of_a_kink_and_none_where_it_is_smooth():
    along = [np.array(1.0)]
    left, right = both_sides(Line(lambda x: [np.abs(x) + x], [np.array(0.0)], along, ONE))
    assert left == pytest.approx(0.0, abs=1e-9)
    assert right == pytest.approx(2.0)
    assert both_sides(Line(lambda x: [np.exp(x)], [np.array(0.0)], along, ONE)) is None


@pytest.mark.parametrize(
    ("f", "op", "distance"),
    [
        (lambda x: mg.relu(x - 0.25), "relu", 0.25),
        (lambda x: mg.maximum(2.0 * x, 0.75), "maximum", 0.125),
        (lambda x: mg.clip(x, -1.0, 0.625), "clip", 0.125),
        (lambda x: mg.max(mg.stack([x, -x, x - 3.0])), "max", 1.0),
    ],
)
def test_the_nearest_kink_is_told_by_its_distance_over_the_speed(f, op, distance):
    x = Tensor(0.5, "x")
    paths = PathScale([f(x)], ONE)
    paths.along([x], ONE)
    kink = nearest_kink(paths.nodes, paths.tangents)
    assert kink.op == op
    assert kink.distance == pytest.approx(distance)
    assert nearest_kink(PathScale([mg.sin(x)], ONE).nodes, {x.serial: 1.0}) is None
