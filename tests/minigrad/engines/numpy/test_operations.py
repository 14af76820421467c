"""An operation as an operand, written down and run, gives the operation's number."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.engines.numpy.buffers import Buffers
from minigrad.engines.numpy.instructions import Constant, Given, Listing, Make
from minigrad.engines.numpy.operations import (
    joined_spans,
    kernel,
    maker,
    number,
    view_of,
)
from minigrad.engines.numpy.source import Source
from minigrad.graph import Node, replay
from minigrad.lower.nodes import lifted
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
    given = tuple(Constant(x, "x") for x in operands)
    with np.errstate(all="ignore"):
        made = Make(node.op, maker(node), given, "y")
        source = Source(Listing((), (), (made,), (Given("y"),), quiet=False), Buffers())
        (found,) = source.compiled()()
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


def test_a_weak_number_takes_the_precision_of_its_reader():
    single = Node("tanh", (), {}, (), np.dtype(np.float32))
    assert number(Node("constant", value=0.1), single).dtype == np.float32
    array = np.ones(2)
    assert number(Node("constant", (), {}, (2,), array.dtype, array), single) is array


def test_a_kernel_is_a_function_that_writes_into_a_buffer():
    assert kernel(Node("tanh", (0,))) is np.tanh
    assert kernel(Node("sum", (0,), {"axis": (-1,), "keepdims": False})) is None
