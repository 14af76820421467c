"""In a trace that stands for other values, Python is given none that depend on them."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minigrad as mg

ASKED = {
    ".data": lambda x: x.data,
    "item()": lambda x: x.item(),
    "a condition": bool,
}


@pytest.mark.parametrize("what", ASKED)
def test_a_value_that_depends_on_the_inputs_is_refused(what):
    told = f"{what} of tensor would be answered once and for all; choose between values with"
    with pytest.raises(TypeError, match=re.escape(told)):
        mg.compile(lambda x: (ASKED[what](x * 2.0), x)[1])(np.array(0.5))


@pytest.mark.parametrize("what", ASKED)
def test_a_value_that_is_the_same_whatever_is_given_is_not(what):
    constant = mg.Tensor(1.0)

    def f(x):
        ASKED[what](constant)
        ASKED[what](mg.Tensor(1.0) * 1.0)
        return x * 2.0

    assert mg.compile(f)(np.array(0.5)) == 1.0


@pytest.mark.parametrize("what", ASKED)
def test_a_trace_that_is_only_looked_at_gives_them(what):
    graph = mg.trace(lambda x: (ASKED[what](x), x * 2.0)[1], 1.0)
    assert graph(1.5) == 3.0
