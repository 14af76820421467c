"""A tensor is a leaf or a result, and nobody can copy its gradient away; names and ancestors."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import minigrad as mg
import rnn
from minigrad.testing.strategies import graphs


def through_pickle(value: Any, protocol: int) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


COPIES: dict[str, Callable[[mg.Tensor], mg.Tensor]] = {
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "deepcopy of a structure": lambda x: copy.deepcopy({"x": [x]})["x"][0],
    "deepcopy of parameters": lambda x: copy.deepcopy(rnn.Params(x=x)).x,
    "pickled parameters": lambda x: through_pickle(rnn.Params(x=x), pickle.HIGHEST_PROTOCOL).x,
    "tensors of parameters": lambda x: rnn.Params({str(x.name): x.data}).tensors()[str(x.name)],
    "a tensor of the data": lambda x: mg.Tensor(x.data, x.name),
    **{f"pickle {k}": partial(through_pickle, protocol=k) for k in range(2, 6)},
}  # fmt: skip


def gradients(program: Any, leaves: list[mg.Tensor], seed: float) -> list[Any]:
    program(*leaves).backward(seed)
    return [x.grad for x in leaves]


@pytest.mark.parametrize("way", COPIES)
@given(program=graphs())
def test_every_copy_of_a_tensor_is_a_leaf_of_its_own(way, program):
    """Beside the original, in one loss, each gets its own gradient, to the bit."""
    leaves = [mg.Tensor(x, f"x{k}") for k, x in enumerate(program.values)]
    twins = [COPIES[way](x) for x in leaves]
    assert [x.name for x in twins] == [x.name for x in leaves]
    assert len({x.serial for x in leaves + twins}) == 2 * len(leaves)
    with np.errstate(all="ignore"):
        mg.sum(3.0 * program(*leaves) + 5.0 * program(*twins)).backward()
        for seed, found in ((3.0, leaves), (5.0, twins)):
            wanted = gradients(program, [mg.Tensor(x) for x in program.values], seed)
            for x, g in zip(found, wanted, strict=True):
                assert np.array_equal(x.grad, g, equal_nan=True)


def test_the_example_of_two_leaves_that_were_one():
    a = mg.Tensor(2.0)
    b = copy.deepcopy(a)
    (3.0 * a + 5.0 * b).backward()
    assert (a.grad, b.grad) == (3.0, 5.0)


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_of_a_result_has_its_values_and_name_and_no_history(way):
    w = mg.Tensor(0.5, "w")
    with mg.scope("rnn", t=3):
        h = mg.named("h", mg.tanh(w))
    h.backward()
    twin = COPIES[way](h)
    assert (twin.data, twin.name) == (h.data, "h")
    assert (twin.primitive, twin.parents, twin.grad, twin.tag) == (None, (), None, None)
    assert not np.shares_memory(twin.data, h.data)
    assert not twin.data.flags.writeable
    assert mg.find(h, "w") is w


def test_what_is_shared_stays_shared_in_a_deep_copy():
    w = mg.Tensor(1.0)
    first, second = copy.deepcopy([w, w])
    assert first is second
    assert first is not w


def test_a_tensor_has_no_subclasses():
    """They would be taken for something that is no tensor."""
    with pytest.raises(TypeError, match="keep tensors in structures"):
        type("Weight", (mg.Tensor,), {})


@given(program=graphs())
def test_ancestors_are_all_that_it_was_made_from_oldest_first(program):
    """Each operand stands before what uses it, so every walk is a loop."""
    leaves = [mg.Tensor(x) for x in program.values]
    with np.errstate(all="ignore"):
        nodes = mg.ancestors(mg.sum(program(*leaves)))
    place = {x.serial: k for k, x in enumerate(nodes)}
    assert len(place) == len(nodes)
    for k, node in enumerate(nodes):
        assert all(place[x.serial] < k for x in node.parents if type(x) is mg.Tensor)


def test_ancestors_end_where_one_says():
    x = mg.Tensor(2.0)
    y = x * x
    z = mg.sin(y)
    assert [a.serial for a in mg.ancestors(z)] == [x.serial, y.serial, z.serial]
    assert [a.serial for a in mg.ancestors(z, stop=[y])] == [y.serial, z.serial]
    assert [a.serial for a in mg.ancestors(z, since=y.serial)] == [z.serial]


def test_a_second_name_is_that_of_an_alias():
    h = mg.named("h", mg.Tensor(0.5) * 2.0)
    y = mg.named("y", h)
    assert (h.name, y.name) == ("h", "y")
    assert y.primitive is mg.PRIMITIVES["alias"]
    assert mg.named("h", h) is h
    assert mg.named("h", 3.0) == 3.0


def test_a_tensor_shows_its_values_its_name_and_what_made_it():
    assert repr(mg.Tensor(2.5, "x")) == "Tensor(2.5, name='x')"
    with mg.scope("rnn", t=3):
        assert repr(mg.sin(mg.Tensor(1.0))) == "Tensor(0.8415, sin in rnn at t = 3)"
    assert f"{mg.Tensor(2.5):.2f} {mg.Tensor(2.5)}" == "2.50 Tensor(2.5)"
    assert repr(mg.PRIMITIVES["tanh"]) == "<primitive tanh>"


def test_a_tensor_is_a_sequence_of_its_rows():
    x = mg.Tensor(np.arange(6.0).reshape(2, 3))
    assert len(x) == 2
    assert [y.data.tolist() for y in x] == [[0, 1, 2], [3, 4, 5]]
    assert mg.Tensor(1.0)
    assert not mg.Tensor(0.0)


def test_a_product_is_left_to_what_takes_it_over_as_numpys_arrays_leave_it():
    class Taker:
        __array_ufunc__ = None

        def __rmatmul__(self, left):
            return type(left).__name__

    assert (mg.Tensor(np.ones((2, 2))) @ Taker(), np.ones((2, 2)) @ Taker()) == (
        "Tensor",
        "ndarray",
    )
