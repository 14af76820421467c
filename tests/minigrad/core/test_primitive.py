"""A graph holds what was there when it was recorded: nobody can write its gradient away."""

from __future__ import annotations

import ast
import copy
import keyword
import pickle
from random import Random
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.core import FUNCTIONS
from minigrad.core.kinds import linear
from minigrad.testing import draw_case
from minigrad.testing.strategies import graphs, indices, tensors

PRIMITIVES = sorted((p for p in mg.PRIMITIVES.values() if p.kind != "loop"), key=lambda p: p.name)
RANDOM = st.randoms(use_true_random=False)


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
def test_there_is_one_of_each_primitive(primitive):
    assert copy.copy(primitive) is copy.deepcopy(primitive) is primitive
    assert pickle.loads(pickle.dumps(primitive, 2)) is primitive


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
@given(draw=RANDOM)
def test_arrays_give_arrays_and_a_tensor_is_recorded(primitive, draw):
    """Applied to arrays it computes; applied to tensors it computes the same, and records."""
    case = draw_case(primitive, draw)
    with np.errstate(all="ignore"):
        value = primitive(*case.operands, **case.attrs)
        out = primitive(*map(mg.Tensor, case.operands), **case.attrs)
    assert isinstance(value, np.ndarray | np.generic)
    assert (type(out), out.primitive) == (mg.Tensor, primitive)
    assert len(out.parents) == len(case.operands)
    assert np.array_equal(out.data, value, equal_nan=True)
    assert not out.data.flags.writeable


# --- arrays that are written to afterwards ------------------------------------------------------


class Caller:
    """Somebody who gives arrays away and then writes something else into each of them."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def give(self, value: Any) -> Any:
        """The same value, with arrays that the caller keeps a hand on."""
        if isinstance(value, tuple | list):
            return type(value)(self.give(item) for item in value)
        if isinstance(value, slice):
            return slice(*(self.give(end) for end in (value.start, value.stop, value.step)))
        if type(value) is int:
            value = np.array(value)
        if isinstance(value, np.ndarray):
            value = value.copy()
            self.given.append(value)
        return value

    def overwrite(self) -> None:
        for array in self.given:
            array[...] = ~array if array.dtype.kind == "b" else array + 1 if array.dtype.kind in (
                "iu") else np.nan  # fmt: skip


def one_gradient(primitive: Any, case: Any, k: int, write: bool) -> list[Any]:
    """Value and gradient by operand k, with the arrays of the call overwritten in between."""
    caller = Caller()
    attrs = {
        key: caller.give(value) if key in ("position", "positions") else value
        for key, value in case.attrs.items()
    }
    leaf = mg.Tensor(case.operands[k])
    operands = [leaf if j == k else caller.give(y) for j, y in enumerate(case.operands)]
    with np.errstate(all="ignore"):
        out = primitive(*operands, **attrs)
        if write:
            caller.overwrite()
        if out.dtype.kind == "f":
            out.backward(np.ones(out.shape))
    return [out.data.copy(), leaf.grad]


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
@given(draw=RANDOM)
def test_arrays_given_to_a_primitive_may_be_overwritten_before_backward(primitive, draw):
    """Operands and attributes, each in turn beside a leaf."""
    case = draw_case(primitive, draw)
    for k, x in enumerate(case.operands):
        if x.dtype.kind == "f":
            kept, written = (one_gradient(primitive, case, k, write) for write in (False, True))
            for a, b in zip(kept, written, strict=True):
                assert (a is None and b is None) or np.array_equal(a, b, equal_nan=True)


@given(data=st.data())
def test_a_position_may_be_overwritten_before_backward(data):
    """Of whatever kind: integers in 0-d arrays, ends of slices, lists, arrays, flags."""
    x = data.draw(tensors(shape=(3, 2)))
    position = data.draw(indices((3, 2)))
    seed = np.random.default_rng(0).normal(size=x[position].shape)
    for kind in (lambda caller: caller.give(position), lambda caller: position):
        caller, leaf = Caller(), mg.Tensor(x)
        out = leaf[kind(caller)]
        caller.overwrite()
        assert np.array_equal(out.data, x[position])
        out.backward(seed)
        wanted = np.zeros_like(x)
        np.add.at(wanted, position, seed)
        assert np.array_equal(leaf.grad, wanted)


def test_the_example_of_an_index_of_one_number():
    w, i = mg.Tensor([1.0, 2.0, 3.0]), np.array(0)
    y = w[i]
    i[...] = 2
    y.backward()
    assert w.grad.tolist() == [1.0, 0.0, 0.0]


@given(program=graphs(), seed=st.integers(0, 2**32 - 1))
def test_every_array_of_a_program_may_be_overwritten_before_backward(program, seed):
    """Inputs, constants and positions are the caller's; some inputs are leaves."""
    random = Random(seed)
    leaf = [k == 0 or random.random() < 0.5 for k in range(len(program.values))]

    def run(write: bool) -> list[Any]:
        caller, results = Caller(), {}
        inputs = [mg.Tensor(caller.give(x)) if yes else caller.give(x)
                  for x, yes in zip(program.values, leaf, strict=True)]  # fmt: skip
        for index, x in zip(program.graph.inputs, inputs, strict=True):
            results[index] = x
        for k, node in enumerate(program.graph.nodes):
            if node.op == "constant":
                results[k] = caller.give(node.value)
            elif node.op != "input":
                operands = [results[i] for i in node.inputs]
                attrs = {key: caller.give(value) if key.startswith("position") else value
                         for key, value in node.attrs.items()}  # fmt: skip
                results[k] = mg.PRIMITIVES[node.op](*operands, **attrs)
        out = results[program.graph.outputs[0]]
        if write:
            caller.overwrite()
        out = mg.sum(out)
        if type(out) is mg.Tensor:
            out.backward()
        return [x.grad for x in inputs if type(x) is mg.Tensor]

    with np.errstate(all="ignore"):
        for a, b in zip(run(False), run(True), strict=True):
            assert (a is None and b is None) or np.array_equal(a, b, equal_nan=True)


def test_a_traced_graph_holds_what_was_there():
    """Operands, positions and results of the function's own; and what a call gave stays so."""
    scale, place, own = np.array([2.0, 3.0]), np.array([1, 0]), np.array([4.0])
    graph = mg.trace(lambda x: (x[place] * scale, own), np.ones(2))
    scale[:], place[:], own[:] = 0.0, 0, 0.0
    for _ in range(2):
        y, constant = graph(np.array([1.0, 10.0]))
        assert (y.tolist(), constant.tolist()) == ([20.0, 3.0], [4.0])
        with pytest.raises(ValueError, match="read-only"):
            constant[:] = 0.0


# --- arrays that mean something else ------------------------------------------------------------


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
@pytest.mark.parametrize("seed", range(4))
def test_a_masked_array_is_refused_by_every_primitive(primitive, seed):
    """Recorded or not: its mask would be lost on the way."""
    case = draw_case(primitive, Random(seed))
    for k, x in enumerate(case.operands):
        masked = np.ma.array(x, mask=np.zeros(x.shape, bool))
        for other in (mg.Tensor, lambda y: y):
            operands = [masked if j == k else other(y) for j, y in enumerate(case.operands)]
            with pytest.raises(TypeError, match="is a masked array, whose mask would be lost"):
                primitive(*operands, **case.attrs)


MASKED = np.ma.array([0, 1], mask=[False, True])
CELL = rnn.RNNCell(inputs=3, hidden=2)
XS = np.ma.array(np.ones((4, 2, 3)), mask=np.ones((4, 2, 3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: mg.Tensor(MASKED),
        lambda: mg.Tensor([1.0, 2.0, 3.0])[MASKED],
        lambda: mg.take(np.ones(3), MASKED),
        lambda: mg.grad(mg.sum)(1.0 * MASKED),
        lambda: mg.jvp(mg.tanh, [np.ones(2)], [1.0 * MASKED]),
        lambda: mg.vjp(mg.tanh, np.ones(2))[1](1.0 * MASKED),
        lambda: mg.mean(MASKED),
        lambda: mg.softmax(1.0 * MASKED),
        lambda: mg.trace(mg.tanh, 1.0 * MASKED),
        lambda: mg.compile(mg.tanh)(1.0 * MASKED),
        lambda: rnn.run(CELL, CELL.init(0), XS),
        lambda: rnn.run(CELL, CELL.init(0), XS, unfolded=True),
        lambda: rnn.run(CELL, CELL.init(0), XS.data, (np.ma.array(np.ones((2, 2))),)),
    ],
)
def test_a_masked_array_is_refused_wherever_arrays_are_taken(call):
    with pytest.raises(TypeError, match="is a masked array, whose mask would be lost"):
        call()


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_refused_as_its_product_is_another():
    with pytest.raises(TypeError, match=r"write np\.asarray\(matrix\)"):
        mg.Tensor(np.ones((2, 2))) * np.matrix(np.ones((2, 2)))


# --- places to write to ------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
@pytest.mark.parametrize("kind", [mg.Tensor, lambda x: x], ids=["tensors", "arrays"])
def test_no_call_writes_into_an_array(primitive, kind):
    """NumPy's `out` and `where`, and one operand more, which NumPy would take for `out`."""
    case = draw_case(primitive, Random(0))
    operands = [kind(x) for x in case.operands]
    place = np.full(np.shape(primitive.forward(*case.operands, **case.attrs)), 7.0)
    calls: list[Any] = [lambda: primitive(*operands, **case.attrs, out=place)]
    if primitive.kernel is not None:
        calls.append(lambda: primitive(*operands, place, **case.attrs))
    for call in calls:
        with pytest.raises((TypeError, ValueError)):
            call()
        assert np.all(place == 7.0)


@given(st.one_of(st.text(st.characters(), max_size=6), st.sampled_from(["a", "é", "σ"])))
@example("<lambda>")
@example("x); raise SystemExit(")
@example("if")
@example("ﬁ")  # an identifier that Python reads as another: fi
@example("")
def test_a_name_of_a_primitive_works_wherever_names_go_or_is_refused(name):
    def forward(x):
        return 2.0 * x

    forward.__name__ = name
    define = lambda: linear(lambda g, x: 2.0 * g)(forward)
    known = set(mg.PRIMITIVES)
    if (
        not name.isidentifier()
        or keyword.iskeyword(name)
        or ast.parse(name).body[0].value.id != name
    ):
        with pytest.raises(ValueError, match=r"^Primitive: the name must be an identifier"):
            define()
        assert set(mg.PRIMITIVES) == known
        return
    with mock.patch.dict(mg.PRIMITIVES), mock.patch.dict(FUNCTIONS):
        double = define()
        step = mg.compile(mg.value_and_grad(lambda x: mg.sum(double(x) * x)))
        value, slope = step(np.ones(3))
        assert (value, *slope) == (6.0, 4.0, 4.0, 4.0)


@pytest.mark.parametrize("name", [None, 3, b"a"])
def test_a_name_of_a_primitive_is_a_string(name):
    with pytest.raises(ValueError, match="must be an identifier, such as 'my_op', got"):
        mg.Primitive(name, np.sin, [None], None)
