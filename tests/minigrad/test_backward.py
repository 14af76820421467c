"""`loss.backward()` fills `.grad` of leaves and named tensors with what `grad` gives of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

import minigrad as mg
from minigrad.testing import graphs


@given(program=graphs())
def test_leaves_have_the_gradients_of_the_function(program):
    leaves = [mg.Tensor(x) for x in program.values]
    with np.errstate(all="ignore"):
        program(*leaves).backward(1.0)
        whole = lambda *xs: mg.sum(program(*xs))
        wanted = mg.grad(whole, wrt=range(len(leaves)))(*program.values)
    for leaf, g in zip(leaves, wanted, strict=True):
        np.testing.assert_array_equal(leaf.grad, g)
        assert not any(np.shares_memory(leaf.grad, x.grad) for x in leaves if x is not leaf)


def test_a_named_tensor_has_the_derivative_by_its_value():
    x = mg.Tensor([0.5, -1.0])
    h = mg.named("h", mg.tanh(x))
    unnamed = h * h
    (mg.sum(unnamed) + 3.0 * h[0]).backward()
    np.testing.assert_allclose(h.grad, 2.0 * np.tanh(x.data) + [3.0, 0.0], rtol=1e-15)
    assert unnamed.grad is None


def test_calls_add_up_also_of_two_losses():
    x = mg.Tensor([1.0, 2.0])
    y = x * x
    y.backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 40.0]
    y.backward(1.0)
    mg.sum(x).backward()
    assert x.grad.tolist() == [5.0, 45.0]


def test_where_nothing_arrives_there_are_zeros():
    x, w = mg.Tensor([1.0, 2.0]), mg.Tensor(3.0)
    h = mg.named("h", 2.0 * x)
    flags = mg.named("flags", x > 1.0)
    (mg.sum(mg.where(flags, mg.detach(h), 0.0)) * w).backward()
    assert x.grad.tolist() == h.grad.tolist() == [0.0, 0.0]
    assert w.grad == 4.0
    assert flags.grad is None


def test_a_cotangent_that_is_a_tensor_is_refused():
    with pytest.raises(TypeError, match="for derivatives of gradients use vjp"):
        mg.Tensor(1.0).backward(mg.Tensor(1.0))
