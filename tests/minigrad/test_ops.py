"""What is made of primitives against NumPy, and what a tensor is as an object of Python."""

import ast
import keyword
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.core import FUNCTIONS
from minigrad.core.kinds import linear
from minigrad.testing import check_gradients

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((4, 2, 3), (3,)),
        ((3,), (4, 3, 2)),
        ((4, 2, 3), (3, 2)),
        ((2, 3), (4, 3, 2)),
        ((5, 1, 2, 3), (4, 3, 2)),
        ((2, 0), (0, 3)),
        ((0, 3), (3, 2)),
    ],
)
def test_a_matrix_product_of_any_ranks_is_that_of_numpy(a, b):
    a, b = RNG.normal(size=a), RNG.normal(size=b)
    np.testing.assert_allclose(mg.matmul(a, b), a @ b, rtol=1e-13, atol=1e-15)
    assert (mg.Tensor(a) @ b).shape == (a @ b).shape
    check_gradients(mg.matmul, a, b, order=2)


def test_lists_are_arrays_in_a_matrix_product():
    assert mg.matmul([1.0, 2.0], [3.0, 4.0]) == 11.0


def test_an_outer_product_is_of_the_last_axes():
    a, b = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 4))
    np.testing.assert_array_equal(mg.outer(a, b), np.einsum("bn,bm->bnm", a, b))
    check_gradients(mg.outer, a, b)
    np.testing.assert_array_equal(np.outer(mg.Tensor(a[0]), b[0]).data, np.outer(a[0], b[0]))


@pytest.mark.parametrize(
    "leads", [((4,), (4,)), ((2, 4), (2, 4)), ((2, 4), (4,)), ((1, 4), (5, 4))]
)
def test_a_contraction_sums_over_all_leading_axes(leads):
    a, b = (RNG.normal(size=(*lead, n)) for lead, n in zip(leads, (3, 2), strict=True))
    wanted = np.einsum("...n,...m->...nm", a, b).reshape(-1, 3, 2).sum(0)
    np.testing.assert_allclose(mg.contract(a, b), wanted, rtol=1e-13, atol=1e-14)


def test_what_was_stacked_comes_apart_again():
    parts = [RNG.normal(size=(2, 3)) for _ in range(4)]
    for axis in (0, 1, -1):
        apart = mg.unstack(mg.stack(parts, axis), axis)
        assert all(np.array_equal(x, y) for x, y in zip(apart, parts, strict=True))
    check_gradients(lambda x: [mg.sin(y) * (k + 1.0) for k, y in enumerate(mg.unstack(x, 1))],
                    RNG.normal(size=(2, 3)))  # fmt: skip


def test_axes_of_size_one_fall_away():
    assert mg.squeeze(mg.Tensor(np.ones((1, 2, 1)))).shape == (2,)


def test_a_tensor_shows_its_values_its_name_and_what_made_it():
    assert repr(mg.Tensor(2.5, "x")) == "Tensor(2.5, name='x')"
    with mg.scope("rnn", t=3):
        assert repr(mg.sin(mg.Tensor(1.0))) == "Tensor(0.8415, sin in rnn at t = 3)"
    assert f"{mg.Tensor(2.5):.2f} {mg.Tensor(2.5)}" == "2.50 Tensor(2.5)"
    assert repr(mg.PRIMITIVES["tanh"]) == "<primitive tanh>"


def test_a_tensor_is_a_sequence_of_its_rows():
    x = mg.Tensor(np.arange(6.0).reshape(2, 3))
    assert len(x) == 2
    assert [y.data.tolist() for y in x] == [[0, 1, 2], [3, 4, 5]]
    assert mg.Tensor(1.0)
    assert not mg.Tensor(0.0)


@given(st.one_of(st.text(st.characters(), max_size=6), st.sampled_from(["a", "é", "σ"])))
@example("<lambda>")
@example("x); raise SystemExit(")
@example("if")
@example("ﬁ")  # an identifier that Python reads as another: fi
@example("")
def test_a_name_of_a_primitive_works_wherever_names_go_or_is_refused(name):
    def forward(x):
        return 2.0 * x

    forward.__name__ = name
    define = lambda: linear(lambda g, x: 2.0 * g)(forward)
    known = set(mg.PRIMITIVES)
    if (
        not name.isidentifier()
        or keyword.iskeyword(name)
        or ast.parse(name).body[0].value.id != name
    ):
        with pytest.raises(ValueError, match=r"^Primitive: the name must be an identifier"):
            define()
        assert set(mg.PRIMITIVES) == known
        return
    with mock.patch.dict(mg.PRIMITIVES), mock.patch.dict(FUNCTIONS):
        double = define()
        step = mg.compile(mg.value_and_grad(lambda x: mg.sum(double(x) * x)))
        value, slope = step(np.ones(3))
        assert (value, *slope) == (6.0, 4.0, 4.0, 4.0)


@pytest.mark.parametrize("name", [None, 3, b"a"])
def test_a_name_of_a_primitive_is_a_string(name):
    with pytest.raises(ValueError, match="must be an identifier, such as 'my_op', got"):
        mg.Primitive(name, np.sin, [None], None)
