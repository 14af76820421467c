"""Loops with a graph around them: random recurrent programs fold, and planted faults are seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.folded import EVERY, STATE, SUM, same_folded
from minigrad.folding.embedded import Line, Loop
from minigrad.folding.embedding import Embedding
from minigrad.folding.runs import Column, Rows, Run
from minigrad.graph import Graph, difference, replay
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


def grown(found: mg.Embedded, more: int) -> list[int]:
    """The lengths of all loops, the longest with some steps more."""
    longest = found.T.index(max(found.T))
    return [T + more * (n == longest) for n, T in enumerate(found.T)]


# --- the laws -----------------------------------------------------------------------------------


@every_kind
@given(data=st.data())
def test_what_is_seen_for_some_steps_is_known_for_any_number(kind, data):
    """unfold(fold(trace(P, T₁)), T₂) ≅ trace(P, T₂), for T₂ = T₁ as for any other."""
    program, T = data.draw(PROGRAMS[kind]), data.draw(STEPS[kind])
    other = data.draw(st.integers(4 if kind == "a cell" else 10, 16))
    found = mg.embed(program(T))
    for steps in (T, other):
        assert difference(program(steps), found.unfold(*grown(found, steps - T))) is None


@every_kind
@given(data=st.data())
def test_the_folded_size_is_the_same_for_every_number_of_steps(kind, data):
    program, T, other = (data.draw(s) for s in (PROGRAMS[kind], STEPS[kind], STEPS[kind]))
    found, again = mg.embed(program(T)), mg.embed(program(other))
    assert len(found.lines) == len(again.lines)
    assert len(found.results) == len(again.results)
    assert len(found.T) == len(again.T)
    unfolded = mg.embed(found.unfold(*grown(found, other - T)))
    for others in (again.loops, unfolded.loops):
        for a, b in zip(found.loops, others, strict=True):
            assert same_folded(a.folded, b.folded)


@every_kind
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_values_and_gradients_survive(kind, data, seed):
    graph = data.draw(PROGRAMS[kind])(data.draw(STEPS[kind]))
    found = mg.embed(graph)
    again = found.unfold(*found.T)
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
    assert difference(graph, found.unfold(*found.T)) is None


@given(program=loops(), T=st.integers(12, 14), few=st.integers(2, 9))
def test_what_was_seen_for_many_steps_is_right_for_few_or_refused(program, T, few):
    # A program without outputs at some steps gives back fewer values if it has only a few.
    assume(program.outputs == "every" or few > max(program.delays))
    steps = few + FEW * (program.outputs in ("late", "after"))
    found = mg.embed(program(T))
    try:
        unfolded = found.unfold(*grown(found, steps - T))
    except ValueError:
        return
    assert difference(program(steps), unfolded) is None


# --- what stands at the ends of a loop ----------------------------------------------------------


def simple(**change: Any) -> Loops:
    """One layer that has an output at every step."""
    kinds = ("hidden-to-hidden",)
    plain = Loops((1,), (1,), kinds, "zero", "every", "stacked", "inside", apart=False)
    return replace(plain, **change)


def spans(graph: Graph) -> list[tuple[int, int]]:
    """The first and the last step of every loop."""
    return [(loop.first, loop.first + loop.T - 1) for loop in mg.embed(graph).loops]


@pytest.mark.parametrize("kinds", [["hidden-to-hidden"], RECURRENCES], ids=len)
def test_a_loop_of_both_directions_reads_its_sequences_in_one_order(kinds):
    """Unfolded, one direction comes after the other: the operations of a step change places."""
    program = simple(kinds=tuple(kinds), ways=(1, -1), start="given", reader="all but the first")
    found = mg.embed(program(12))
    again = mg.embed(found.unfold(13))
    assert same_folded(found.loops[0].folded, again.loops[0].folded)


def test_a_first_step_without_a_start_value_is_operations_before_the_loop():
    found = mg.embed(simple(start="absent")(9))
    before = [found.graph.nodes[line.node].t for line in found.lines if isinstance(line, Line)]
    assert spans(found.graph) == [(2, 9)]
    assert before == [1, 1, 1, None]
    assert found.T == (9,)


def test_both_ends_of_two_directions_are_outside_of_the_loop():
    assert spans(simple(start="absent", ways=(1, -1), delays=(2,))(9)) == [(3, 7)]


def test_an_output_of_the_last_step_is_no_part_of_the_loop():
    found = mg.embed(simple(outputs="last", reader="the last")(9))
    *_, loop, readout, _ = found.lines
    assert isinstance(loop, Loop)
    assert (loop.first, loop.T, loop.folded.outputs) == (1, 9, (STATE,))
    assert isinstance(readout, Line)
    assert found.graph.nodes[readout.node].t == 9
    (later,) = [node for node in found.unfold(20).nodes if node.op == "exp"]
    assert found.unfold(20).nodes[later.inputs[0]].t == 20


def test_inputs_first_and_outputs_then_are_two_loops():
    graph = simple(outputs="after")(9)
    assert spans(graph) == [(1, 3), (4, 9)]
    assert mg.embed(graph).T == (3, 6)
    assert mg.embed(graph).loops[1].given[-1][0].last == -1  # The state that the first one left.


def test_a_sequence_that_is_read_by_two_loops_grows_where_its_reader_does():
    def f(w: Any, xs: Any, few: int) -> Any:
        h, ys = 0.0, []
        for t in range(1, len(xs) + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] + h * w)
                if t > few:
                    ys.append(h * 2.0)
        return mg.stack(ys)

    def graph(few: int, T: int) -> Graph:
        return mg.trace(lambda w, xs: f(w, xs, few), 0.5, np.ones(T))

    assert difference(mg.embed(graph(4, 9)).unfold(6, 7), graph(6, 13)) is None


@pytest.mark.parametrize(
    ("T", "at", "later"),
    [(7, 1, 1), (7, 4, 4), (7, 5, 7), (7, 7, 9), (6, 3, 3), (6, 4, 7), (6, 6, 9)],
)
def test_what_belongs_to_a_step_keeps_its_distance_from_the_nearer_end(T, at, later):
    """Over nine steps; what is in the middle keeps its distance from the first."""

    def f(w: Any, xs: Any) -> Any:
        h, ys = 0.0, []
        for t in range(1, T + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] + h * w)
                ys.append(h)
        with mg.scope("rnn", t=at):
            extra = mg.exp(w)
        return mg.stack(ys), extra

    grown = mg.embed(mg.trace(f, 0.5, np.ones(T))).unfold(9)
    assert [node.t for node in grown.nodes if node.op == "exp"] == [later]


def test_last_steps_that_differ_count_with_the_last_loop():
    """Read three steps, write six, the last of them in another way."""

    def graph(few: int, T: int) -> Graph:
        def f(w: Any, xs: Any) -> Any:
            h, ys, y = 0.0, [], None
            for t in range(1, few + T + 1):
                with mg.scope("rnn", t=t):
                    h = mg.tanh((xs[t - 1] if t <= few else y) + h * w)
                    if t == few + T:
                        h = mg.exp(h)
                    ys.append(y := h * 2.0)
            return mg.stack(ys)

        return mg.trace(f, 0.5, np.ones(few))

    assert spans(graph(3, 6)) == [(1, 3), (4, 8)]
    assert mg.embed(graph(3, 6)).T == (3, 6)
    assert difference(mg.embed(graph(3, 6)).unfold(4, 9), graph(4, 9)) is None


def test_a_network_that_goes_on_by_itself_is_two_loops():
    """What was said to it first, then what it says: its output is its next input."""

    def graph(few: int, T: int) -> Graph:
        def f(w: Any, xs: Any) -> Any:
            h, ys, y = 0.0, [], None
            for t in range(1, few + T + 1):
                with mg.scope("rnn", t=t):
                    h = mg.tanh((xs[t - 1] if t <= few else y) + h * w)
                    ys.append(y := h * 2.0)
            return mg.stack(ys)

        return mg.trace(f, 0.5, np.ones(few))

    assert spans(graph(3, 5)) == [(1, 3), (4, 8)]
    assert difference(mg.embed(graph(3, 5)).unfold(4, 9), graph(4, 9)) is None


# --- several loops ------------------------------------------------------------------------------


def translator(long: int, T: int, loss: bool = False) -> Graph:
    """An encoder, a decoder that looks at all its states, and a loss."""

    def f(w: Any, v: Any, xs: Any, ys: Any) -> Any:
        h: Any = 0.0
        states, terms, found = [], [], []
        for t in range(1, long + 1):
            with mg.scope("encoder", t=t):
                h = mg.tanh(xs[t - 1] * w + h)
                states.append(h)
        seen = mg.stack(states)
        for t in range(1, T + 1):
            with mg.scope("decoder", t=t):
                h = mg.tanh(ys[t - 1] * v + h + mg.sum(seen * h))
                found.append(h)
            with mg.scope("loss", t=t):
                terms.append(mg.square(h - ys[t - 1]))
        return mg.add_n(*terms) if loss else mg.stack(found)

    return mg.trace(f, 0.5, 0.3, np.ones(long), np.ones(T))


@pytest.mark.parametrize("loss", [False, True])
@pytest.mark.parametrize("lengths", [(5, 5), (5, 7), (7, 5)])
def test_encoder_and_decoder_have_lengths_of_their_own(lengths, loss):
    found = mg.embed(translator(*lengths, loss))
    assert lengths == found.T
    assert difference(found.unfold(9, 8), translator(9, 8, loss)) is None
    outputs = [loop.folded.outputs for loop in found.loops]
    assert outputs == [(EVERY, STATE), (SUM if loss else EVERY, STATE)]


@pytest.mark.parametrize("turned", [False, True])
def test_one_cell_that_runs_twice_is_two_loops_of_one_length(turned):
    cell = rnn.RNNCell(2, 2)

    def program(T: int) -> Graph:
        def f(p: Any, xs: Any) -> Any:
            ys, _ = rnn.run(cell, p, xs, unfolded=True)
            ys = mg.flip(ys, axis=0) if turned else ys
            return mg.sum(rnn.run(cell, p, ys, unfolded=True)[0])

        return mg.trace(f, cell.init(0), np.ones((T, 1, 2)))

    found = mg.embed(program(5))
    assert (len(found.loops), found.T) == (2, (5,))
    assert difference(found.unfold(8), program(8)) is None


def test_two_networks_that_do_not_know_each_other_have_two_lengths():
    cell = rnn.RNNCell(2, 2)

    def program(*T: int) -> Graph:
        return mg.trace(
            lambda p, *xs: [rnn.run(cell, p, x, unfolded=True)[1] for x in xs],
            cell.init(0), *(np.ones((n, 1, 2)) for n in T),
        )  # fmt: skip

    found = mg.embed(program(5, 5))
    assert difference(found.unfold(8), program(8, 8)) is None
    assert difference(found.unfold(8, 3), program(8, 3)) is None


def test_two_arrays_that_are_made_of_one_have_one_length():
    def program(T: int) -> Graph:
        def f(w: Any, xs: Any) -> Any:
            found = []
            for scope, scale in (("one", 2.0), ("other", 3.0)):
                h, scaled = 0.0, xs * scale
                for t in range(1, T + 1):
                    with mg.scope(scope, t=t):
                        h = mg.tanh(scaled[t - 1] + h * w)
                found.append(h)
            return found

        return mg.trace(f, 0.5, np.ones(T))

    found = mg.embed(program(5))
    assert (len(found.loops), found.T) == (2, (5,))
    assert difference(found.unfold(9), program(9)) is None


def test_the_gradient_of_a_loop_is_a_loop_against_time():
    """Forward and backward are tagged with the same steps: the loss between takes them apart."""

    def program(T: int) -> Graph:
        def f(w: Any, u: Any, xs: Any) -> Any:
            h, hs = 0.0, []
            for t in range(1, T + 1):
                with mg.scope("rnn", t=t):
                    h = mg.tanh(xs[t - 1] * w + h * u)
                    hs.append(h)
            return mg.exp(mg.add_n(*hs))

        return mg.trace(mg.grad(f, wrt=(0, 1)), 0.5, 0.3, np.ones(T))

    found = mg.embed(program(7))
    delays = [[r.delay for r in loop.folded.recurrences] for loop in found.loops]
    assert delays == [[1], [-1]]
    assert difference(found.unfold(12), program(12)) is None


TRAINED = {
    "RNN": rnn.RNNCell(2, 2),
    "LSTM": rnn.LSTMCell(2, 2),
    "both directions": rnn.Bidirectional(rnn.GRUCell(2, 2)),
}


@pytest.mark.parametrize("name", TRAINED)
def test_the_gradient_of_a_cell_has_one_folded_size(name):
    """Backpropagation through time, traced step by step, is found to be a loop again."""
    cell = TRAINED[name]

    def program(T: int) -> mg.Embedded:
        def f(p: Any, xs: Any) -> Any:
            return mg.sum(mg.square(rnn.run(cell, p, xs, unfolded=True)[0]))

        return mg.embed(mg.trace(mg.grad(f), cell.init(0), np.ones((T, 1, 2))))

    found, again = program(7), program(9)
    assert len(found.lines) == len(again.lines)
    forward, backward = found.loops
    assert max(r.delay for r in forward.folded.recurrences) == 1
    assert min(r.delay for r in backward.folded.recurrences) == -1
    for a, b in zip(found.loops, again.loops, strict=True):
        assert same_folded(a.folded, b.folded)


# --- what cannot be known -----------------------------------------------------------------------


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
    with pytest.raises(ValueError, match="5 values; trace with the sequence as an argument"):
        found.unfold(6)


def test_every_clock_wants_a_number():
    found = mg.embed(translator(5, 7))
    with pytest.raises(ValueError, match=r"loops of 5, 7 steps.*as unfold\(5, 7\)"):
        found.unfold(6)
    with pytest.raises(ValueError, match="needs a step at least"):
        found.unfold(0, 7)


def test_a_number_of_steps_that_went_into_a_shape_is_told():
    def f(w: Any, xs: Any) -> Any:
        h, hs = 0.0, []
        for t in range(1, len(xs) + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] + h * w)
                hs.append(h)
        return mg.reshape(mg.stack(hs), (2, 3))

    found = mg.embed(mg.trace(f, 0.5, np.ones(6)))
    with pytest.raises(ValueError, match=r"unfold: reshape\[2, 3\] was traced for one number of"):
        found.unfold(7)


def strided(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 5):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t * t] + h * w)
    return h


def one_by_one(w: Any, xs: Any) -> Any:
    h, total = 0.0, 0.0
    for t in range(1, 6):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
        total = total + mg.exp(h)
    return total


def woven(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 6):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
        h = mg.sin(h)
    return h


def changing(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 9):
        with mg.scope("rnn", t=t):
            h = (mg.relu if t == 4 else mg.tanh)(xs[t - 1] + h * w)
    return h


def restless(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 3):
        with mg.scope("rnn", t=t):
            h = (mg.relu if t == 2 else mg.tanh)(xs[t - 1] + h * w)
    return h


def now_and_then(w: Any, xs: Any) -> Any:
    h, ys = 0.0, []
    for t in range(1, 16):
        with mg.scope("rnn", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
            if t % 4 == 0:
                ys.append(h * 2.0)
    return ys


def nameless(w: Any, xs: Any) -> Any:
    h: Any = 0.0
    for t in range(1, 6):
        with mg.scope(f"step {t}", t=t):
            h = mg.tanh(xs[t - 1] + h * w)
    return h


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (strided, r"do not go up or down by one from step to step: \(1,\), \(4,\), \(9,\)"),
        (one_by_one, r"exp \(%\d+\) and others read each of 5 steps alone.*stack the values"),
        (woven, r"sin \(%\d+\) is computed outside of any step but read inside"),
        (changing, r"steps differ at t = 4: tanh\[\] became relu\[\]"),
        (now_and_then, "steps differ at t = 4: 4 operations instead of 3"),
        (nameless, "every step has a scope of its own; give all steps of a loop one"),
        (restless, r"steps differ at t = 2: tanh\[\] became relu\[\], and no two steps in a row"),
    ],
)
def test_what_says_nothing_about_other_numbers_of_steps_is_refused(program, told):
    with pytest.raises(ValueError, match=told):
        mg.fold(mg.trace(program, 0.5, np.ones(20)))


def test_several_loops_are_no_folded_graph():
    with pytest.raises(ValueError, match=r"2 loops \(t = 1 … 5, t = 1 … 7\); minigrad.embed"):
        mg.fold(translator(5, 7))


# --- the certificate and the laws can fail --------------------------------------------------------


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


def on_rows(found: mg.Embedded, **change: Any) -> mg.Embedded:
    return on_runs(found, lambda run: replace(run, of=replace(run.of, **change))
                   if isinstance(run.of, Rows) else run)  # fmt: skip


def with_delay(loop: Loop, delay: int) -> Any:
    return replace(
        loop.folded, recurrences=tuple(replace(r, delay=delay) for r in loop.folded.recurrences)
    )


def ended(run: Run, of: type, **change: Any) -> Run:
    return replace(run, **change) if isinstance(run.of, of) else run


def turned(run: Run) -> Run:
    return replace(run, first=run.last, last=run.first)


def swapped(found: mg.Embedded) -> mg.Embedded:
    """The operands of every operation outside of the loops in the other order."""
    return replace(found, lines=tuple(
        replace(line, operands=line.operands[::-1]) if isinstance(line, Line) else line
        for line in found.lines))  # fmt: skip


ABSENT = simple(start="absent", reader="all")
SLOW = simple(delays=(2,), start="given", reader="all")
LATER = simple(outputs="after", reader="all", delays=(2,))
LAYERS = simple(delays=(1, 1), apart=True, start="absent", reader="reversed")

CAUGHT: dict[str, tuple[Callable[[int], Graph], Callable[[mg.Embedded], mg.Embedded]]] = {
    "rows begin one later": (by_hand, lambda e: on_runs(e, lambda r: ended(r, Rows, first=2))),
    "rows are read backwards": (by_hand, lambda e: on_runs(
        e, lambda r: turned(r) if isinstance(r.of, Rows) else r)),
    "the array before it was scaled": (by_hand, lambda e: on_rows(e, source=e.graph.inputs[1])),
    "outputs in the other order": (by_hand, lambda e: on_runs(
        e, lambda r: turned(r) if isinstance(r.of, Column) else r)),
    "a boundary step dropped": (by_hand, lambda e: on_runs(
        e, lambda r: ended(r, Column, last=2) if r.last == 1 else r)),
    "the first for the last": (by_hand, lambda e: replace(
        e, results=(e.results[0], Run(Column(0, 0), 1, 1)))),
    "results exchanged": (by_hand, lambda e: replace(e, results=e.results[::-1])),
    "a delay of two": (ABSENT, lambda e: on_loops(
        e, folded=lambda loop: with_delay(loop, 2),
        given=lambda loop: tuple(x * 2 if role == STATE else x for role, x in
                                 zip(loop.folded.inputs, loop.given, strict=True)))),
    "a loop against time": (ABSENT, lambda e: on_loops(
        e, folded=lambda loop: with_delay(loop, -1))),
    "start values exchanged": (SLOW, lambda e: on_loops(
        e, given=lambda loop: tuple(x[::-1] for x in loop.given))),
    "a start value for the first step that has none": (ABSENT, lambda e: on_loops(
        e, given=lambda loop: tuple((0,) if role == STATE else x for role, x in
                                    zip(loop.folded.inputs, loop.given, strict=True)))),
    "the second loop goes on from states in the other order": (LATER, lambda e: on_runs(
        e, lambda r: turned(r) if r.first == -2 else r)),
    "operands exchanged outside of the loops": (LAYERS, swapped),
    "an output of another class": (LAYERS, lambda e: on_runs(
        e, lambda r: replace(r, of=replace(r.of, output=1 - r.of.output))
        if isinstance(r.of, Column) and r.of.output < 2 else r)),
}  # fmt: skip


@pytest.mark.parametrize("fault", CAUGHT)
def test_the_certificate_sees_a_planted_fault(fault):
    program, plant = CAUGHT[fault]
    found = mg.embed(program(7))
    assert difference(found.graph, found.again()) is None
    try:
        wrong = plant(found).again()
    except (ValueError, IndexError):
        return
    assert difference(found.graph, wrong) is not None


def last_but_one(T: int) -> Graph:
    def f(w: Any, xs: Any) -> Any:
        h, hs = 0.0, []
        for t in range(1, T + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] + h * w)
                hs.append(h)
        return mg.exp(hs[-2]), h

    return mg.trace(f, 0.5, np.ones(T))


def from_start(run: Run) -> Run:
    """Both ends counted from the start, as seen for 7 steps."""
    return (
        run
        if run.first == run.last
        else replace(
            run, **{end: n + 8 if n < 0 else n for end, n in vars(run).items() if end != "of"}
        )
    )


MISLEADING: dict[str, tuple[Callable[[int], Graph], Callable[[mg.Embedded], mg.Embedded]]] = {
    "every end counted from the start": (by_hand, lambda e: on_runs(e, from_start)),
    "the array does not grow": (by_hand, lambda e: replace(e, grown={})),
    "the loop does not grow": (ABSENT, lambda e: replace(
        on_loops(e, clock=lambda loop: 1), T=(*e.T, 0))),
    "the last step but one stays at its number": (
        last_but_one, lambda e: on_runs(e, lambda r: replace(r, first=6, last=6)
                                        if r.first == -2 else r)),
}  # fmt: skip


@pytest.mark.parametrize("fault", MISLEADING)
def test_the_law_of_other_lengths_sees_what_the_certificate_cannot(fault):
    program, plant = MISLEADING[fault]
    found = mg.embed(program(7))
    wrong = plant(found)
    assert difference(found.graph, wrong.again()) is None
    assert difference(program(10), found.unfold(10)) is None
    try:
        again = wrong.unfold(10, *wrong.T[1:])
    except ValueError:
        return
    assert difference(program(10), again) is not None


FINDERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "what a loop is given, turned round": (
        "_given",
        lambda right: lambda self, j, source: right(self, j, source)[::-1],
    ),
    "each run ends one too early": (
        "_run",
        lambda right: (
            lambda self, operands, n: (
                (run[0], run[1], max(1, run[2] - 1), run[3])
                if (run := right(self, operands, n))
                else run
            )
        ),
    ),
    "what is read last is forgotten": (
        "_read",
        lambda right: lambda self, nodes, *a, **b: right(self, nodes[:-1], *a, **b),
    ),
    "every value is one of the last": ("_handed_on", lambda right: lambda *_: 1),
}


@pytest.mark.parametrize("fault", FINDERS)
def test_nothing_that_is_found_wrongly_is_given_out(fault, monkeypatch):
    """Whatever goes wrong on the way, `embed` raises before it gives back a graph that differs."""
    name, plant = FINDERS[fault]
    graph = SLOW(7)
    mg.embed(graph)
    monkeypatch.setattr(Embedding, name, plant(getattr(Embedding, name)))
    with pytest.raises((ValueError, IndexError)):
        mg.embed(graph)
