"""What the strategies draw is what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import broadcast_args, check_gradients, indices, shapes, tensors


@given(x=tensors(kinks="avoid"))
def test_away_from_kinks_nothing_is_zero_and_nothing_tied(x):
    assert np.all(x != 0)
    assert len(np.unique(x)) == x.size
    assert np.all(np.abs(x) <= 3.0 + 0.2)


@given(x=tensors(shape=(3, 2), kinks="hit"))
def test_a_kink_is_hit(x):
    assert np.any(x == 0)


@given(x=tensors(shape=shapes(), kinks="any", dtype=np.float32))
def test_any_tensor_has_its_dtype_and_finite_entries(x):
    assert x.dtype == np.float32
    assert np.all(np.isfinite(x))


@given(args=broadcast_args("(b,n),(n,m)->(b,m)"))
def test_arguments_of_a_product_fit_and_have_right_gradients(args):
    check_gradients(mg.matmul, *args)


@given(data=st.data())
def test_reading_any_position_has_a_right_gradient(data):
    x = data.draw(tensors(shape=(3, 2)))
    position = data.draw(indices((3, 2)))
    check_gradients(lambda x: x[position], x)


@given(data=st.data())
def test_an_unknown_way_with_kinks_is_told(data):
    with pytest.raises(ValueError, match="'avoid', 'hit' or 'any'"):
        data.draw(tensors(kinks="maybe"))
