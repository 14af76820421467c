"""Loops with a graph around them: random recurrent programs are found and put together again."""

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
from minigrad.folded import STATE, same_folded
from minigrad.graph import Graph, difference, replay
from minigrad.loops.embedded import Line, Loop, Run, straight
from rnn.cells import RECURRENCES
from tests.minigrad.learners import FEW, Loops, by_hand, loops


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
def cells(draw: st.DrawFn) -> Callable[[int], Graph]:
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


PROGRAMS = {"a loop": loops(), "a cell": cells()}
STEPS = {"a loop": st.integers(12, 14), "a cell": st.integers(4, 8)}
"""Both ends of a loop must be seen, and something between."""

every_kind = pytest.mark.parametrize("kind", PROGRAMS)


# --- the laws -----------------------------------------------------------------------------------


@every_kind
@given(data=st.data())
def test_put_together_again_it_is_the_graph(kind, data):
    """unfold(fold(G)) ≅ G, whatever is around the loops."""
    graph = data.draw(PROGRAMS[kind])(data.draw(STEPS[kind]))
    found = mg.embed(graph)
    assert difference(graph, found.unfolded()) is None
    assert sum(loop.T * len(loop.folded.step) for loop in found.loops) > len(graph) / 3


@every_kind
@given(data=st.data())
def test_the_folded_size_is_the_same_for_every_number_of_steps(kind, data):
    program, T, other = (data.draw(s) for s in (PROGRAMS[kind], STEPS[kind], STEPS[kind]))
    found, again = mg.embed(program(T)), mg.embed(program(other))
    unfolded = mg.embed(found.unfolded())
    for others in (again.loops, unfolded.loops):
        for a, b in zip(found.loops, others, strict=True):
            assert same_folded(a.folded, b.folded)


@every_kind
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_values_and_gradients_survive(kind, data, seed):
    graph = data.draw(PROGRAMS[kind])(data.draw(STEPS[kind]))
    again = mg.embed(graph).unfolded()
    rng = np.random.default_rng(seed)
    leaves = [rng.normal(size=graph.nodes[i].shape) for i in graph.inputs]

    def total(graph: Graph, values: list[Any]) -> Any:
        return sum((mg.sum(out) for out in replay(graph, values)), start=0.0)

    assert total(graph, leaves) == total(again, leaves)
    one, two = (mg.grad(lambda v, g=g: total(g, v))(leaves) for g in (graph, again))
    # The loops of the second are done one after the other: sums are in another order.
    scale = max(float(np.max(np.abs(g), initial=1.0)) for g in one)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * scale)


@given(program=loops(), T=st.integers(1, 9))
def test_a_fold_of_few_steps_is_right_or_refused(program, T):
    """So few steps that an end cannot be told from the middle: the certificate holds."""
    graph = program(T + FEW)
    try:
        found = mg.embed(graph)
    except ValueError:
        return
    assert difference(graph, found.unfolded()) is None


@pytest.mark.parametrize(
    ("places", "found"),
    [([1, 2, 3], range(1, 4)), ([3, 2, 1], range(3, 0, -1)), ([4], range(4, 5)),
     ([1, 2, 4], range(1, 3)), ([2, None, 3], range(2, 3)), ([1, 3, 5], range(1, 2)),
     ([1, 2, 1], range(1, 3)), ([2, 1, 0, None], range(2, -1, -1))],
)  # fmt: skip
def test_a_run_goes_up_or_down_by_one(places, found):
    assert straight(places) == found


# --- the certificate can fail -------------------------------------------------------------------


def on_runs(found: mg.Embedded, change: Callable[[Run], Run]) -> mg.Embedded:
    """An embedded graph with every run changed, and all that it has besides."""

    def told(operands: Any) -> Any:
        return tuple(change(x) if isinstance(x, Run) else x for x in operands)

    lines = tuple(
        replace(line, given=tuple(map(told, line.given))) if isinstance(line, Loop)
        else replace(line, operands=told(line.operands))
        for line in found.lines
    )  # fmt: skip
    return replace(found, lines=lines, results=told(found.results))


def on_loops(found: mg.Embedded, **change: Callable[[Loop], Any]) -> mg.Embedded:
    """An embedded graph with something of every loop changed."""
    return replace(found, lines=tuple(
        replace(line, **{name: make(line) for name, make in change.items()})
        if isinstance(line, Loop) else line for line in found.lines))  # fmt: skip


def on_given(found: mg.Embedded, role: str, change: Callable[[Any], Any]) -> mg.Embedded:
    """An embedded graph with what all inputs of a role are given changed."""
    return on_loops(found, given=lambda loop: tuple(
        change(x) if r == role else x
        for r, x in zip(loop.folded.inputs, loop.given, strict=True)))  # fmt: skip


def with_delay(loop: Loop, delay: int) -> Any:
    return replace(
        loop.folded, recurrences=tuple(replace(r, delay=delay) for r in loop.folded.recurrences)
    )


def turned(run: Run) -> Run:
    return replace(run, places=run.places[::-1])


def swapped(found: mg.Embedded) -> mg.Embedded:
    """The operands of every operation outside of the loops in the other order."""
    return replace(found, lines=tuple(
        replace(line, operands=line.operands[::-1]) if isinstance(line, Line) else line
        for line in found.lines))  # fmt: skip


PLAIN = Loops((1,), (1,), ("hidden-to-hidden",), "zero", "every", "stacked", "inside", apart=False)
ABSENT = replace(PLAIN, start="absent", reader="all")
SLOW = replace(PLAIN, delays=(2,), start="given", reader="all")
LATER = replace(PLAIN, outputs="after", reader="all", delays=(2,))
LAYERS = replace(PLAIN, delays=(1, 1), apart=True, start="absent", reader="reversed")

CAUGHT: dict[str, tuple[Callable[[int], Graph], Callable[[mg.Embedded], mg.Embedded]]] = {
    "rows begin one later": (by_hand, lambda e: on_given(e, "sequence", lambda x: x[1:] + x[:1])),
    "rows are read backwards": (by_hand, lambda e: on_given(e, "sequence", lambda x: x[::-1])),
    "outputs in the other order": (by_hand, lambda e: on_runs(e, turned)),
    "a boundary step dropped": (by_hand, lambda e: on_runs(
        e, lambda r: replace(r, places=r.places[:-1]))),
    "the first for the last": (by_hand, lambda e: replace(
        e, results=(e.results[0], Run(0, 0, range(1, 2))))),
    "results exchanged": (by_hand, lambda e: replace(e, results=e.results[::-1])),
    "a delay of two": (ABSENT, lambda e: on_given(
        on_loops(e, folded=lambda loop: with_delay(loop, 2)), STATE, lambda x: x * 2)),
    "a loop against time": (ABSENT, lambda e: on_loops(
        e, folded=lambda loop: with_delay(loop, -1))),
    "start values exchanged": (SLOW, lambda e: on_given(e, STATE, lambda x: x[::-1])),
    "a start value for the first step that has none": (ABSENT, lambda e: on_given(
        e, STATE, lambda x: (0,))),
    "the second loop goes on from states in the other order": (LATER, lambda e: on_given(
        e, STATE, lambda x: tuple(turned(r) if isinstance(r, Run) else r for r in x))),
    "operands exchanged outside of the loops": (LAYERS, swapped),
    "an output of another class": (LAYERS, lambda e: on_runs(
        e, lambda r: replace(r, output=1 - r.output) if r.output < 2 else r)),
}  # fmt: skip


@pytest.mark.parametrize("fault", CAUGHT)
def test_the_certificate_sees_a_planted_fault(fault):
    program, plant = CAUGHT[fault]
    found = mg.embed(program(7))
    assert difference(found.graph, found.unfolded()) is None
    try:
        wrong = plant(found).unfolded()
    except (ValueError, IndexError):
        return
    assert difference(found.graph, wrong) is not None
