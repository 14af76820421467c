"""What a gradient promises besides its numbers: each promise, broken, is told."""

import itertools
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import (
    GradientMismatch,
    check_gradients,
)
from tests.faults.engine import FAULTS
from tests.faults.planting import WrongRule


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("gradients share memory", "share memory"),
        ("sums into an array of others", "writes into the cotangent"),
        ("an unused input gets a number", "the gradient by unused is float64[]"),
    ],
)
def test_a_broken_promise_is_told(fault, told):
    def f(a, b, unused):
        return a + b + a if fault.startswith("sums") else a + b

    with FAULTS[fault].planted(), pytest.raises((GradientMismatch, ValueError)) as found:
        check_gradients(f, np.ones(3), np.ones(3), np.ones(2))
    assert told in str(found.value) or "read-only" in str(found.value)


COUNT = itertools.count()


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (lambda r, g, y, x: g * g * mg.cos(x), "the gradient by x is not linear in the cotangent"),
        (lambda r, g, y, x: g + 1.0, "a cotangent of zeros gives the gradient by x entries"),
        (lambda r, g, y, x: g * next(COUNT), "pulled back twice, the same cotangent gives"),
        (lambda r, g, y, x: np.multiply(g, 2.0, out=g), "writes into the cotangent|read-only"),
    ],
)
def test_a_rule_that_is_no_linear_map_is_told(rule, told):
    with (
        WrongRule("sin", 0, rule).planted(),
        pytest.raises((GradientMismatch, ValueError)) as found,
    ):
        check_gradients(lambda x: mg.sin(x), np.ones(3))
    assert re.search(told, str(found.value))


def test_a_function_of_chance_is_told():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientMismatch, match="run twice on the same inputs"):
        check_gradients(lambda x: x * rng.normal(), np.ones(2))


def test_a_function_that_changes_its_input_is_told():
    def f(x):
        if isinstance(x, np.ndarray):
            x += 1.0
        return mg.sum(x * x)

    with pytest.raises(AssertionError, match=r"different values|changes its inputs"):
        check_gradients(f, np.ones(2))
