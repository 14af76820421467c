"""Entries elsewhere are NumPy's, moved by views and joins, and nothing else is in the graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from tests.minigrad.ops.moves import agree, numbers

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


@given(shape=SHAPES, data=st.data())
def test_entries_are_repeated_and_rolled_as_in_numpy(shape, data):
    x, axis = numbers(shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    n, k = shape[axis], data.draw(st.integers(-5, 5))
    agree(lambda x: np.roll(x, k, axis), x)
    agree(lambda x: np.roll(x, k), x)
    agree(lambda x: np.repeat(x, abs(k), axis), x)
    agree(lambda x: np.repeat(x, [abs(k) % 2] * n, axis), x)
    agree(lambda x: np.tile(x, (abs(k), 2)), x)
    agree(np.ravel, x)


@given(shape=hnp.array_shapes(min_dims=2, max_dims=4, max_side=3), data=st.data())
def test_planes_turn_and_axes_move_as_in_numpy(shape, data):
    x, n = numbers(shape), len(shape)
    a, b = data.draw(st.permutations(range(n)))[:2]
    agree(lambda x: np.rot90(x, a - b, (a, b)), x)
    agree(lambda x: np.moveaxis(x, (a, b), (b, a - n)), x)
    agree(lambda x: np.rollaxis(x, a, b), x)
    agree(np.atleast_3d, x)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_axes_are_added_where_numpy_adds_them(shape):
    for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        agree(f, numbers(shape))


@given(n=st.integers(0, 4), k=st.integers(0, 5))
def test_differences_are_numpys_also_of_nothing_and_of_flags(n, k):
    x = numbers((2, n)) ** 2
    np.testing.assert_array_equal(np.diff(mg.Tensor(x), k).data, np.diff(x, k))
    np.testing.assert_array_equal(np.diff(mg.Tensor(x > 3)).data, np.diff(x > 3))


def test_what_does_not_fit_is_told():
    x = mg.Tensor(np.ones((3, 4)))
    for call, told in (
        (lambda: np.moveaxis(x, (0, 1), (0,)), "moveaxis: 2 axes do not go to 1 places"),
        (lambda: np.moveaxis(x, (0, 0), (0, 1)), "moveaxis: an axis twice"),
        (lambda: np.roll(x, 1, axis=2), "roll: axis 2 does not fit 2 axes"),
    ):
        with pytest.raises(ValueError, match=told):
            call()
