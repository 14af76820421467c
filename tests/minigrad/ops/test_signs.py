"""Of two entries the number, and signs of zeros."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg

A = np.array([np.nan, 1.0, -0.0, 3.0, np.nan])
B = np.array([2.0, np.nan, 0.0, 3.0, np.nan])


@pytest.mark.parametrize("name", ["fmax", "fmin", "copysign", "heaviside"])
def test_a_choice_is_numpys(name):
    f = getattr(np, name)
    np.testing.assert_array_equal(f(mg.Tensor(A), B).data, f(A, B))
    np.testing.assert_array_equal(f(A, mg.Tensor(B)).data, f(A, B))


@pytest.mark.parametrize("name", ["fmax", "fmin", "copysign", "heaviside"])
@pytest.mark.parametrize("other", [np.float16(0.5), np.float64(0.5), 0.5, 1], ids=repr)
def test_the_precision_of_a_choice_is_numpys(name, other):
    for a, b in ((np.ones(2, np.float32), other), (other, np.ones(2, np.float32))):
        assert getattr(mg, name)(a, b).dtype == getattr(np, name)(a, b).dtype


def test_the_number_has_the_slope():
    da, db = mg.grad(lambda a, b: mg.sum(mg.fmax(a, b)), wrt=(0, 1))(A, B)
    assert da.tolist() == [0.0, 1.0, 0.5, 0.5, 0.0]
    assert db.tolist() == [1.0, 0.0, 0.5, 0.5, 1.0]


def test_complex_numbers_have_no_part_here():
    z = mg.Tensor(1j)
    for f in (np.real, np.imag, np.conj):
        with pytest.raises(TypeError, match="real numbers"):
            f(z)
