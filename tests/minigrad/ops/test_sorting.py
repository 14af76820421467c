"""Order is NumPy's; slopes go where the entries came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from minigrad.testing.strategies import tensors

X = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, np.nan]])


@given(x=tensors(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
                 kinks="hit"), data=st.data())  # fmt: skip
def test_sorted_entries_are_numpys_and_their_slopes_go_back(x, data):
    axis = data.draw(st.sampled_from([None, *range(-x.ndim, x.ndim)]))
    order = np.argsort(x, axis=axis, stable=True)
    np.testing.assert_array_equal(np.argsort(mg.Tensor(x), axis=axis, kind="stable").data, order)
    np.testing.assert_array_equal(np.sort(mg.Tensor(x), axis=axis).data, np.sort(x, axis=axis))
    w = np.random.default_rng(0).normal(size=order.shape)
    wanted = np.zeros(x.shape if axis is not None else (x.size,))
    np.put_along_axis(wanted, order, w, -1 if axis is None else axis)
    found = mg.grad(lambda x: mg.sum(mg.sort(x, axis) * w))(x)
    np.testing.assert_array_equal(found, wanted.reshape(x.shape))


@given(x=tensors(shape=(3, 4), kinks="hit"), axis=st.sampled_from([None, 0, 1, -1]))
def test_a_place_is_the_first_of_its_value(x, axis):
    for name in ("argmax", "argmin"):
        found = getattr(mg, name)(mg.Tensor(x), axis)
        np.testing.assert_array_equal(found.data, getattr(np, name)(x, axis))
    assert not mg.grad(lambda x: mg.sum(x * 0.0 + mg.argmax(x)))(x).any()


def test_ties_have_the_slopes_of_their_places():
    assert mg.grad(lambda x: mg.sort(x)[0])(np.array([2.0, 1.0, 1.0])).tolist() == [0.0, 1.0, 0.0]
    assert mg.grad(mg.median)(np.array([1.0, 1.0, 3.0])).tolist() == [0.0, 1.0, 0.0]
    assert mg.grad(mg.median)(np.array([4.0, 1.0])).tolist() == [0.5, 0.5]


@given(x=tensors(shape=(3, 4), kinks="hit"), data=st.data())
def test_entries_are_taken_row_by_row_as_in_numpy(x, data):
    at = data.draw(hnp.arrays(int, (3, 2), elements=st.integers(-4, 3)))
    for axis, places in ((1, at), (-1, at[:1]), (0, at[:2, :1] % 3), (None, at[0])):
        wanted = np.take_along_axis(x, places, axis)
        for given_ in (places, mg.Tensor(places)):
            found = np.take_along_axis(mg.Tensor(x), given_, axis)
            np.testing.assert_array_equal(found.data, wanted)


@pytest.mark.parametrize("bad", [3, -4])
def test_an_index_of_another_row_is_refused(bad):
    for at in (np.array([[0], [bad]]), mg.Tensor([[0], [bad]])):
        with pytest.raises(IndexError, match="is outside"):
            mg.take_along_axis(np.ones((2, 3)), at)
    with pytest.raises(IndexError, match=f"take_along_axis: index {bad} is outside -3 … 2 on axis"):
        mg.take_along_axis(mg.Tensor(np.ones((2, 3))), np.array([[0], [bad]]), 1)


@given(x=tensors(shape=(3, 4), kinks="hit"), q=st.floats(0, 1), axis=st.sampled_from(
    [None, 0, 1, (0, 1), (-1, 0)]), keepdims=st.booleans())  # fmt: skip
def test_a_quantile_is_numpys(x, q, axis, keepdims):
    for part in (q, [q, 0.5], 0.0, 1.0):
        found = np.quantile(mg.Tensor(x), part, axis=axis, keepdims=keepdims)
        wanted = np.quantile(x, part, axis=axis, keepdims=keepdims)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found.data, wanted, rtol=1e-13, atol=1e-14)


def test_what_is_no_number_comes_last_and_makes_the_middle_none():
    np.testing.assert_array_equal(mg.sort(X), np.sort(X))
    np.testing.assert_array_equal(mg.median(X, -1), [2.0, np.nan])
    for call, told in (
        (lambda: mg.quantile(X, 1.5), "q is between 0 and 1"),
        (lambda: mg.median(np.ones(0)), "no entries to choose from"),
    ):
        with pytest.raises(ValueError, match=told):
            call()
    assert np.median(mg.Tensor(np.float16([1, 2]))).dtype == np.float16


def test_compiled_it_sorts_what_is_given_then():
    step = mg.compile(mg.value_and_grad(lambda x: mg.sum(mg.sort(x) * np.arange(3.0))))
    for x in ([3.0, 1.0, 2.0], [1.0, 2.0, 3.0]):
        value, slope = step(np.array(x))
        assert value == np.sort(x) @ np.arange(3.0)
        assert slope.tolist() == np.argsort(np.argsort(x)).tolist()
