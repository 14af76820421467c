"""A line of source says what its operation does: run, it gives the operation's number."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.engines.numpy.source import (
    Buffers,
    Scope,
    call,
    empty,
    joined_spans,
    kernel,
    lifted,
    number,
    view_of,
)
from minigrad.graph import Node, replay
from minigrad.testing import draw_case

PRIMITIVES = sorted((p for p in mg.PRIMITIVES.values() if p.kind != "loop"), key=lambda p: p.name)
LIFTED = [p for p in PRIMITIVES if p.lift is not None and callable(p.lift)]
RANDOM = st.randoms(use_true_random=False)


def drawn(primitive: mg.Primitive, random: Random) -> tuple[Node, list[np.ndarray]]:
    """The node of one call, and its operands, made ready for it."""
    case = draw_case(primitive, random)
    operands = [np.asarray(x) for x in case.operands]
    with np.errstate(all="ignore"):
        graph = mg.trace(lambda *xs: primitive(*xs, **case.attrs), *operands)
    node = graph.nodes[graph.outputs[0]]
    return node, replay(replace(graph, outputs=node.inputs), operands)


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
@given(random=RANDOM)
def test_an_operation_written_down_is_the_operation(primitive, random):
    node, operands = drawn(primitive, random)
    if node.op != primitive.name:
        return
    scope = Scope()
    names = [scope.bind("x", x) for x in operands]
    with np.errstate(all="ignore"):
        found = eval(call(node, names, scope.bind), scope.names)
        wanted = primitive.forward(*operands, **node.attrs)
    np.testing.assert_array_equal(found, wanted)
    assert np.shape(found) == node.shape


@pytest.mark.parametrize("primitive", LIFTED, ids=lambda p: p.name)
@given(random=RANDOM, steps=st.integers(1, 3))
def test_with_lifted_attributes_it_works_on_all_steps_at_once(primitive, random, steps):
    node, operands = drawn(primitive, random)
    rows = [np.stack([x * (1 + t) for t in range(steps)]) for x in operands]
    with np.errstate(all="ignore"):
        found = primitive.forward(*rows, **lifted(node, steps))
        for t in range(steps):
            wanted = primitive.forward(*(x[t] for x in rows), **node.attrs)
            np.testing.assert_array_equal(found[t], wanted)


@pytest.mark.parametrize("primitive", [p for p in PRIMITIVES if p.lowering.view],
                         ids=lambda p: p.name)  # fmt: skip
@given(random=RANDOM)
def test_a_view_is_known_where_it_shares_memory_and_nowhere_else(primitive, random):
    node, (base,) = drawn(primitive, random)
    if node.op != primitive.name or base.dtype != node.dtype:
        return
    view = view_of(node, base)
    wanted = primitive.forward(base, **node.attrs)
    if view is None:
        assert not np.may_share_memory(wanted, base)
    else:
        np.testing.assert_array_equal(view, wanted)
        base[...] = -7.0
        assert np.all(view == -7.0)


@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=4), axis=st.sampled_from([-1, -2]))
def test_operands_put_at_their_spans_are_the_concatenation(sizes, axis):
    parts = [np.full((n, 2) if axis == -2 else (2, n), k, float) for k, n in enumerate(sizes)]
    graph = mg.trace(lambda *xs: mg.concatenate(list(xs), axis), *parts)
    (k,) = graph.outputs
    wanted = np.concatenate(parts, axis)
    if graph.nodes[k].op != "concatenate":
        return
    found = np.full(wanted.shape, np.nan)
    for part, span in zip(parts, joined_spans(graph.nodes, k), strict=True):
        found[span] = part
    np.testing.assert_array_equal(found, wanted)


def test_a_name_stands_for_one_value():
    scope = Scope()
    assert scope.known(3, "tanh", "a") == scope.known(3, "tanh", "b")
    assert len({scope.bind("x", n) for n in range(3)} | {scope.known(3, "", "")}) == 4
    assert sorted(scope.names.values(), key=str) == [0, 1, 2, "a"]


def test_a_weak_number_takes_the_precision_of_its_reader():
    single = Node("tanh", (), {}, (), np.dtype(np.float32))
    assert number(Node("constant", value=0.1), single).dtype == np.float32
    array = np.ones(2)
    assert number(Node("constant", (), {}, (2,), array.dtype, array), single) is array


@given(shape=st.lists(st.integers(0, 4), max_size=3), dtype=st.sampled_from(["f4", "f8", "?"]))
def test_buffers_begin_at_a_line_of_the_cache(shape, dtype):
    array = empty(shape, dtype)
    assert (array.shape, array.dtype) == (tuple(shape), np.dtype(dtype))
    assert array.ctypes.data % 64 == 0 or not array.size
    assert array.flags.c_contiguous


def test_buffers_are_counted():
    buffers = Buffers()
    made = [buffers.new((3, 2), np.float64), buffers.new((5,), np.float32)]
    assert buffers.nbytes == sum(x.nbytes for x in made) == 68


def test_a_kernel_is_a_function_that_writes_into_a_buffer():
    assert kernel(Node("tanh", (0,))) is np.tanh
    assert kernel(Node("sum", (0,), {"axis": (-1,), "keepdims": False})) is None
