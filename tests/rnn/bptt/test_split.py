"""The cell line and the way round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given as drawn

import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import networks


def check_line(found, q):
    """Along the line of an LSTM there are only forget gates: the direct part is Π diag f."""
    f = rnn.bptt.totals(q.cell, q.params, q.xs, lambda ys: ys.sum(), q.start)["f"].values[:, 0]
    for k in range(1, found.to + 1):
        wanted = np.diag(np.prod(f[k : found.to], axis=0))
        agree(found.direct[k - 1], wanted, f"the line from t = {k}", q.roundings())


def test_the_line_of_an_lstm_is_its_forget_gates():
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 6, 1, 0)
    check_line(rnn.bptt.split(q.cell, q.params, q.xs, state=q.start), q)


def test_a_wrong_line_is_seen():
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 6, 1, 0)
    found = rnn.bptt.split(q.cell, q.params, q.xs, state=q.start)
    with pytest.raises(rnn.testing.Broken, match="the line from t = 1"):
        check_line(replace(found, direct=found.direct * (1 + 1e-9)), q)


@drawn(networks())
def test_direct_and_round_add_up_to_the_ladder(q):
    assume(q.cell.folded().recurrences)
    found = rnn.bptt.split(q.cell, q.params, q.xs, state=q.start)
    whole = rnn.bptt.ladder(q.cell, q.params, q.xs, state=q.start)
    agree(found.direct + found.roundabout, whole.jacobians, "the sum", q.roundings())


def test_with_one_state_nothing_goes_round():
    q = rnn.testing.problem(rnn.GRUCell(3, 4), 6, 1, 0)
    assert not rnn.bptt.split(q.cell, q.params, q.xs, state=q.start).roundabout.any()


@pytest.mark.parametrize(("bias", "low", "high"), [(0, 0, 1e-7), (1, 1e-6, 0.2), (3, 0.2, 50)])
def test_whether_the_line_keeps_depends_on_the_forget_bias(bias, low, high):
    """The text says that memories flow without vanishing: true for a forget bias of 3, not of 0."""
    cell = rnn.LSTMCell(8, 32, forget_bias=float(bias))
    xs = np.random.default_rng(0).normal(size=(51, 1, 8))
    found = rnn.bptt.split(cell, cell.init(0), xs)
    assert low < found.norms()[0, 0] < high


def test_large_recurrent_weights_drown_the_line():
    """The observation behind h-detach."""
    cell = rnn.LSTMCell(8, 32, forget_bias=3.0)
    p = cell.init(0)
    xs = np.random.default_rng(0).normal(size=(30, 1, 8))
    small = rnn.bptt.split(cell, p, xs).norms()[0]
    large = rnn.bptt.split(cell, {k: 3 * w if k[:3] == "W_h" else w for k, w in p.items()}, xs)
    assert large.norms()[0, 2] / large.norms()[0, 1] > 3 * small[2] / small[1]


def test_what_is_not_carried_has_no_line():
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 3, 1, 0)
    with pytest.raises(ValueError, match="f is not carried from step to step; there are h, C"):
        rnn.bptt.split(q.cell, q.params, q.xs, of="f")


@pytest.mark.parametrize("to", [-1, 0, 4])
def test_a_step_that_is_not_there_is_told(to):
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 3, 1, 0)
    with pytest.raises(ValueError, match=f"t = {to} is not a step; there are steps 1 to 3"):
        rnn.bptt.split(q.cell, q.params, q.xs, to=to)
