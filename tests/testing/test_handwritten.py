"""`check_vjp` on any pair of functions: what is wrong is told, and nothing else is."""

import itertools

import numpy as np
import pytest

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


def test_integers_are_passed_on_and_not_moved():
    """Rows to look up stay integers in every derivative; they were made complex, then floats."""

    def backward(g, y, table, rows):
        found = np.zeros_like(table)
        np.add.at(found, rows, g)
        return found, None

    check_vjp(lambda table, rows: table[rows], backward, np.ones((3, 2)), np.array([0, 2, 0]))


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
