"""What runs once is a line a call, in buffers that are used again."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.engines.numpy.program import program_of
from minigrad.graph import replay

UNARY = (mg.tanh, mg.sin, mg.negative, lambda x: x * 0.5, lambda x: x.T, lambda x: x[::-1],
         lambda x: mg.reshape(x, (9,)).reshape((3, 3)), lambda x: mg.sum(x, 0, keepdims=True) + x,
         mg.ops.alias)  # fmt: skip
BINARY = (mg.add, mg.multiply, mg.matmul, mg.maximum,
          lambda a, b: mg.concatenate([a, b])[1:4], lambda a, b: mg.stack([a, b])[1])  # fmt: skip


@given(
    choices=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)),
                     min_size=1, max_size=20),
    kept=st.sets(st.integers(0, 19), max_size=4),
)  # fmt: skip
def test_a_program_gives_the_numbers_of_its_graph(choices: Any, kept: set[int]):
    """Whatever is read again later, and whatever is returned."""

    def f(x: Any, y: Any) -> Any:
        values = [x, y]
        for which, i, j in choices:
            operations = UNARY + BINARY
            operation = operations[which % len(operations)]
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(operation(a) if operation in UNARY else operation(a, b))
        return [values[k] for k in kept if k < len(values)] + values[-1:]

    rng = np.random.default_rng(0)
    given_ = [rng.normal(size=(3, 3)) for _ in range(2)]
    graph = mg.trace(f, *given_)
    program, wanted = program_of(graph), replay(graph, given_)
    for _ in range(2):  # nothing of the first run is left in the second
        for x, y in zip(program.run(*given_), wanted, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12)


def chain(n: int) -> Any:
    def f(x: Any) -> Any:
        for _ in range(n):
            x = mg.tanh(mg.sin(x))
        return x

    return program_of(mg.trace(f, np.ones(1000)))


def test_what_is_returned_or_seen_by_others_is_not_written_over():
    def f(x: Any) -> Any:
        y, z = mg.tanh(x), mg.cos(x)
        return y, mg.sin(y), z[::-1], mg.exp(z)

    graph, x = mg.trace(f, np.ones(3)), np.arange(3.0)
    for found, wanted in zip(program_of(graph).run(x), replay(graph, [x]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_chain_needs_one_buffer_however_long():
    assert chain(40).nbytes == chain(2).nbytes == 8000


def test_concatenations_are_filled_in_place():
    def f(a: Any, b: Any) -> Any:
        return mg.concatenate([mg.concatenate([a, b]), mg.tanh(b)]) * 2.0

    source = program_of(mg.trace(f, np.ones((2, 3)), np.ones((2, 3)))).source
    assert len(re.findall(r"^ +part_\d+\[\.\.\.\] = ", source, re.MULTILINE)) == 2
    assert not re.search(r"= concatenate", source)


def test_views_and_expressions_that_stand_twice_cost_no_call():
    def f(x: Any) -> Any:
        y = mg.tanh(x)
        return mg.sum(y.T[0] * mg.tanh(x).T[0]) + mg.sum(mg.ops.alias(y))

    source = program_of(mg.trace(f, np.ones((2, 3)))).source
    assert len(re.findall(r"^ +tanh_\d+\(", source, re.MULTILINE)) == 1
    assert "transpose" not in source.replace("transpose_", "")


def test_loops_read_and_give_known_arrays():
    cell = rnn.RNNCell(3, 4)
    loss = lambda p, xs: mg.sum(rnn.run(cell, p, mg.tanh(xs))[0])
    fast = mg.compile(mg.value_and_grad(loss))
    fast(cell.init(0), np.ones((5, 2, 3)))
    assert fast.source.count("def ") == 3  # forward, backward, and what runs them
    assert fast.source.count("for lo, hi") == 2
