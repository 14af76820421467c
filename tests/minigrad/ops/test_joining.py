"""What is put together and taken apart is NumPy's, by joins and slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from tests.minigrad.ops.moves import agree, numbers


@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), data=st.data())
def test_parts_and_joins_are_numpys(shape, data):
    x, axis = numbers(shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    k = data.draw(st.integers(-5, 5))
    agree(lambda x: np.array_split(x, abs(k) + 1, axis), x)
    agree(lambda x: np.array_split(x, [1, k], axis), x)
    agree(lambda x: np.append(x, x, axis), x)
    agree(lambda x: np.append(x, x), x)
    agree(lambda x: np.dstack([x, x]), x)
    agree(lambda x: np.vstack([x, x]), x)
    agree(lambda x: np.hstack([x, x]), x)


def test_entries_go_and_come_at_positions():
    x = numbers((3, 4))
    for f in (lambda x: np.delete(x, 1, 0), lambda x: np.delete(x, [0, -1], 1), lambda x:
              np.insert(x, -1, 7.0, 1), lambda x: np.insert(x, 0, 7.0)):  # fmt: skip
        agree(f, x)


def test_what_does_not_fit_is_told():
    x = mg.Tensor(np.ones((3, 4)))
    for call, told in (
        (lambda: np.split(x, 3, axis=1), "split: axis of size 4 does not part into 3"),
        (lambda: np.array_split(x, 0), "array_split: at least one part, got 0"),
    ):
        with pytest.raises(ValueError, match=told):
            call()
