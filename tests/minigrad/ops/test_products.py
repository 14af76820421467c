"""Products of matrices against NumPy."""

import numpy as np
import pytest

import minigrad as mg
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


def test_a_product_without_columns_has_a_gradient():
    w, x = np.ones((2, 0)), np.ones((3, 2, 2))
    grads = mg.grad(lambda w, x: mg.sum(mg.sin(x @ w)), wrt=(0, 1))(w, x)
    assert [g.shape for g in grads] == [w.shape, x.shape]
    assert not grads[1].any()
