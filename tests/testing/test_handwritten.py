"""`check_vjp` on any pair of functions: what is wrong is told, and nothing else is."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.testing import check_vjp


def test_a_forward_that_drops_complex_numbers_is_checked_by_differences():
    def f(x):
        y = np.zeros(x.shape)
        y[...] = np.abs(np.real(x)) ** 1.5
        return y

    good = lambda g, y, x: (g * 1.5 * np.sign(x) * np.sqrt(np.abs(x)),)
    x = np.array([0.5, -1.5, 2.0])
    check_vjp(f, good, x)
    with pytest.raises(AssertionError, match="by differences"):
        check_vjp(f, lambda g, y, x: (good(g, y, x)[0] * 1.001,), x)


@pytest.mark.parametrize(
    ("backward", "told"),
    [
        (lambda g, y, x: (g[:1],), "has shape"),
        (lambda g, y, x: (g, g), "2 gradients for 1 arrays"),
        (lambda g, y, x: (np.multiply(g, 2 * x, out=g),), "writes into the cotangent"),
        (lambda g, y, x: (np.multiply(g, 2 * x, out=x),), "changes its input"),
        (lambda g, y, x: (None,), r"gives None for x, wanted a gradient of shape \(2,\)"),
        (lambda g, y, x: None, "returned None, wanted a tuple of gradients by x"),
        (lambda g, y, x: {"x": g}, "returned {'x': .*wanted a tuple of gradients by x"),
    ],
)
def test_a_backward_of_the_wrong_form_is_told(backward, told):
    with pytest.raises(AssertionError, match=told):
        check_vjp(np.square, backward, np.array([1.0, 2.0]))


def doubled(x):
    x *= 2
    return x


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("f", "kind", "told"),
    [
        (doubled, AssertionError, "f changes its input x"),
        (lambda x: x * next(COUNT), AssertionError, "other values when it is run again"),
        (lambda x: None, TypeError, "f must return an array or several, got None"),
        (lambda x: x * np.inf, ValueError, "f gives entries that are not finite"),
    ],
)
def test_a_forward_that_cannot_be_checked_is_told(f, kind, told):
    with pytest.raises(kind, match=told):
        check_vjp(f, lambda g, y, x: (g,), np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("arrays", "about", "told"),
    [
        ((np.arange(3),), {}, "no array of floats to differentiate by; got x int64"),
        ((np.ones(3),), {"names": ["a", "b"]}, "1 arrays, but 2 names"),
        ((np.ones(3),), {"time_axis": 1}, r"time_axis 1 does not fit the result's shape \(3,\)"),
    ],
)
def test_arguments_that_do_not_fit_are_told(arrays, about, told):
    with pytest.raises(ValueError, match=told):
        check_vjp(np.square, lambda g, y, x: (2 * x * g,), *arrays, **about)


def test_at_a_kink_any_slope_between_both_sides_is_right():
    relu, x = lambda x: np.maximum(x, 0.0), np.array([0.0, 1.0, -1.0])
    for slope in (0.0, 0.5, 1.0):
        check_vjp(relu, lambda g, y, x, s=slope: (g * np.where(x == 0, s, x > 0),), x)
    with pytest.raises(AssertionError, match=r"x\[0\]"):
        check_vjp(relu, lambda g, y, x: (g * np.where(x == 0, 1.01, x > 0),), x)


def test_a_wrong_slope_is_shown_and_not_the_kink_that_is_accepted():
    """At 0 both sides are far from 0.9 too, but any slope between them is right."""
    leaky = lambda x: np.where(x > 0, x, 0.01 * x)
    wrong = lambda g, y, x: (g * np.where(x > 0, 1.0, np.where(x == 0, 0.9, 0.02)),)
    with pytest.raises(AssertionError, match=r"x\[1\]: .*\(1 of 2 entries wrong\)"):
        check_vjp(leaky, wrong, np.array([0.0, -3.0]))


def test_an_entry_that_is_nan_is_the_one_that_is_shown():
    wrong = lambda g, y, x: (np.where(x == 2.0, np.nan, g * 7.0),)
    with pytest.raises(AssertionError, match=r"x\[1\]: backward nan"):
        check_vjp(np.sin, wrong, np.array([1.0, 2.0, 3.0]))


RIGHT = {
    "look-up": (
        lambda x, i: x[i] ** 2,
        lambda g, y, x, i: (np.bincount(i, g * 2 * x[i], len(x)), None),
    ),
    "rounds to single": (
        lambda x, i: np.tanh(x.astype(np.float32)),
        lambda g, y, x, i: (g * (1 - y * y), None),
    ),
    "a gradient in single": (
        lambda x, i: np.tanh(x),
        lambda g, y, x, i: ((g * (1 - y * y)).astype(np.float32), None),
    ),
    "|x| is not holomorphic": (
        lambda x, i: x / (1 + np.abs(x)),
        lambda g, y, x, i: (g / (1 + np.abs(x)) ** 2, None),
    ),
    "the real part alone": (
        lambda x, i: np.real(x) ** 2 + 1e6 * x,
        lambda g, y, x, i: (g * (2 * x + 1e6), None),
    ),
    "variance": (
        lambda x, i: np.var(1e4 + x),
        lambda g, y, x, i: (g * 2 * (x - np.mean(x)) / len(x), None),
    ),
    "difference of large numbers": (
        lambda x, i: (1e10 + x) - 1e10,
        lambda g, y, x, i: (g, None),
    ),
    "saturated": (
        lambda x, i: 1e5 * np.tanh(20.0 * x),
        lambda g, y, x, i: (2e6 * g * (1 - (y / 1e5) ** 2), None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
@given(seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from(["float64", "float32"]))
def test_what_is_right_is_no_alarm(name, seed, dtype):
    rng = np.random.default_rng(seed)
    f, backward = RIGHT[name]
    check_vjp(f, backward, rng.normal(size=5).astype(dtype), rng.integers(0, 5, 7))


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_wrong_by_a_thousandth_is_found(name):
    f, backward = RIGHT[name]
    wrong = lambda g, y, x, i: (backward(g, y, x, i)[0] * 1.001, None)
    with pytest.raises(AssertionError):
        check_vjp(f, wrong, np.array([0.3, -0.4, 0.7, 0.1, -0.9]), np.array([0, 2, 2, 4, 1, 3]))


def test_the_square_root_at_zero_cannot_be_judged_and_the_rest_is():
    x = np.array([0.0, 4.0])
    right = lambda g, y, x: (g / (2 * y),)
    assert check_vjp(np.sqrt, right, x) == ("x[0] has no finite slope",)
    with pytest.raises(AssertionError, match=r"x\[1\]"):
        check_vjp(np.sqrt, lambda g, y, x: (g / (3 * y),), x)


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(20, 100))
def test_a_chaotic_network_is_no_alarm(seed, steps):
    rng = np.random.default_rng(seed)

    def states(W, h):
        found = [h]
        for _ in range(steps):
            found.append(np.tanh(found[-1] @ W))
        return found

    def backward(g, y, W, h):
        hs, dW = states(W, h), np.zeros_like(W)
        for t in range(steps, 0, -1):
            dz = g * (1 - hs[t] ** 2)
            dW += np.outer(hs[t - 1], dz)
            g = W @ dz
        return dW, g

    check_vjp(lambda W, h: states(W, h)[-1], backward, 2 * rng.normal(size=(4, 4)),
              rng.normal(size=4))  # fmt: skip


@pytest.mark.parametrize(
    ("backward", "told"),
    [
        (lambda g, y, W: 3 * g, "wrong: W"),
        (lambda g, y, *arrays: 3 * g, "wrong: array 1"),
    ],
)
def test_arrays_are_called_what_backward_calls_them(backward, told):
    with pytest.raises(AssertionError, match=told):
        check_vjp(lambda x: 2.0 * x, backward, np.ones(2))
