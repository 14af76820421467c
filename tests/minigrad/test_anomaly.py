"""A run stops where the first value stops being finite, whichever way it runs; others are left."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.anomaly import WAY, NotFinite, spoiled
from minigrad.tree import flatten
from rnn.testing import problem, recurrent_networks


def losses(q: Any) -> dict[str, Callable[[Any], Any]]:
    """The loss of a network as a function of its parameters, in all ways in which it can run."""

    def run(params: Any, xs: Any, unfolded: bool = False) -> Any:
        ys, _ = rnn.run(q.cell, params, xs, q.start, unfolded=unfolded)
        return mg.sum(mg.sin(ys))

    steps = mg.value_and_grad(run)
    compiled = mg.compile(steps)
    return {
        "arrays": lambda xs: run(q.params, xs),
        "a scan": lambda xs: steps(q.params, xs),
        "all steps": lambda xs: steps(q.params, xs, unfolded=True),
        "a program": lambda xs: compiled(q.params, xs),
        "tangents": lambda xs: mg.jvp(lambda p: run(p, xs), [q.params], [q.params]),
        "second order": lambda xs: mg.hvp(lambda p: run(p, xs), q.params, q.params),
    }


WAYS = ("arrays", "a scan", "all steps", "a program", "tangents", "second order")


def bits(x: Any) -> list[bytes]:
    return [np.asarray(getattr(leaf, "data", leaf)).tobytes() for leaf in flatten(x)[0]]


@given(q=recurrent_networks(most=4), way=st.sampled_from(WAYS))
def test_a_run_that_is_sound_gives_the_same_bits(q: Any, way: str) -> None:
    loss = losses(q)[way]
    wanted = bits(loss(q.xs))
    with mg.anomaly():
        assert bits(loss(q.xs)) == wanted


@given(q=recurrent_networks(most=4), way=st.sampled_from(WAYS), data=st.data())
def test_nan_that_is_given_is_told_at_its_step_in_every_way(q: Any, way: str, data: Any) -> None:
    """Steps run in their order, so of a network of one direction the step is the one planted."""
    assume(q.steps and all(r.delay > 0 for r in q.cell.folded().recurrences))
    t = data.draw(st.integers(1, q.steps))
    xs = q.xs.copy()
    xs[t - 1, 0, 0] = np.nan
    loss = losses(q)[way]
    loss(q.xs)  # a program that was made before, too
    with mg.anomaly(), pytest.raises(NotFinite) as caught:
        loss(xs)
    told = str(caught.value)
    assert re.match(rf"forward, \w+ in {q.cell.label}[\w.]* at t = {t} makes ", told), told
    assert re.search(r"given NaN by xs? \(", told), told


ROOTS = rnn.RNNCell(2, 3, activation="sqrt")
"""At 0 its value is sound and its slope infinite."""


@pytest.mark.parametrize("way", ["a scan", "all steps", "a program"])
def test_a_slope_that_is_infinite_is_told_to_be_backward(way: str) -> None:
    q = problem(ROOTS, 4, 2, 0)
    q.params, q.start = mg.tree_map(np.zeros_like, (q.params, q.start))
    loss = losses(q)
    with mg.anomaly():
        assert loss["arrays"](q.xs) == 0
        with pytest.raises(NotFinite, match=r"^backward, .* in RNNCell at t = 4.* infinite"):
            loss[way](q.xs)
        with pytest.raises(NotFinite, match=r"^forward mode, .* at t = 1 .* infinite"):
            loss["tangents"](q.xs)


def test_the_rule_and_the_cotangent_are_named() -> None:
    x = mg.Tensor(np.zeros(2), "x")
    with mg.anomaly(), mg.scope("cell", t=2):
        y = mg.sum(mg.sqrt(x))
        with pytest.raises(NotFinite) as caught:
            y.backward()
    assert str(caught.value) == (
        "backward, the rule of sqrt in cell at t = 2, for the cotangent of x, makes 2 of 2 "
        "entries infinite, out of (2,) and (2,) and x (2,)"
    )


def test_a_tangent_that_becomes_infinite_is_seen() -> None:
    with mg.anomaly(), pytest.raises(NotFinite, match=r"^forward mode, the rule of sqrt makes 1"):
        mg.jvp(mg.sqrt, [np.zeros(1)], [np.ones(1)])


def test_a_sum_of_finite_cotangents_that_overflows_is_seen() -> None:
    with mg.anomaly(), pytest.raises(NotFinite, match=r"^backward, the sum of the cotangents of a"):
        mg.grad(lambda x: mg.sum(1e308 * (a := mg.named("a", 1.0 * x)) + 1e308 * a))(np.zeros(2))


def test_a_derivative_of_a_derivative_is_looked_at() -> None:
    slope = mg.grad(lambda x: mg.sum(x * mg.sqrt(x)))
    with mg.anomaly():
        assert slope(np.ones(1)) == 1.5
        with pytest.raises(NotFinite, match=r"^backward, divide makes 1 of 1 entries"):
            mg.grad(lambda x: mg.sum(slope(x)))(np.zeros(1))


@pytest.mark.parametrize(
    ("name", "operands"),
    [(p.name, p.arity) for p in mg.PRIMITIVES.values() if p.kind == "elementwise" and p.arity > 0],
)
def test_every_operation_of_entries_is_looked_at(name: str, operands: int) -> None:
    inside = 1.5 if name == "arccosh" else 0.5
    xs = [np.array([inside, np.nan])] * operands
    for give in (lambda x: x, mg.Tensor):
        with mg.anomaly(), pytest.raises(NotFinite, match=f"^forward, {name} makes 1 of 2 entries"):
            mg.PRIMITIVES[name](*map(give, xs))


def test_infinities_that_are_given_pass_as_masks_do() -> None:
    scores = mg.Tensor(np.array([0.0, 1.0, 2.0]), "scores")
    with mg.anomaly():
        p = mg.softmax(mg.where(np.array([True, True, False]), scores, -np.inf))
        mg.sum(p * p).backward()
    assert p.data[2] == 0
    assert np.all(np.isfinite(scores.grad))
    assert spoiled(np.array([np.inf]), [np.array([np.inf])]) is None
    assert spoiled(np.array([np.nan]), [np.array([np.inf])]) == (1, "NaN")
    assert spoiled(np.array([1, 2]), []) is None


def test_outside_nothing_is_looked_at() -> None:
    assert WAY.get() == ""
    with pytest.raises(NotFinite), mg.anomaly():
        mg.log(np.zeros(1))
    assert WAY.get() == ""
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        assert mg.log(np.zeros(1)) == -np.inf
    assert len(noted) == 1
    found = []
    with mg.anomaly():
        other = threading.Thread(target=lambda: found.append(WAY.get()))
        other.start()
        other.join()
    assert found == [""]


def test_numpy_does_not_warn_of_what_is_told() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with mg.anomaly(), pytest.raises(NotFinite, match="exp makes 1 of 1 entries infinite"):
            mg.exp(np.array([1e9]))
