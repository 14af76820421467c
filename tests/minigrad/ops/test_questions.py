"""Questions give Python's numbers or conditions; none decides anything for another run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.strategies import tensors

ODD = np.array([[np.nan, np.inf, -np.inf], [0.0, -0.0, 2.0]])
t = mg.Tensor(ODD, name="t")


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "signbit"])
@pytest.mark.parametrize("dtype", ["float16", "float64", "int64", "bool"])
def test_what_an_entry_is_is_numpys_answer_in_every_dtype(name, dtype):
    x = ODD.astype(dtype) if dtype.startswith("float") else np.array([[1, 0]], dtype)
    if (name, dtype) == ("signbit", "bool"):
        return  # NumPy has none
    found, wanted = getattr(np, name)(mg.Tensor(x)), getattr(np, name)(x)
    np.testing.assert_array_equal(found.data, wanted)
    assert found.dtype == bool


@given(a=tensors(shape=(2, 3), kinks="hit"), equal_nan=st.booleans())
def test_what_is_close_is_numpys_answer(a, equal_nan):
    for b in (a, a + 1e-9, -a, ODD):
        for x in (a, ODD):
            found = np.isclose(mg.Tensor(x), b, equal_nan=equal_nan).data
            np.testing.assert_array_equal(found, np.isclose(x, b, equal_nan=equal_nan))
            close = np.allclose(mg.Tensor(x), b, equal_nan=equal_nan)
            assert bool(close) == np.allclose(x, b, equal_nan=equal_nan)


@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
@pytest.mark.parametrize("shape", [(0,), (3, 0), (), (2, 3)])
def test_of_nothing_all_holds_and_nothing_does(name, shape):
    x = np.zeros(shape)
    assert getattr(np, name)(mg.Tensor(x)).data == getattr(np, name)(x)


def test_shapes_are_numbers_of_python_in_a_trace_too():
    assert (np.shape(t), np.ndim(t), np.size(t), np.size(t, 1)) == ((2, 3), 2, 6, 3)
    graph = mg.trace(lambda x: x * np.size(x), ODD)
    assert [node.op for node in graph.nodes] == ["input", "constant", "multiply"]
    assert type(np.zeros_like(t)) is type(np.ones_like(t)) is np.ndarray


def test_a_fill_value_has_a_gradient():
    assert mg.grad(lambda v: mg.sum(mg.full_like(np.ones((2, 3), np.float32), v)))(2.0) == 6.0


def test_a_question_stays_in_the_graph_and_no_trace_decides_on_it():
    choose = mg.compile(lambda x: mg.where(np.isfinite(x) & (x > 0), x, 0.0 * x))
    for x in (np.array([1.0, -1.0]), np.array([-2.0, 5.0])):
        np.testing.assert_array_equal(choose(x), np.where(x > 0, x, 0.0))
    with pytest.raises(TypeError, match=r"a condition of tensor would be answered once"):
        mg.compile(lambda x: x if np.allclose(x, 0.0) else -x)(np.ones(2))
    top = mg.compile(lambda x: x[np.argmax(x)] * 2.0)
    assert [float(top(np.array(x))) for x in ([1.0, 3.0], [5.0, 3.0])] == [6.0, 10.0]


def test_bits_of_whole_numbers_are_for_arrays():
    with pytest.raises(TypeError, match="is that of conditions"):
        mg.Tensor([1, 2]) & 1
