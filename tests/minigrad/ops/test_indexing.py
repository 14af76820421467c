"""Reading by position is NumPy's; what puts back is the transpose of what reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.ops import indexing
from minigrad.testing.strategies import indices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2))


def inner(a: Any, b: Any) -> float:
    assert np.shape(a) == np.shape(b)
    return float(np.sum(a * b))


@given(position=indices((3, 2)))
def test_an_index_is_numpys_and_its_transpose_adds_what_is_read_twice(position):
    y = mg.Tensor(X)[position]
    np.testing.assert_array_equal(y.data, X[position])
    g, wanted = RNG.normal(size=y.shape), np.zeros_like(X)
    np.add.at(wanted, position, g)
    back = mg.vjp(lambda x: x[position], X)[1](g)
    np.testing.assert_allclose(back[0] if isinstance(back, list | tuple) else back, wanted,
                               rtol=1e-14)  # fmt: skip


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("where", [np.array([1, 0, 1]), np.array([[0], [1]]), np.array(1)])
def test_entries_taken_along_an_axis_are_numpys(axis, where):
    x = RNG.normal(size=(2, 3, 4))
    np.testing.assert_array_equal(mg.take(x, where, axis), np.take(x, where, axis))


WAYS = {"a product": (1 << 19, 64), "sorted": (0, 64), "row by row": (0, 0)}


@pytest.mark.parametrize("way", WAYS)
@given(rows=st.lists(st.integers(0, 4), max_size=8), lead=st.booleans())
def test_rows_put_back_in_any_way_are_the_transpose_of_a_look_up(way, rows, lead):
    where = np.array([rows] if lead else rows, int)
    table, g = RNG.normal(size=(5, 3)), RNG.normal(size=(*where.shape, 3))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(("SMALL", "WIDE"), WAYS[way], strict=True):
            patch.setattr(indexing, name, value)
        back = mg.ops.put(g, where, rows=5)
    wanted = np.zeros((5, 3))
    np.add.at(wanted, where, g)
    np.testing.assert_allclose(back, wanted, rtol=1e-13, atol=1e-14)
    assert inner(mg.ops.lookup(table, where), g) == pytest.approx(inner(table, back))


@given(seed=st.integers(0, 99), lead=st.sampled_from([(), (2,), (2, 3)]))
def test_one_entry_of_each_row_is_picked_and_spread(seed, lead):
    rng = np.random.default_rng(seed)
    x, where, g = rng.normal(size=(*lead, 4)), rng.integers(0, 4, lead), rng.normal(size=lead)
    picked = mg.ops.pick(x, where)
    np.testing.assert_array_equal(picked, np.take_along_axis(x, where[..., None], -1)[..., 0])
    assert inner(picked, g) == pytest.approx(inner(x, mg.ops.spread(g, where, n=4)))


@pytest.mark.parametrize("where", [3, -1])
def test_a_class_that_is_not_there_is_refused_also_one_counted_from_the_end(where):
    for read, x in ((mg.take, X), (mg.ops.pick, X.T)):
        with pytest.raises(IndexError, match=rf"index {where} is outside 0 … 2"):
            read(x, np.array([0, where]))


def test_a_position_that_is_only_known_at_the_call_is_read_then():
    read = mg.compile(lambda x, k: x[:, k])
    for k in (np.array([0, 1, 1]), np.array([1, 1, -2])):
        np.testing.assert_array_equal(read(X, k), X[:, k])


def test_rows_of_classes_are_those_of_the_identity():
    classes = np.array([[2, 0], [1, 1]])
    np.testing.assert_array_equal(mg.one_hot(classes, 3), np.eye(3)[classes])
