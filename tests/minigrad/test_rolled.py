"""Plain Python loops, tagged with their steps, are compiled as loops and give the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile import program_of
from minigrad.graph import Graph, replay
from minigrad.rolled import SHORT, rolled
from minigrad.tree import flatten
from tests.minigrad.learners import Loops, by_hand, loops
from tests.rnn.test_run import assert_close


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
