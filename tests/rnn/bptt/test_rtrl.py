"""Forward mode step by step gives the gradient of backpropagation through time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given as drawn

import minigrad as mg
import rnn
from rnn.bptt.rtrl import work
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Attention, given, loss_of, networks


def check(found, q):
    loss = loss_of(q)
    whole = mg.grad(lambda p: loss(rnn.run(q.cell, p, q.xs, q.start)[0]))(q.params).named()
    agree(dict(found.gradient), whole, "RTRL and BPTT", q.roundings())


@drawn(networks())
def test_rtrl_is_bptt(q):
    signs = {r.delay > 0 for r in q.cell.folded().recurrences}
    assume(len(signs) < 2)
    check(rnn.bptt.rtrl(*given(q), state=q.start), q)


def test_a_wrong_gradient_is_seen():
    q = rnn.testing.problem(Attention(3, 2), 4, 2, 0)
    found = rnn.bptt.rtrl(*given(q), state=q.start)
    check(found, q)
    wrong = {name: g * (1 + 1e-6) for name, g in found.gradient.items()}
    with pytest.raises(rnn.testing.Broken, match="RTRL and BPTT"):
        check(replace(found, gradient=wrong), q)
    assert replace(found, gradient=wrong).off == pytest.approx(1e-6, rel=1e-3)


def costs(T, H):
    cell = rnn.RNNCell(2, H)
    return rnn.bptt.rtrl(cell, cell.init(0), np.ones((T, 1, 2)), lambda ys: mg.sum(ys))


def test_rtrl_keeps_the_same_for_every_T_and_bptt_T_times_as_much():
    short, long = costs(4, 3), costs(8, 3)
    assert long.rtrl.kept == short.rtrl.kept
    assert long.bptt.kept == 2 * short.bptt.kept
    assert long.rtrl.products == 2 * short.rtrl.products
    assert long.bptt.products == 2 * short.bptt.products


def test_rtrl_pays_with_the_fourth_power_of_the_width_where_bptt_pays_the_second():
    """Williams and Zipser count n⁴ operations a step."""
    small, large = costs(2, 16), costs(2, 32)
    assert 12 < large.rtrl.products / small.rtrl.products < 17
    assert 3 < large.bptt.products / small.bptt.products < 4.2


@pytest.mark.parametrize(
    ("shapes", "count"),
    [([(2, 3), (3, 4)], 24), ([(5, 2, 3), (3, 4)], 120), ([(5, 2, 3), (5, 3, 4)], 120)],
)
def test_a_product_of_matrices_counts_its_multiplications(shapes, count):
    graph = mg.trace(lambda a, b: a @ b, *(np.ones(s) for s in shapes))
    assert work(graph) == count


def test_edges_both_ways_are_refused():
    q = rnn.testing.problem(rnn.Bidirectional(rnn.GRUCell(3, 2)), 3, 1, 0)
    with pytest.raises(ValueError, match="edges both with and against time"):
        rnn.bptt.rtrl(*given(q))
