"""What is compared and what cannot be: offsets, chaos, kinks, infinite slopes, real forwards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.core.kinds import elementwise
from minigrad.testing import GradientMismatch, check_gradients, tensors

X = np.linspace(-1.0, 1.0, 6).reshape(2, 3)


@elementwise(lambda y, x: mg.where(x > 0, 1.0, 0.02))
def leaky(x, out=None):
    """A leaky relu; its slope on the left is 0.01, not 0.02."""
    return np.where(x > 0, x, 0.01 * x)


@elementwise(lambda y, x: 1 / (1 + mg.abs(x)) ** 2)
def squash(x, out=None):
    """x/(1 + |x|), which is not holomorphic: a complex step comes through, and is wrong."""
    return x / (1 + np.abs(x))


@elementwise(lambda y, x: 1 / (1 + mg.abs(x)))
def careless_squash(x, out=None):
    """Its slope forgets that |x| moves too, as a complex step does."""
    return x / (1 + np.abs(x))


@elementwise(lambda y, x: 2.0 * x)
def real_square(x, out=None):
    """x², of the real part only."""
    return np.real(x) ** 2


@elementwise(lambda y, x: mg.where(x == 2.0, np.nan, 1.0))
def hole(x, out=None):
    """x, whose slope at 2 is NaN."""
    return x + 0.0


OWN = [mg.PRIMITIVES.pop(f.name) for f in (leaky, squash, careless_squash, real_square, hole)]


@pytest.fixture(scope="module", autouse=True)
def own_operations():
    """They are in the table for these tests alone: random programs are made of all it has."""
    mg.PRIMITIVES.update({f.name: f for f in OWN})
    yield
    for f in OWN:
        del mg.PRIMITIVES[f.name]


def test_a_wrong_slope_beside_a_kink_is_found_at_its_own_entry():
    with pytest.raises(GradientMismatch) as found:
        check_gradients(lambda x: mg.maximum(x, 0.0) + leaky(x), np.array([0.0, -3.0, 1.0]))
    assert found.value.entry.place == "x[1]"


@pytest.mark.parametrize("f", [squash, real_square, lambda x: mg.tanh(squash(x) * 2.0) + x])
@given(x=tensors(shape=(4,)), seed=st.integers(0, 2**32 - 1))
def test_a_forward_that_is_not_holomorphic_is_checked_by_differences(f, x, seed):
    check = check_gradients(f, x, seed=seed)
    assert check.method == "differences" or check.kink is not None


def test_a_slope_that_is_as_wrong_as_a_complex_step_is_found():
    with pytest.raises(GradientMismatch, match="first wrong primitive: careless_squash"):
        check_gradients(careless_squash, X)


OFFSETS = {
    "variance": lambda c: lambda x: mg.var(c + x),
    "difference": lambda c: lambda x: (c + x) - c,
    "cube of a difference": lambda c: lambda x: ((x + c) - c) ** 3,
    "absolute difference": lambda c: lambda x: mg.abs((x + c) - c),
    "single precision": lambda c: lambda x: mg.tanh(mg.astype(x + c / 1e10, "float32") * 3.0),
}


@pytest.mark.parametrize("name", OFFSETS)
@given(power=st.floats(0, 10), seed=st.integers(0, 2**32 - 1))
def test_cancellation_is_no_alarm(name, power, seed):
    x = np.random.default_rng(seed).normal(size=5)
    check_gradients(OFFSETS[name](10.0**power), x, seed=seed)


@pytest.mark.parametrize("name", ["variance", "difference"])
def test_behind_an_offset_a_fault_is_found(name):
    f = OFFSETS[name](1e4)
    with pytest.raises(GradientMismatch):
        check_gradients(lambda x: f(mg.sin(x) + 1e-6 * mg.detach(x)), X)


def chaotic(x):
    for _ in range(100):
        x = 3.9 * x * (1.0 - x)
    return x


def test_the_derivative_of_chaos_cannot_be_judged_and_it_is_said():
    check = check_gradients(chaotic, np.array([0.2, 0.3]))
    assert "itself moves by" in check.unjudged
    assert repr(check).startswith("<GradientCheck cannot be judged: the derivative, ")


@given(seed=st.integers(0, 2**32 - 1))
def test_a_chaotic_network_is_no_alarm(seed):
    rng = np.random.default_rng(seed)
    W, h = rng.normal(size=(4, 4)) * 2.0, rng.normal(size=(1, 4))

    def f(W, h):
        for _ in range(100):
            h = mg.tanh(h @ W)
        return h

    check_gradients(f, W, h, seed=seed)


@pytest.mark.parametrize("f", [mg.sqrt, np.sqrt, lambda x: mg.sum(mg.sqrt(x))])
def test_an_infinite_slope_cannot_be_judged_and_the_rest_is(f):
    x = np.array([4.0, 0.0, 1.0])
    for order in (1, 2):
        assert check_gradients(f, x, order=order).unjudged.endswith("[1] has no finite slope")
    with pytest.raises(GradientMismatch):
        check_gradients(lambda x: f(x) + 1e-6 * mg.sin(x) * mg.detach(x), x)


def test_where_nothing_can_be_judged_it_is_said():
    told = repr(check_gradients(mg.sqrt, np.array(0.0)))
    assert told == "<GradientCheck cannot be judged: input 1 has no finite slope>"


def test_an_entry_whose_gradient_is_nan_is_the_one_that_is_shown():
    with pytest.raises(GradientMismatch) as found:
        check_gradients(lambda x: hole(x) * 3.0, np.array([1.0, 2.0, 3.0, 4.0]))
    assert found.value.entry.place == "x[1]"
    assert found.value.primitive == "hole"


def test_a_graph_that_is_cut_has_a_wrong_gradient():
    """A gradient of zeros fits itself in both modes; differences know better."""
    f = lambda x: np.sin(x.data if isinstance(x, mg.Tensor) else x)
    with pytest.raises(GradientMismatch, match="no result is a tensor"):
        check_gradients(f, np.array([0.5]))
    assert check_gradients(lambda x: 3.0, np.ones(2)).is_cut


def test_what_comes_to_a_kink_is_held_still_and_the_rest_is_compared():
    check = check_gradients(mg.relu, np.array([0.0, 1.0]))
    assert check.kink.op == "relu"
    assert check.method == "complex step"
    assert check_gradients(mg.relu, np.array([0.0])).method == "adjoint"
