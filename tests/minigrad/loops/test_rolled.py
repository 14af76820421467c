"""Plain Python loops, tagged with their steps, are compiled as loops and give the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.engines.numpy.program import program_of
from minigrad.graph import Graph, replay
from minigrad.loops.rolled import SHORT, rolled
from minigrad.tree import flatten
from tests.minigrad.learners import Loops, by_hand, loops
from tests.rnn.runs import assert_close


def ops(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def lstm(T: int) -> Any:
    """A loss of an LSTM written as a loop, with the gates in one product."""

    def loss(p: Any, xs: Any) -> Any:
        h = C = np.zeros((2, 4))
        hs = []
        for t in range(T):
            with mg.scope("lstm", t):
                z = xs[t] @ p["W"] + h @ p["U"] + p["b"]
                f, i, o = (mg.sigmoid(z[:, 4 * k : 4 * k + 4]) for k in range(3))
                C = f * C + i * mg.tanh(z[:, 12:])
                h = o * mg.tanh(C)
                hs.append(h)
        return mg.mean(mg.square(mg.stack(hs) @ p["V"])) + mg.sum(C)

    rng = np.random.default_rng(0)
    p = {"W": rng.normal(size=(3, 16)), "U": rng.normal(size=(4, 16)) / 4,
         "b": rng.normal(size=16), "V": rng.normal(size=(4, 2))}  # fmt: skip
    return mg.value_and_grad(loss), p, rng.normal(size=(T, 2, 3))


@given(program=loops(), T=st.integers(SHORT + 2, SHORT + 8), seed=st.integers(0, 2**32 - 1))
def test_programs_give_the_numbers_of_their_traces(program: Loops, T: int, seed: int):
    graph = program(T)
    rng = np.random.default_rng(seed)
    values = [np.asarray(rng.normal(size=graph.nodes[k].shape)) for k in graph.inputs]
    with np.errstate(over="ignore"):
        wanted = replay(graph, values)
    assume(all(np.isfinite(x).all() for x in wanted))  # an unstable recurrence says nothing
    found = program_of(rolled(graph)[0]).run(*values)
    assert_close(tuple(map(np.asarray, found)), tuple(map(np.asarray, wanted)), 200 * T)


@given(program=loops(), T=st.integers(SHORT + 2, SHORT + 6))
def test_compiled_gradients_of_programs_are_those_of_the_programs(program: Loops, T: int):
    args = program.arguments(T)

    def loss(*args: Any) -> Any:
        return sum((mg.sum(mg.sin(x)) for x in flatten(program.run(T, *args))[0]), mg.sum(0.0))

    step = mg.value_and_grad(loss, wrt=(0, 1))
    assert_close(mg.compile(step)(*args), step(*args), 400 * T)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_loop_over_an_array_becomes_one_scan(backwards: bool):
    graph = rolled(by_hand(30, backwards))[0]
    assert ops(graph).count("scan") == 1
    assert len(graph) == len(rolled(by_hand(300, backwards))[0])


def test_the_gradient_of_a_loop_is_two_scans_for_any_number_of_steps():
    sizes = set()
    for T in (20, 200):
        step, p, xs = lstm(T)
        graph = rolled(mg.trace(step, p, xs))[0]
        assert ops(graph).count("scan") == 2
        (back,) = [node.attrs["folded"] for node in graph.nodes if node.op == "scan"][1:]
        assert back.outputs.count("sum") == 3  # gradients of W, U and b, each one call
        sizes.add(len(graph))
    assert len(sizes) == 1


def test_a_compiled_loop_gives_the_gradients_of_the_loop():
    step, p, xs = lstm(40)
    fast = mg.compile(step)
    for factor in (1.0, -0.5):
        q = {k: factor * v for k, v in p.items()}
        assert_close(fast(q, xs), step(q, xs), 10_000)
    (made,) = fast.programs.values()
    assert len(made.program.source.splitlines()) < 300


LISTS: dict[str, tuple[Callable[[Any], list[Any]], Callable[[int], Any]]] = {
    "an array that is gone through": (list, np.ones),
    "a part of an array": (lambda xs: list(xs)[2:-1], np.ones),
    "an array from its end": (lambda xs: list(xs)[::-1], np.ones),
    "steps on the second axis": (lambda xs: [xs[:, t] for t in range(xs.shape[1])],
                                 lambda T: np.ones((2, T))),
    "steps on two axes": (lambda xs: [xs[t, 1] for t in range(xs.shape[0])],
                          lambda T: np.ones((T, 3))),
    "steps behind an ellipsis": (lambda xs: [xs[..., t, :] for t in range(xs.shape[-2])],
                                 lambda T: np.ones((2, T, 3))),
    "positions from the end": (lambda xs: [xs[t] for t in range(-len(xs), 0)], np.ones),
    "an array that was transposed": (lambda xs: list(mg.moveaxis(xs, 1, 0)),
                                     lambda T: np.ones((2, T))),
    "every other row": (lambda xs: list(xs)[::2], lambda T: np.ones(2 * T)),
    "rows that are chosen": (lambda xs: [xs[np.array([t, 0])] for t in range(len(xs))], np.ones),
    "constants": (lambda xs: [float(t) for t in range(len(xs))], np.ones),
    "a list": (list, lambda T: [1.0] * T),
    "a list turned round": (lambda xs: xs[::-1], lambda T: [1.0] * T),
    "a list of pairs": (lambda xs: [x for x, _ in xs], lambda T: [(1.0, 2.0)] * T),
}  # fmt: skip
MANY = ("every other row", "rows that are chosen", "constants", "a list", "a list turned round",
        "a list of pairs")  # fmt: skip
"""What is many values for many steps: these are stacked."""


@pytest.mark.parametrize("name", LISTS)
def test_a_sequence_may_be_given_in_many_ways(name: str):
    steps, make = LISTS[name]

    def f(w: Any, xs: Any) -> Any:
        h: Any = 0.0
        for t, x in enumerate(steps(xs), 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(x + h * w)
        return h

    graphs = [rolled(mg.trace(f, 0.5, make(T)))[0] for T in (15, 30)]
    assert [ops(graph).count("scan") for graph in graphs] == [1, 1]
    assert name in MANY or len(graphs[0]) == len(graphs[1])
    values = make(15)
    if isinstance(values, np.ndarray):
        values = np.random.default_rng(0).normal(size=values.shape)
    assert_close(mg.compile(f)(0.5, values), f(0.5, values), 1000)


GATHERED: dict[str, Callable[[list[Any]], Any]] = {
    "one by one": lambda ys: ys,
    "stacked": mg.stack,
    "reversed": lambda ys: mg.stack(ys[::-1]),
    "reversed, one by one": lambda ys: ys[::-1],
    "the last alone": lambda ys: mg.exp(ys[-1]),
    "the third alone": lambda ys: ys[2],
    "the last but one": lambda ys: ys[-2],
    "all but the ends": lambda ys: mg.stack(ys[1:-1]),
    "the last three": lambda ys: mg.stack(ys[-3:]),
    "the first three reversed": lambda ys: mg.stack(ys[2::-1]),
    "a start value and all": lambda ys: mg.stack([mg.multiply(ys[0], 0.0), *ys]),
    "ends of a stack": lambda ys: (mg.stack(ys)[0], mg.stack(ys)[-1]),
}


@pytest.mark.parametrize("name", GATHERED)
def test_values_may_be_gathered_in_many_ways(name: str):
    def f(w: Any, xs: Any) -> Any:
        h, ys = 0.0, []
        for t in range(1, len(xs) + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] + h * w)
                ys.append(h)
        return GATHERED[name](ys), h

    xs = np.random.default_rng(0).normal(size=12)
    assert ops(rolled(mg.trace(f, 0.5, xs))[0]).count("scan") == 1
    found, wanted = mg.compile(f)(0.5, xs), f(0.5, xs)
    assert_close(tuple(flatten(found)[0]), tuple(flatten(wanted)[0]), 1000)


def test_what_cannot_be_rolled_stays_as_it_was():
    def uneven(x: Any) -> Any:
        for t in range(20):
            with mg.scope("odd", t):
                x = mg.tanh(x) if t % 3 else mg.sin(x * 2.0)
        return x

    few = mg.trace(lambda x: [mg.sin(x) for _ in range(3)], np.ones(2))
    graph = mg.trace(uneven, np.ones(2))
    assert rolled(graph)[0] is graph
    assert rolled(few)[0] is few
    assert_close(mg.compile(uneven)(np.ones(2)), uneven(np.ones(2)), 100)
