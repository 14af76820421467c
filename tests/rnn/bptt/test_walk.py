"""The chain rule edge by edge, against `.grad` of the same graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings

import minigrad as mg
import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Attention, given, loss_of, networks


def check(found, q):
    """What has arrived at a parameter when all is walked is its gradient."""
    p = q.params.tensors()
    loss_of(q)(rnn.run(q.cell, p, q.xs, q.start, unfolded=True)[0]).backward()
    for name, tensor in p.named().items():
        got = found.cotangents.get(name, np.zeros(tensor.shape))
        agree(got, tensor.grad, f"walk to {name}", q.roundings())


@settings(max_examples=10)
@drawn(networks(most=3))
def test_what_arrives_in_the_end_is_the_gradient(q):
    check(rnn.bptt.walk(*given(q), state=q.start), q)


@settings(max_examples=10)
@drawn(networks(most=3))
def test_the_sum_at_an_operand_is_that_of_its_messages(q):
    found = rnn.bptt.walk(*given(q), state=q.start)
    sums: dict[str, np.ndarray] = {}
    for edge in found.edges:
        assert edge.message.shape == edge.total.shape
        sums[edge.operand] = edge.total
    assert set(sums) <= set(found.cotangents)


def test_a_wrong_message_is_seen():
    q = rnn.testing.problem(Attention(3, 2), 3, 1, 0)
    found = rnn.bptt.walk(*given(q), state=q.start)
    check(found, q)
    wrong = {name: g * (1 + 1e-6) for name, g in found.cotangents.items()}
    with pytest.raises(rnn.testing.Broken, match="walk to W_q"):
        check(replace(found, cotangents=wrong), q)


def one_unit():
    cell = rnn.RNNCell(1, 1)
    p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    xs = np.array([1.0, 0.5]).reshape(2, 1, 1)
    return cell, p, xs, lambda ys: mg.sum(ys[1])


def test_the_numbers_are_those_done_by_hand():
    """One tanh unit, two steps: z⁽²⁾ = x⁽²⁾ + h⁽¹⁾/2, and so on back."""
    found = rnn.bptt.walk(*one_unit(), state=(np.array([[0.2]]),))
    by = {(edge.node, edge.operand): edge for edge in found.edges}
    h1 = np.tanh(1.1)
    h2 = np.tanh(0.5 + 0.5 * h1)
    slope = by["h⁽²⁾", "z_h⁽²⁾"]
    assert slope.formula == "g × (1 − (h⁽²⁾ × h⁽²⁾))"
    assert slope.local == pytest.approx(1 - h2 * h2, rel=1e-14)
    back = by["h⁽¹⁾ @ W_hh", "h⁽¹⁾"]
    assert (back.formula, back.local) == ("g @ W_hhᵀ", 0.5)
    assert back.message.item() == pytest.approx(0.5 * (1 - h2 * h2), rel=1e-14)
    wanted = (1 - h2 * h2) * (h1 + 0.5 * (1 - h1 * h1) * 0.2)
    assert found.cotangents["W_hh"].item() == pytest.approx(wanted, rel=1e-14)


def test_it_stops_where_it_is_told_once_all_has_arrived():
    found = rnn.bptt.walk(*one_unit(), stop=("h", 1), state=(np.array([[0.2]]),))
    assert not any(edge.node == "h⁽¹⁾" for edge in found.edges)
    assert found.cotangents["h⁽¹⁾"].item() == pytest.approx(0.2434, abs=1e-4)


def test_an_unknown_place_to_stop_is_said():
    with pytest.raises(LookupError, match="no tensor named h at t = 3"):
        rnn.bptt.walk(*one_unit(), stop=("h", 3))


def test_the_table_fits_a_hundred_columns():
    q = rnn.testing.problem(rnn.Stack([rnn.LSTMCell(3, 2), rnn.Dense(2, 2)]), 3, 2, 0)
    assert max(map(len, str(rnn.bptt.walk(*given(q))).splitlines())) <= 100
