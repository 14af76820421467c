"""Numbers that stand on results go into weights, and sigmoids are taken apart: nothing changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.folded import Folded, run_folded
from minigrad.lower.nodes import static_nodes
from minigrad.lower.regroup import eliminate_common
from minigrad.lower.scale import scale_weights, sigmoid_by_exp, sigmoids
from tests.minigrad.folding import assert_same, loop

NUMBERS = st.sampled_from([-1.0, 0.5, 2.0, 3.0])


def numbers(folded: Folded) -> int:
    """How many results of a step are multiplied with a number."""
    nodes, fixed = folded.step.nodes, static_nodes(folded)
    return sum(node.op == "multiply" and any(nodes[i].op == "constant" for i in node.inputs)
               for k, node in enumerate(nodes) if k not in fixed)  # fmt: skip


def scaled(folded: Folded) -> int:
    """Numbers left in the step by the pass, which changes no value."""
    found = eliminate_common(scale_weights(folded))
    assert_same(found, folded)
    return numbers(found)


@given(c=NUMBERS)
def test_a_number_goes_into_weights_and_biases(c):
    folded = loop(lambda p, x, h: mg.tanh((x @ p[0] + h @ p[1] + p[2]) * c), (3, 4), (4, 4), (4,))
    assert (numbers(folded), scaled(folded)) == (1, 0)


@given(a=NUMBERS, b=NUMBERS)
def test_each_gate_of_a_product_has_a_number_of_its_own(a, b):
    def gates(p: Any, x: Any, h: Any) -> Any:
        z = mg.transpose(mg.reshape(h @ p[0], (2, 3, 4)), (1, 0, 2))
        return mg.tanh(z[0] * a) * mg.sin(z[1] * b) * mg.exp(z[2])

    folded = loop(gates, (4, 12))
    assert (numbers(folded), scaled(folded)) == (2, 0)


@pytest.mark.parametrize(
    "step",
    [
        lambda p, x, h: mg.tanh(h * 2.0),
        lambda p, x, h: mg.tanh(mg.sin(h @ p[0]) * 2.0),
        lambda p, x, h: (z := h @ p[0]) * mg.tanh(z * 2.0),
        lambda p, x, h: mg.tanh((h @ p[0] + h) * 2.0),
        lambda p, x, h: mg.tanh((h @ p[0]) * np.float64(2.0) * x),
    ],
    ids=["no weight", "behind a function", "read once more", "a term without a weight", "an array"],
)
def test_a_number_that_no_weight_can_take_stays(step):
    folded = loop(step, (4, 4), x=(2, 4))
    assert numbers(folded) == scaled(folded) == 1


@given(x=st.floats(-700, 700), dtype=st.sampled_from([np.float32, np.float64]))
def test_a_sigmoid_by_an_exponential_has_all_its_digits(x, dtype):
    """Wherever σ is a normal number."""
    folded = loop(lambda p, x, h: mg.sigmoid(h), h=(2, 4), dtype=dtype)
    given = [[np.zeros((2, 3), dtype)], [np.full((2, 4), x, dtype)]]
    with np.errstate(over="ignore"):
        found, wanted = (run_folded(f, 1, given)[0][0][0] for f in (sigmoid_by_exp(folded), folded))
    assert found.dtype == dtype
    if wanted.min() >= np.finfo(dtype).tiny:
        np.testing.assert_allclose(found, wanted, rtol=4 * np.finfo(dtype).eps)
    else:
        assert np.all(found <= np.finfo(dtype).tiny)


def test_sigmoids_of_steps_are_taken_apart_and_no_others():
    """Not one of weights alone, which is no time; not in half precision, which overflows early."""
    folded = loop(lambda p, x, h: mg.sigmoid(h) * mg.sigmoid(p[0]), (4,))
    assert len(sigmoids(folded)) == 1
    left = [node.op for node in sigmoid_by_exp(folded).step.nodes]
    assert (left.count("sigmoid"), left.count("exp")) == (1, 1)
    assert sigmoids(loop(lambda p, x, h: mg.sigmoid(h), dtype=np.float16)) == []
