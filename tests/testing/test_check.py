"""`check_gradients` finds what is wrong and is silent otherwise, and tells what it cannot check."""


from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import (
    check_gradients,
    draw_program,
    fan_outs,
    graphs,
)

X, W = np.linspace(-1.0, 1.0, 6).reshape(2, 3), np.linspace(0.5, 1.5, 6).reshape(3, 2)


@given(program=graphs(), seed=st.integers(0, 2**32 - 1))
def test_random_programs_raise_no_alarm(program, seed):
    check_gradients(program, *program.values, seed=seed)


@pytest.mark.parametrize("scale", [0.01, 30.0, 1000.0])
@given(random=st.randoms(use_true_random=False))
def test_random_programs_of_any_scale_raise_no_alarm(scale, random):
    program = draw_program(random, scale=scale)
    check_gradients(program, *program.values)


@pytest.mark.parametrize("seed", [1002587, 1007914, 1009481, 1018768])
def test_derivatives_below_the_smallest_normal_number_raise_no_alarm(seed):
    """Four of 25,000 programs on inputs of about 1000 cried before such digits were let go."""
    program = draw_program(Random(seed), scale=1000.0)
    check_gradients(program, *program.values, seed=seed)


@pytest.mark.parametrize("name", ["cholesky", "log_abs_det", "absolute"])
def test_a_small_part_that_is_not_holomorphic_raises_no_alarm(name):
    """Its complex step is wrong, by less than differences of the whole can tell."""
    part = lambda x: mg.sum(mg.PRIMITIVES[name](1e-12 * x + np.array([[1.0, 0.0], [0.0, 2.0]])))
    for seed in range(20):
        x = np.array(np.random.default_rng(seed).normal())
        assert check_gradients(lambda x: part(x) + mg.sin(x), x).method == "differences"
        check_gradients(part, x)


@given(program=fan_outs())
def test_parameters_used_many_times_raise_no_alarm(program):
    check_gradients(program, *program.values)


@given(program=graphs(most=4), seed=st.integers(0, 2**32 - 1))
def test_second_derivatives_of_random_programs_raise_no_alarm(program, seed):
    check_gradients(program, *program.values, order=2, method="adjoint", seed=seed)


def test_integers_nested_structures_and_several_results_are_checked():
    def f(p, classes):
        rows = mg.lookup(p["table"], classes)
        return {"rows": mg.tanh(rows), "sum": mg.sum(p["w"][0] * rows)}

    params = {"table": X.copy(), "w": [np.ones(3)]}
    check = check_gradients(f, params, np.array([1, 1, 0]))
    assert check.names == ["p.table", "p.w[0]"]


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (lambda: check_gradients(mg.sin, 0.5, method="magic"), ValueError,
         "check_gradients: unknown method 'magic'"),
        (lambda: check_gradients(mg.sin, 0.5, order=0), ValueError, "order is 1 for gradients"),
        (lambda: check_gradients(0.5), TypeError, "takes a function and its inputs, got 0.5"),
        (lambda: check_gradients(lambda i: i, np.arange(2)), ValueError,
         r"nothing to differentiate; the inputs are int64\[2\]"),
        (lambda: check_gradients(lambda: 0.5), ValueError, "the inputs are no arrays"),
        (lambda: check_gradients(lambda x: None, 0.5), TypeError,
         "must return arrays, got None"),
        (lambda: check_gradients(lambda x: mg.sin(x), np.nan), ValueError,
         "x has entries that are not finite"),
        (lambda: check_gradients(mg.log, -1.0), ValueError,
         "the result has entries that are not finite: array.nan.; there is no gradient"),
        (lambda: check_gradients(lambda x, W: x @ W, X, X), mg.ShapeError,
         r"matmul: axis n is 3 on the left, 2 on the right: shapes x \(2, 3\) and W \(2, 3\)"),
        (lambda: check_gradients(mg.absolute, 0.5, method="complex"), ValueError,
         "a complex step does not come through this function.*method='auto' takes differences"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_told(call, kind, told):
    with pytest.raises(kind, match=told):
        call()
