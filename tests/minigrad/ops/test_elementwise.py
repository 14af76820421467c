"""Functions entry by entry are NumPy's of the same name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.strategies import broadcast_args

SAME = [name for name, p in mg.PRIMITIVES.items()
        if p.by_entries and isinstance(getattr(np, name, None), np.ufunc)]  # fmt: skip


@given(args=broadcast_args("(),()->()", domain=(0.125, 4.0)), dtype=st.sampled_from(["f4", "f8"]))
def test_a_function_is_numpys_of_its_name(args, dtype):
    args = [x.astype(dtype) for x in args]
    for name in SAME:
        ufunc = getattr(np, name)
        with np.errstate(invalid="ignore"):  # beyond the domain of some
            found, wanted = (f(*args[: ufunc.nin]) for f in (getattr(mg, name), ufunc))
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype), name
        np.testing.assert_array_equal(found, wanted, name)


def test_what_numpy_has_under_that_name_is_most_of_it():
    assert {"add", "tanh", "maximum", "less_equal", "logical_not", "sign"} <= set(SAME)


X = np.array([-800.0, -1.0, -0.0, 0.5, 3.0, 800.0])


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (mg.sigmoid, lambda x: np.exp(np.minimum(x, 0)) / (1 + np.exp(-abs(x)))),
        (mg.softplus, lambda x: np.logaddexp(0, x)),
        (mg.detach, lambda x: x),
        (mg.ops.alias, lambda x: x),
        (lambda x: mg.astype(x, "float32"), lambda x: x.astype(np.float32)),
    ],
)
def test_others_are_their_formula_at_the_ends_too(f, wanted):
    np.testing.assert_allclose(f(X), wanted(X), rtol=1e-15)


def test_what_is_detached_has_its_value_and_no_slope():
    assert mg.value_and_grad(lambda x: mg.detach(x) * 3.0 + x)(2.0) == (8.0, 1.0)
