"""Folding undoes unfolding, and refuses what is not a loop in words that say where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, SUM, Folded, Recurrence, same_folded
from minigrad.graph import Graph, difference, replay
from minigrad.loops.cut import Cut
from minigrad.loops.embed import _Surroundings
from tests.minigrad.cells import FOLDED, everything, random_inputs


def longest_delay(folded: Folded) -> int:
    return max((abs(r.delay) for r in folded.recurrences), default=0)


# --- the laws -----------------------------------------------------------------------------------


@everything
@given(more=st.integers(2, 6))
def test_folding_undoes_unfolding(name, more):
    """fold(unfold(F, T)) ≅ F once T is so long that every delayed edge is seen."""
    folded = FOLDED[name]
    assert same_folded(mg.fold(mg.unfold(folded, longest_delay(folded) + more)), folded)


@everything
def test_one_step_folds_to_something_that_unfolds_to_it(name):
    """One step cannot tell a state from a sequence, but the graph is the same."""
    graph = mg.unfold(FOLDED[name], 1)
    assert mg.isomorphic(mg.unfold(mg.fold(graph), 1), graph)


@everything
def test_backpropagation_through_time_folds_too(name):
    """The adjoint is a loop like any other, the other way in time."""
    _, backward = mg.adjoint(FOLDED[name])
    assert same_folded(mg.fold(mg.unfold(backward, longest_delay(backward) + 2)), backward)


def loop(w: Any, xs: Any, h: Any) -> Any:
    """A learner's loop: no cell, no class, each step tagged with its number."""
    ys = []
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t):
            h = mg.named("h", mg.tanh(x + h * w))
            ys.append(2.0 * h)
    return ys, [h]


def slow(w: Any, xs: Any, before: Any) -> Any:
    h = list(before)
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t):
            h.append(mg.tanh(x + h[-2] * w))
    return h[2:]


def backwards(w: Any, xs: Any, h: Any) -> Any:
    ys = [None] * len(xs)
    for t in range(len(xs), 0, -1):
        with mg.scope("rnn", t=t):
            h = ys[t - 1] = mg.tanh(xs[t - 1] + h * w)
    return ys


def accumulated(w: Any, xs: Any) -> Any:
    terms = []
    for t, x in enumerate(xs, 1):
        with mg.scope("loss", t=t):
            terms.append(mg.square(x * w))
    return mg.add_n(*terms)


LOOPS = {
    "a loop": (loop, 0.0),
    "a loop that reads two steps back": (slow, [0.0, 0.5]),
    "a loop against time": (backwards, 0.0),
    "a sum over steps": (accumulated, None),
}


def traced(name: str, T: int) -> Graph:
    f, start = LOOPS[name]
    return mg.trace(f, 0.5, [1.0] * T, *([] if start is None else [start]))


@pytest.mark.parametrize("name", LOOPS)
@given(T=st.integers(3, 8))
def test_the_folded_graph_is_the_same_for_every_T(name, T):
    assert same_folded(mg.fold(traced(name, T)), mg.fold(traced(name, 5)))


@pytest.mark.parametrize("name", LOOPS)
@given(T=st.integers(3, 8), seed=st.integers(0, 2**32 - 1))
def test_a_loop_seen_for_five_steps_is_known_for_any_number(name, T, seed):
    """unfold(fold(trace of 5 steps), T) computes what a trace of T steps computes."""
    long = traced(name, T)
    again = mg.unfold(mg.fold(traced(name, 5)), T)
    values = random_inputs(long, seed)
    # A folded graph also gives the last values of what recurs: they come last.
    found = replay(again, values)[: len(long.outputs)]
    assert found == replay(long, values)


EDGES = {
    "a loop": [("h", 1)],
    "a loop that reads two steps back": [("", 2)],
    "a loop against time": [("", -1)],
    "a sum over steps": [],
}


@pytest.mark.parametrize("name", LOOPS)
def test_recurrent_edges_are_found_with_their_delays(name):
    folded = mg.fold(traced(name, 5))
    assert sorted((r.name, r.delay) for r in folded.recurrences) == EDGES[name]


def test_roles_are_told_by_how_values_are_used():
    folded = mg.fold(traced("a loop", 5))
    assert folded.inputs == (STATIC, SEQUENCE, STATE)
    assert folded.outputs == (EVERY, STATE)
    assert mg.fold(traced("a sum over steps", 5)).outputs == (SUM,)


# --- refusals -----------------------------------------------------------------------------------


def changing(w: Any, xs: Any, h: Any) -> Any:
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t):
            h = (mg.relu if t == 4 else mg.tanh)(x + h * w)
    return h


def growing(w: Any, xs: Any, h: Any) -> Any:
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t):
            h = mg.tanh(x + h * w)
            if t == 4:
                h = h + 1.0
    return h


def untagged(w: Any, xs: Any, h: Any) -> Any:
    for x in xs:
        h = mg.tanh(x + h * w)
    return h


def gap(w: Any, xs: Any, h: Any) -> Any:
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t if t < 3 else t + 1):
            h = mg.tanh(x + h * w)
    return h


def jumping(w: Any, xs: Any, h: Any) -> Any:
    """Step 4 reads the state of step 2 instead of step 3."""
    states = [h]
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t):
            states.append(mg.tanh(x + states[2 if t == 4 else t - 1] * w))
    return states[1:]


def half_outside(w: Any, xs: Any, h: Any) -> Any:
    for t, x in enumerate(xs, 1):
        z = x * w
        with mg.scope("rnn", t=t):
            h = mg.tanh(z + h)
    return h


def one_by_one(w: Any, xs: Any, h: Any) -> Any:
    total: Any = 0.0
    for t, x in enumerate(xs, 1):
        with mg.scope("rnn", t=t):
            h = mg.tanh(x + h * w)
        total = total + mg.exp(h)
    return total


HINT = (
    'tag the body of the loop with the step it computes: `with minigrad.scope("rnn", t=t):`, '
    "t = 1 … T"
)
REFUSED = {
    "what reads every step is untagged": (
        one_by_one,
        "fold: exp (%31) and others read each of 5 steps alone; stack the values and read that, "
        f"or {HINT}",
    ),
    "one step is another function": (
        changing,
        "fold: steps differ at t = 4: tanh[] became relu[]",
    ),
    "one step does more": (growing, "fold: steps differ at t = 4: 4 operations instead of 3"),
    "no step is tagged": (untagged, f"fold: no operation is tagged with a time step; {HINT}"),
    "a number is left out": (gap, "fold: steps are missing between t = 1 and t = 6"),
    "an edge jumps": (
        jumping,
        "fold: steps differ at t = 4: an operand of multiply comes from 2 steps before, "
        "until then from 1 step before",
    ),
    "half of the step is untagged": (
        half_outside,
        f"fold: multiply (%7) is computed outside of any step but read inside; {HINT}",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_not_a_loop_is_refused(why):
    f, message = REFUSED[why]
    with pytest.raises(ValueError, match="fold") as caught:
        mg.fold(mg.trace(f, 0.5, [1.0] * 5, 0.0))
    assert str(caught.value) == message


FINDERS: dict[str, tuple[type, str, Callable[[Any], Any]]] = {
    "what a loop is given, turned round": (
        _Surroundings,
        "_given",
        lambda right: lambda self, j, source: right(self, j, source)[::-1],
    ),
    "each run is turned round": (
        _Surroundings,
        "_run",
        lambda right: (
            lambda self, operands, n: (
                (*run[:2], run[2][::-1]) if (run := right(self, operands, n)) else run
            )
        ),
    ),
    "what is read last is forgotten": (
        _Surroundings,
        "_read",
        lambda right: lambda self, nodes, *a: right(self, nodes[:-1], *a),
    ),
    "every value is one of the last": (
        Cut,
        "carried",
        lambda right: lambda self, c, places: self.states()[0],
    ),
}


@pytest.mark.parametrize("fault", FINDERS)
def test_nothing_that_is_found_wrongly_is_given_out(fault, monkeypatch):
    """Whatever goes wrong on the way, `embed` raises before it gives back a graph that differs."""
    owner, name, plant = FINDERS[fault]

    def some(*args: Any) -> Any:
        hs = slow(*args)
        return mg.exp(hs[2]), mg.stack(hs[1:])

    graph = mg.trace(some, 0.5, [1.0] * 7, [0.0, 0.5])
    mg.embed(graph)
    monkeypatch.setattr(owner, name, plant(getattr(owner, name)))
    with pytest.raises((ValueError, IndexError)):
        mg.embed(graph)


# --- the laws can fail --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        lambda f: replace(f, recurrences=(replace(f.recurrences[0], delay=2),)),
        lambda f: replace(f, outputs=(SUM, STATE)),
        lambda f: replace(f, step=changed(f.step, "tanh", "sin")),
        lambda f: replace(f, step=swapped(f.step)),
    ],
    ids=["delay", "role", "operation", "operands"],
)
def test_a_folded_graph_that_is_not_the_loop_is_seen(fault):
    """Both the comparison of folded graphs and that of unfolded ones tell it."""
    folded = mg.fold(traced("a loop", 5))
    assert not same_folded(fault(folded), folded)
    assert difference(mg.unfold(fault(folded), 5), mg.unfold(folded, 5)) is not None


def changed(step: Graph, old: str, new: str) -> Graph:
    return replace(step, nodes=tuple(
        replace(node, op=new) if node.op == old else node for node in step.nodes))  # fmt: skip


def swapped(step: Graph) -> Graph:
    """The state and the sequence exchanged where the step reads them."""
    x, h = step.inputs[1], step.inputs[2]
    other = {x: h, h: x}
    return replace(step, nodes=tuple(
        replace(node, inputs=tuple(other.get(i, i) for i in node.inputs)) for node in step.nodes
    ))  # fmt: skip


def test_a_recurrence_by_hand_is_what_folding_finds():
    step = mg.trace(lambda w, x, h: [2.0 * (y := mg.tanh(x + h * w)), y], 0.5, 1.0, 0.0)
    by_hand = Folded(step, (STATIC, SEQUENCE, STATE), (EVERY, STATE), (Recurrence(1, 2, 1, "h"),))
    assert same_folded(mg.fold(traced("a loop", 5)), by_hand)


def test_values_of_the_refolded_graph_are_those_of_the_loop():
    xs = list(np.linspace(-1.0, 1.0, 5))
    ys, (h,) = loop(0.5, xs, 0.25)
    found, last = mg.unfold(mg.fold(traced("a loop", 4)), 5)(0.5, xs, [0.25])
    assert found == ys
    assert last == [h]
