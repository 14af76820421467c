"""Operations on folded graphs, each against what it stands for."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.testing.cases import draw_case
from rnn.bptt.recorded import recorded
from rnn.bptt.surgery import computed, cut, lifted, owned, probed
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import networks

ONES = sorted(name for name, p in mg.PRIMITIVES.items() if p.kind != "loop")


def several(x, n):
    """n values near one."""
    return np.stack([x * factor for factor in (1.0, 0.5, 0.75)[:n]])


@pytest.mark.parametrize("name", ONES)
@settings(max_examples=10)
@drawn(seed=st.integers(0, 2**16))
def test_any_operation_with_an_axis_in_front_of_some_operands_is_as_many_operations(name, seed):
    """All at once for operands of which some have the axis, others, in any mix, have not."""
    random, n = Random(seed), 3
    case = draw_case(mg.PRIMITIVES[name], random)
    floats = [k for k, x in enumerate(case.operands) if x.dtype.kind == "f"]
    lead = [k for k in floats if random.random() < 0.6] or floats[:1]
    if not lead:
        return
    graph = mg.trace(lambda *xs: case.primitive(*xs, **case.attrs), *case.operands)
    inputs = [several(x, n) if k in lead else x for k, x in enumerate(case.operands)]
    (found,) = lifted(graph, lead, n, inputs)
    wanted = [graph(*(x[j] if k in lead else x for k, x in enumerate(inputs))) for j in range(n)]
    terms = sum(x.size for x in case.operands)
    found, wanted = (np.asarray(x, float) for x in (found, np.stack(wanted)))
    agree(found, wanted, f"{case}, axis at {lead}", 8 + 4 * terms)


@drawn(networks())
def test_what_is_probed_with_zeros_runs_as_before(q):
    run = recorded(q.cell, q.params, q.xs, state=q.start)
    nodes = list(run.names.values())
    folded = probed(run.folded, nodes)
    found = mg.scan(folded, q.steps, *run.inputs, *run.zeros(nodes))
    plain = mg.scan(run.folded, q.steps, *run.inputs)
    agree(found[0], plain[0], "outputs", q.roundings())


@drawn(networks())
def test_without_its_edges_and_with_what_they_brought_a_run_is_the_same(q):
    run = recorded(q.cell, q.params, q.xs, state=q.start)
    found = mg.scan(cut(run.folded), q.steps, *run.without_edges())
    agree(found[0], run.ys, "outputs", q.roundings())


def test_a_state_that_only_passes_a_value_on_is_a_value_of_its_own():
    class Pass(rnn.Cell):
        inputs, hidden = 2, 2
        state = ("h", "last")

        def parameters(self):
            return {"W": rnn.glorot(2, 2)}

        def step(self, p, x, h, last):
            return mg.tanh(last @ p.W + x), x, h

    folded = owned(Pass().folded())
    assert list(computed(folded)) == ["h", "last"]
    inputs = set(folded.step.inputs)
    assert inputs.isdisjoint(folded.step.outputs)
    run = recorded(Pass(), Pass().init(0), np.ones((4, 1, 2)))
    found = rnn.bptt.ladder(Pass(), Pass().init(0), np.ones((4, 1, 2)), of="last", by="h")
    np.testing.assert_array_equal(found.gains, [0, 0, 1, 0])
    assert set(run.names) == {"h", "last"}
