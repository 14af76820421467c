"""The faults that are there to be read: each is told, and the backward that is right is not."""

import numpy as np
import pytest

from minigrad.testing import check_vjp, faults


def softmax_backward(g, y, x):
    return y * (g - np.sum(g * y))


def rows_backward(g, y, table, rows):
    found = np.zeros_like(table)
    np.add.at(found, rows, g)
    return found, None


def product_backward(g, y, x, W, V):
    dxW, dxV = g * (x @ V), g * (x @ W)
    return dxW @ W.T + dxV @ V.T, x.T @ dxW, x.T @ dxV


def rnn_backward(g, y, xs, W_hh):
    dz, later = np.zeros_like(g), 0.0
    for t in reversed(range(len(xs))):
        dz[t] = (g[t] + later) * (1 - y[t] ** 2)
        later = W_hh @ dz[t]
    return dz, y[:-1].T @ dz[1:]


CASES = {
    "tanh_slope_at_the_input": (lambda g, y, x: g * (1 - y * y), "wrong: x"),
    "bias_averaged_over_the_batch": (
        lambda g, y, x, b: (g, g.sum(axis=0)), "it is 0.5 times the right one"
    ),
    "first_use_alone": (lambda g, y, x: g * (np.sin(x) + x * np.cos(x)), "wrong: x"),
    "softmax_entry_by_entry": (softmax_backward, "3 of 3 entries wrong"),
    "weights_exchanged": (product_backward, "it is the gradient by V"),
    "repeated_row_overwrites": (rows_backward, r"table\[0, \d\].*2 of 6 entries wrong"),
    "cotangent_written_into": (lambda g, y, x: g * (x > 0), "writes into the cotangent g"),
    "state_gradient_forgotten": (rnn_backward, "what comes back through 1 step.s. of time is"),
}  # fmt: skip
"""By the name of the fault: the backward that is right, and a line of the report on the wrong."""


def test_every_fault_is_here():
    assert {k for k, v in vars(faults).items() if isinstance(v, faults.Fault)} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_and_the_right_backward_is_not(name):
    fault, (right, told) = getattr(faults, name), CASES[name]
    check_vjp(fault, right, *fault.example_inputs, time_axis=fault.time_axis)
    with pytest.raises(AssertionError, match=told):
        check_vjp(fault, fault.backward, *fault.example_inputs, time_axis=fault.time_axis)
