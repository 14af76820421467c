"""A function of nested arguments as one of its float leaves: which, and what they are called."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing.flat import Flat


def f(p, *xs):
    return {"y": p["W"] * xs[0], "z": [xs[-1]]}


def test_leaves_have_the_names_of_the_arguments_and_the_path_to_them():
    flat = Flat(f, ({"W": np.ones(2), "n": np.arange(2)}, 1.0, [2.0]))
    assert flat.names == ["p.W", "input 2", "input 3[0]"]
    assert Flat(max, (0.5,)).names == ["input 1"]


def test_floats_alone_move_and_results_are_a_list():
    flat = Flat(f, ({"W": np.ones(2)}, np.arange(2), 3.0))
    assert [x.shape for x in flat.points] == [(2,), ()]
    y, z = flat(np.full(2, 5.0), np.array(7.0))
    np.testing.assert_array_equal(y, [0.0, 5.0])
    assert z == 7.0


@pytest.mark.parametrize("x", [np.float32(0.5), np.float16(0.5), mg.Tensor(np.float32(0.5))])
def test_narrow_floats_become_wide(x):
    (point,) = Flat(mg.sin, (x,)).points
    assert point.dtype == np.float64
