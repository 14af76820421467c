"""Every schedule that NumPy runs, XLA runs too: the numbers agree to the scale of their paths."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.core import Tensor, ancestors, pull_back
from minigrad.engines.xla.face import pure
from minigrad.graph import replay
from minigrad.loops.rolled import rolled
from minigrad.testing.rounding import EPSILON, ROUNDINGS, PathScale, norm
from minigrad.testing.strategies import fan_outs, graphs
from minigrad.tree import flatten
from rnn.testing.networks import draw_cell
from rnn.testing.problem import Problem, agree, problem, weigh
from tests.minigrad.learners import Loops, loops

SEEDS = st.integers(0, 2**32 - 1)


def both(f: Any, *args: Any) -> tuple[Any, Any]:
    """What a function gives on JAX and on NumPy, in double precision."""
    with jax.enable_x64(True):
        found = mg.tree_map(np.asarray, mg.compile(f, engine="jax")(*args))
    return found, mg.compile(f)(*args)


def value_scale(y: Tensor, w: Any) -> float:
    """The path scale of Σ w y: that of moving every value by itself."""
    nodes = ancestors(y)
    bars = pull_back(nodes, {y.serial: w}, {x.serial for x in nodes}, recorded=False)
    return sum(norm(bars[x.serial]) * norm(x) for x in nodes if x.serial in bars)


def assert_program(program: Any, seed: int) -> None:
    """Value and gradient of a random program agree between the engines."""
    rng = np.random.default_rng(seed)
    leaves = [Tensor(x) for x in program.values]
    with np.errstate(all="ignore"):
        y = program(*leaves)
        w = np.asarray(rng.normal(size=y.shape))
        along = [np.asarray(rng.normal(size=x.shape)) for x in program.values]

        def weighed(*xs: Any) -> Any:
            return mg.sum(program(*xs) * w)

        every = tuple(range(len(leaves)))
        (value, grads), (wanted, right) = both(mg.value_and_grad(weighed, every), *program.values)
        allowed = ROUNDINGS * EPSILON
        assert abs(value - wanted) <= allowed * (value_scale(y, w) + abs(wanted))
        size = PathScale([y], [w]).along(leaves, along)
        off = sum(float(np.sum((g - r) * v)) for g, r, v in zip(grads, right, along, strict=True))
        if np.isfinite(off):
            assert abs(off) <= allowed * size


@settings(max_examples=8, deadline=None)
@given(program=st.one_of(graphs(most=5), fan_outs()), seed=SEEDS)
def test_random_programs_agree(program: Any, seed: int):
    assert_program(program, seed)


@pytest.mark.deep
@settings(max_examples=400, deadline=None)
@given(program=st.one_of(graphs(), fan_outs()), seed=SEEDS)
def test_many_random_programs_agree(program: Any, seed: int):
    assert_program(program, seed)


def assert_network(q: Problem, lengths: Any) -> None:
    """Value and gradients of a network agree between the engines."""
    found, wanted = both(mg.value_and_grad(q.loss(lengths), wrt=(0, 1, 2)), q.params, q.xs, q.start)
    agree(found, wanted, "on JAX", q.roundings())


CELLS: dict[str, rnn.Cell] = {
    "three recurrences": rnn.RNNCell(3, 2, 2, rnn.cells.RECURRENCES),
    "peepholes": rnn.LSTMCell(3, 2, peepholes=True),
    "two directions, then a stack": rnn.Stack(
        [rnn.Bidirectional(rnn.GRUCell(3, 2)), rnn.LSTMCell(4, 2), rnn.Dense(2, 1)]
    ),
    "delays against time": rnn.testing.networks.Mixed(
        3, 2, (("h", (-1, -2)), ("g", -3)), ("gate", "hold")
    ),
    "delays": rnn.testing.networks.Mixed(3, 2, (("h", (1, 2)), ("g", 3)), ("new", "leak")),
}


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_loop_agrees_with_ragged_batches(cell: str):
    assert_network(problem(CELLS[cell], 5, 3, 7), np.array([5, 0, 3]))


def test_no_steps_agree():
    assert_network(problem(CELLS["delays"], 0, 3, 7), None)


def drawn(random: Random) -> tuple[Problem, Any]:
    """A network, and lengths or none."""
    steps, batch = random.choice((1, 2, 4, 7)), random.randint(1, 3)
    q = problem(draw_cell(random), steps, batch, random.getrandbits(32))
    lengths = np.array([random.randint(0, steps) for _ in range(batch)])
    return q, lengths if random.random() < 0.5 else None


@settings(max_examples=3, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_random_networks_agree(random: Random):
    assert_network(*drawn(random))


@pytest.mark.deep
@settings(max_examples=150, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_many_random_networks_agree(random: Random):
    assert_network(*drawn(random))


def test_second_order_agrees():
    q = problem(rnn.LSTMCell(2, 2), 3, 2, 1)

    def loss(params: Any) -> Any:
        grads = flatten(mg.grad(q.loss(), wrt=(0, 1, 2))(params, q.xs, q.start))[0]
        return weigh(grads[0], grads[1:])

    found, wanted = both(mg.grad(loss), q.params)
    agree(found, wanted, "second order", q.roundings() ** 2)


class Attention(rnn.Cell):
    """A cell that reads the whole sequence at every step, and a running mean."""

    inputs, hidden, width = 3, 2, 2
    state = ("h", "m")

    def parameters(self) -> dict[str, Any]:
        return {"W": rnn.glorot(3, 2), "K": rnn.glorot(2, 5), "V": rnn.glorot(5, 2)}

    def step(self, p: Any, x: Any, h: Any, m: Any) -> Any:
        weights = mg.softmax(h @ p["K"])
        h = mg.named("h", mg.tanh(x @ p["W"] + weights @ p["V"] + m))
        m = mg.named("m", 0.5 * m + 0.5 * mg.max(h, axis=-1, keepdims=True))
        return h, h, m


def test_a_cell_of_ones_own_agrees():
    assert_network(problem(Attention(), 4, 2, 3), None)


def assert_loops(program: Loops, steps: int) -> None:
    """A plain Python loop, tagged with its steps, is one scan on JAX too."""
    graph = program(steps)
    values = [np.asarray(x, float) for x in flatten(tuple(program.arguments(steps)))[0]]
    with jax.enable_x64(True):
        found = pure(rolled(graph)[0])(*values)
        for x, y in zip(found, replay(graph, values), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9)


@settings(max_examples=4, deadline=None)
@given(program=loops())
@example(Loops((1,), (1,), ("hidden-to-hidden",), "zero", "every", "a loss", "list", False))
def test_plain_loops_agree(program: Loops):
    assert_loops(program, 9)


def scans(f: Any, *args: Any) -> int:
    """How many loops are in the program of a function."""
    text = str(jax.make_jaxpr(mg.to_jax(f, *args))(*args))
    return text.count(" scan[")


def sequences(*xs: np.ndarray[Any, Any]) -> Sequence[Any]:
    return [np.asarray(x, np.float32) for x in xs]


def test_a_loop_is_one_scan_each_way_and_what_does_not_recur_is_in_none():
    cell = rnn.LSTMCell(3, 2)
    p, (xs,) = cell.init(0, np.float32), sequences(np.ones((9, 2, 3)))

    def loss(p: Any, xs: Any) -> Any:
        return mg.sum(rnn.run(cell, p, xs)[0])

    assert scans(loss, p, xs) == 1
    assert scans(mg.grad(loss), p, xs) == 2
    both_ways = rnn.Bidirectional(rnn.GRUCell(3, 2))
    q = both_ways.init(0, np.float32)
    assert scans(lambda q, xs: rnn.run(both_ways, q, xs)[0], q, xs) == 2
    dense = rnn.Dense(3, 2)
    assert scans(lambda q, xs: rnn.run(dense, q, xs)[0], dense.init(0, np.float32), xs) == 0
