"""Loops with a graph around them: random recurrent programs fold, and planted faults are seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.embedded import Picks, Positions
from minigrad.folded import same_folded
from minigrad.graph import Graph, difference
from rnn.cells import RECURRENCES


@dataclass(frozen=True)
class Slow(rnn.RNNCell):
    """A simple recurrent layer whose state is some steps old."""

    delay: int = 1

    def edges(self) -> Any:
        return tuple(replace(edge, delay=self.delay) for edge in super().edges())


READERS: dict[str, Callable[[Any, Any], Any]] = {
    "outputs and states": lambda ys, state: (ys, state),
    "a loss": lambda ys, state: mg.sum(ys * ys),
    "the last output": lambda ys, state: mg.sum(ys[-1]),
    "the states alone": lambda ys, state: state,
    "outputs reversed": lambda ys, state: mg.flip(ys, axis=0),
    "a loss of both ends": lambda ys, state: mg.sum(ys[0] * 2.0) + mg.sum(mg.exp(ys[-1])),
}


@st.composite
def programs(draw: st.DrawFn) -> Callable[[int], Graph]:
    """A network of 1–3 layers, delays 1–3, any recurrences, and what is made of its outputs."""
    layers: list[rnn.Cell] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = draw(st.sets(st.sampled_from(RECURRENCES), min_size=1).map(sorted))
        simple = Slow(2, 2, 2, tuple(kinds), delay=draw(st.integers(1, 3)))
        layers.append(draw(st.sampled_from([simple, rnn.LSTMCell(2, 2), rnn.GRUCell(2, 2)])))
    cell = layers[0] if len(layers) == 1 else rnn.Stack(layers)
    if draw(st.booleans()):
        cell = rnn.Bidirectional(cell)
    params, reader = cell.init(0), READERS[draw(st.sampled_from(sorted(READERS)))]
    begins = draw(st.booleans())

    def program(T: int) -> Graph:
        def f(p: Any, xs: Any, *start: Any) -> Any:
            state = start[0] if start else None
            return reader(*rnn.run(cell, p, xs, state, unfolded=True))

        return mg.trace(f, params, np.ones((T, 1, 2)), *[cell.start(1)] * begins)

    return program


STEPS = st.integers(4, 8)


@given(program=programs(), T=STEPS)
def test_a_loop_and_what_is_around_it_are_the_graph_again(program, T):
    graph = program(T)
    assert difference(graph, mg.embed(graph).unfold(T)) is None


@given(program=programs(), T=STEPS, other=st.integers(4, 12))
def test_what_is_seen_for_some_steps_is_known_for_any_number(program, T, other):
    assert difference(program(other), mg.embed(program(T)).unfold(other)) is None


@given(program=programs(), T=STEPS, other=STEPS)
def test_the_loop_is_the_same_for_every_number_of_steps(program, T, other):
    found, again = mg.embed(program(T)), mg.embed(program(other))
    assert same_folded(found.folded, again.folded)
    assert len(found.after) == len(again.after)
    assert len(found.results) == len(again.results)


@given(program=programs(), T=STEPS, seed=st.integers(0, 2**32 - 1))
def test_values_and_gradients_survive(program, T, seed):
    graph = program(T)
    again = mg.embed(graph).unfold(T)
    rng = np.random.default_rng(seed)
    leaves = [rng.normal(size=graph.nodes[i].shape) for i in graph.inputs]

    def total(graph: Graph, values: list[Any]) -> Any:
        from minigrad.graph import replay

        return sum((mg.sum(out) for out in replay(graph, values)), start=0.0)

    assert total(graph, leaves) == total(again, leaves)
    one, two = (mg.grad(lambda v, g=g: total(g, v))(leaves) for g in (graph, again))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


# --- by hand ------------------------------------------------------------------------------------


def by_hand(T: int, backwards: bool = False) -> Graph:
    """A learner's loop over one array, with a loss after it."""

    def f(w: Any, xs: Any) -> Any:
        h, ys = 0.0, []
        scaled = xs * 2.0
        for t in range(1, T + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(scaled[T - t if backwards else t - 1] + h * w)
                ys.append(h)
        return mg.sum(mg.stack(ys[::-1])), ys[-1]

    return mg.trace(f, 0.5, np.ones(T))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_loop_over_one_array_is_found_in_either_direction(backwards):
    found = mg.embed(by_hand(6, backwards))
    (positions,) = (g for g in found.given if isinstance(g, Positions))
    assert (positions.first, positions.stride) == ((-1, -1) if backwards else (0, 1))
    (stack, *_) = found.after
    assert stack[1] == (Picks(0, -1, 1),)
    # What comes before the loop is computed from the array, whose length it follows.
    assert difference(by_hand(9, backwards), found.unfold(9)) is None


def test_a_sequence_of_constants_says_so():
    xs = np.arange(5.0)

    def f(w: Any) -> Any:
        h: Any = 0.0
        for t, x in enumerate(xs, 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(float(x) + h * w)
        return mg.exp(h)

    found = mg.embed(mg.trace(f, 0.5))
    assert len(found.unfold(5)) == len(mg.trace(f, 0.5))
    with pytest.raises(ValueError, match="is 5 constants; trace with the sequence as an argument"):
        found.unfold(6)


def strided(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 5):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t * t] + h * w)
    return h


def picked(w: Any, xs: Any) -> Any:
    h, ys = 0.0, []
    for t in range(1, 6):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
            ys.append(h)
    return mg.exp(ys[2]) + ys[-1]


def woven(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 6):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
        h = mg.sin(h)
    return h


def changing(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 6):
        with mg.scope("rnn", t=t):
            h = (mg.relu if t == 4 else mg.tanh)(xs[t - 1] + h * w)
    return h


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (strided, r"do not go up or down by one from step to step: \(1,\), \(4,\), \(9,\)"),
        (picked, r"exp \(%\d+\) reads step 3 alone"),
        (woven, r"sin \(%\d+\) is computed outside of any step but read inside"),
        (changing, r"steps differ at t = 4: tanh\[\] became relu\[\]"),
    ],
)
def test_what_says_nothing_about_other_numbers_of_steps_is_refused(program, told):
    with pytest.raises(ValueError, match=told):
        mg.fold(mg.trace(program, 0.5, np.ones(20)))


# --- the certificate can fail -------------------------------------------------------------------


def embedded() -> tuple[Graph, mg.Embedded]:
    graph = by_hand(6)
    return graph, mg.embed(graph)


def with_given(found: mg.Embedded, **change: Any) -> mg.Embedded:
    return replace(found, given=tuple(
        replace(g, **change) if isinstance(g, Positions) else g for g in found.given))  # fmt: skip


def with_after(found: mg.Embedded, picks: Any) -> mg.Embedded:
    (k, _), *rest = found.after
    return replace(found, after=((k, picks), *rest))


FAULTS: dict[str, Callable[[mg.Embedded], mg.Embedded]] = {
    "positions start one later": lambda e: with_given(e, first=-6),
    "positions run backwards": lambda e: with_given(e, first=-1, stride=-1),
    "the array before it was scaled": lambda e: with_given(e, source=e.graph.inputs[1]),
    "outputs in the other order": lambda e: with_after(e, (Picks(0, 1, -1),)),
    "a boundary step dropped": lambda e: with_after(e, (Picks(0, -1, 2),)),
    "the first for the last": lambda e: replace(e, results=(e.results[0], Picks(0, 1, 1))),
    "a delay of two": lambda e: replace(
        e,
        folded=replace(e.folded, recurrences=(replace(e.folded.recurrences[0], delay=2),)),
        given=tuple((*g, *g) if isinstance(g, tuple) else g for g in e.given),
    ),
    "results exchanged": lambda e: replace(e, results=e.results[::-1]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_caught(fault):
    graph, found = embedded()
    assert difference(graph, found.unfold(6)) is None
    wrong = FAULTS[fault](found)
    if fault == "positions start one later":
        wrong = with_given(found, first=1)
        with pytest.raises(IndexError):
            wrong.unfold(6)
        return
    assert difference(graph, wrong.unfold(6)) is not None
