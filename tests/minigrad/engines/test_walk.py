"""The walk over a schedule, on NumPy's own arrays and with a plain loop: the smallest engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.core.kinds import bilinear
from minigrad.engines import Way
from minigrad.engines.walk import Step, Values, applied, run
from minigrad.folded import EVERY, SEQUENCE, STATIC, SUM, Folded
from minigrad.graph import Graph
from minigrad.lower.passes import LATE, PASSES
from minigrad.lower.pipeline import as_folded, planned
from rnn.testing.problem import agree
from rnn.testing.strategies import recurrent_networks


def plain(
    step: Step, carried: Values, sequences: Values, beside: Values, steps: int, direction: int
) -> tuple[Values, Values]:
    """One step after the other; of no steps the shapes are told by one on zeros."""
    if not steps:
        empty = step(carried, [np.zeros(x.shape[1:], x.dtype) for x in sequences])[1]
        return carried, [np.zeros((0, *np.shape(x)), np.asarray(x).dtype) for x in empty]
    found: list[Values] = []
    for t in range(steps)[::direction]:
        carried, kept = step(carried, [x[t, ...] for x in sequences])
        found.append(kept)
    return carried, [np.stack(column) for column in zip(*found[::direction], strict=True)]


class Walked:
    """A graph walked at every call."""

    nbytes, source = 0, ""

    def __init__(self, graph: Graph) -> None:
        self.plan = planned(as_folded(graph), PASSES)

    def __call__(self, values: Any) -> list[Any]:
        return [np.array(x) for x in run(self.plan, 1, values, plain, LATE)]


class Plain:
    """The engine."""

    arrays = ()

    def program(self, graph: Graph, reuse: bool, donated: frozenset[int]) -> Walked:
        return Walked(graph)

    def way(self, folded: Folded, steps: int) -> Way:
        return Way(planned(folded), frozenset(), {}, "one call after the other")


@given(q=recurrent_networks(), ragged=st.booleans())
def test_a_network_walked_is_the_network(q: Any, ragged: bool):
    lengths = np.arange(q.xs.shape[1]) % (q.steps + 1) if ragged else None
    f = mg.value_and_grad(q.loss(lengths), wrt=(0, 1, 2))
    found = mg.compile(f, engine=Plain())(q.params, q.xs, q.start)
    agree(found, f(q.params, q.xs, q.start), "walked", q.roundings())


def test_what_has_no_axis_of_steps_is_summed_in_a_loop():
    @bilinear(lambda g, a, b: g * b, lambda g, a, b: g * a, lift=None, signature="(n),(n)->(n)",
              public=False)  # fmt: skip
    def odd(a: Any, b: Any) -> Any:
        """The product, for vectors alone."""
        assert a.ndim == b.ndim == 1
        return a * b

    try:
        step = mg.trace(lambda a, b: [odd(a, b), a * 2.0], np.ones(3), np.ones(3))
        folded = Folded(step, (STATIC, SEQUENCE), (SUM, EVERY))
        xs = np.arange(12.0).reshape(4, 3)
        total, every = run(planned(folded), 4, [np.full(3, 2.0), xs], plain)
    finally:
        del mg.PRIMITIVES["odd"]
    assert total.tolist() == (2 * xs.sum(0)).tolist()
    assert every.shape == (4, 3)


def test_a_forward_that_fails_is_told_by_the_name_of_its_operation():
    (node,) = [n for n in mg.trace(mg.tanh, 1.0).nodes if n.op == "tanh"]
    with pytest.raises(TypeError, match=r"^tanh does not run on this engine: "):
        applied(node, ["text"], {})


def test_the_cells_parts_run_once_in_loops_and_after_them():
    cell = rnn.LSTMCell(3, 4)
    p, xs, calls = cell.init(0), np.ones((9, 2, 3)), []

    def counted(step: Step, *rest: Any) -> tuple[Values, Values]:
        calls.append(rest[-2:])
        return plain(step, *rest)

    graph = mg.trace(lambda p: mg.grad(lambda q: mg.sum(rnn.run(cell, q, xs)[0]))(p), p)
    found = run(planned(as_folded(graph)), 1, [*p.values()], counted)
    assert calls == [(9, 1), (9, -1)]
    assert [x.shape for x in found] == [w.shape for w in p.values()]


def test_a_part_of_what_a_loop_keeps_is_not_kept_once_more():
    """The gates of an LSTM are one array; backward reads all of them, and each."""
    cell, kept = rnn.LSTMCell(3, 4), []
    p, xs = cell.init(0), np.ones((9, 2, 3))

    def recorded(step: Step, *rest: Any) -> tuple[Values, Values]:
        end, found = plain(step, *rest)
        kept.append(found)
        return end, found

    graph = mg.trace(lambda p: mg.grad(lambda q: mg.sum(rnn.run(cell, q, xs)[0]))(p), p)
    run(planned(as_folded(graph), PASSES), 1, [*p.values()], recorded, LATE)
    gates = [x for x in kept[0] if x.ndim == 4]
    assert [x.shape for x in gates] == [(9, 3, 2, 4)]
    assert not any(np.array_equal(gates[0][:, k], x) for k in range(3) for x in kept[0])
