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


def test_an_index_of_integers_is_told_to_gather_and_one_of_booleans_to_choose():
    rows = np.arange(3)
    gather = "an index of tensor would be answered once and for all; read whole rows with minigrad"
    with pytest.raises(TypeError, match=gather) as caught:
        mg.compile(lambda x: x[rows, mg.argmax(x, axis=-1)])(np.eye(3))
    assert "take_along_axis(x, indices[..., None], axis=-1)" in str(caught.value)
    x = np.random.default_rng(0).normal(size=(3, 4))
    program = mg.compile(lambda x: mg.take_along_axis(x, mg.argmax(x, axis=-1)[..., None], axis=-1))
    assert np.array_equal(program(x)[..., 0], x.max(-1))
    with pytest.raises(TypeError, match="choose between values with"):
        mg.compile(lambda x: x[x > 0])(x)


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
