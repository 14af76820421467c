"""How a sequence is given to a loop, and what may be made of its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.folded import STATIC
from minigrad.folding.runs import Rows, Run, anchored
from minigrad.graph import Graph, difference
from tests.minigrad.learners import by_hand


def rows(found: mg.Embedded) -> Run:
    """The only run of rows that the only loop is given."""
    (loop,) = found.loops
    (run,) = (x for given in loop.given for x in given if isinstance(x, Run))
    assert isinstance(run.of, Rows)
    return run


@pytest.mark.parametrize("backwards", [False, True])
def test_a_loop_over_one_array_is_found_in_either_direction(backwards):
    found = mg.embed(by_hand(6, backwards))
    run = rows(found)
    assert (run.first, run.last) == ((-1, 1) if backwards else (1, -1))
    # What comes before the loop is computed from the array, whose length it follows.
    assert difference(by_hand(9, backwards), found.unfold(9)) is None


LISTS: dict[str, tuple[Callable[[Any], list[Any]], Callable[[int], Any]]] = {
    "an array that is gone through": (list, np.ones),
    "steps on the second axis": (lambda xs: [xs[:, t] for t in range(xs.shape[1])],
                                 lambda T: np.ones((2, T))),
    "steps behind an ellipsis": (lambda xs: [xs[..., t, :] for t in range(xs.shape[-2])],
                                 lambda T: np.ones((2, T, 3))),
    "positions from the end": (lambda xs: [xs[t] for t in range(-len(xs), 0)], np.ones),
    "an array that was transposed": (lambda xs: list(mg.moveaxis(xs, 1, 0)),
                                     lambda T: np.ones((2, T))),
    "a list": (list, lambda T: [1.0] * T),
    "a list turned round": (lambda xs: xs[::-1], lambda T: [1.0] * T),
    "a list of pairs": (lambda xs: [x * y for x, y in xs], lambda T: [(1.0, 2.0)] * T),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_sequence_may_be_given_in_many_ways(name):
    steps, make = LISTS[name]

    def program(T: int) -> Graph:
        def f(w: Any, xs: Any) -> Any:
            h: Any = 0.0
            if name == "a list of pairs":
                for t, (x, y) in enumerate(xs, 1):
                    with mg.scope("rnn", t=t):
                        h = mg.tanh(x * y + h * w)
                return h
            for t, x in enumerate(steps(xs), 1):
                with mg.scope("rnn", t=t):
                    h = mg.tanh(x + h * w)
            return h

        return mg.trace(f, 0.5, make(T))

    found = mg.embed(program(5))
    for T in (3, 5, 9):
        assert difference(found.unfold(T), program(T)) is None


GATHERED: dict[str, Callable[[list[Any]], Any]] = {
    "stacked": mg.stack,
    "reversed": lambda ys: mg.stack(ys[::-1]),
    "the last alone": lambda ys: mg.exp(ys[-1]),
    "the third alone": lambda ys: ys[2],
    "the last but one": lambda ys: ys[-2],
    "all but the ends": lambda ys: mg.stack(ys[1:-1]),
    "the last three": lambda ys: mg.stack(ys[-3:]),
    "the first three reversed": lambda ys: mg.stack(ys[2::-1]),
    "a start value and all": lambda ys: mg.stack([mg.Tensor(2.0), *ys]),
    "ends of a stack": lambda ys: (mg.stack(ys)[0], mg.stack(ys)[-1]),
}


@pytest.mark.parametrize("name", GATHERED)
def test_values_may_be_gathered_in_many_ways(name):
    def program(T: int) -> Graph:
        def f(w: Any, xs: Any) -> Any:
            h, ys = 0.0, []
            for t in range(1, T + 1):
                with mg.scope("rnn", t=t):
                    h = mg.tanh(xs[t - 1] + h * w)
                    ys.append(h)
            return GATHERED[name](ys), h

        return mg.trace(f, 0.5, np.ones(T))

    found = mg.embed(program(9))
    for T in (6, 9, 30):
        assert difference(found.unfold(T), program(T)) is None


@pytest.mark.parametrize(
    ("run", "length", "ends"),
    [((1, 7), 7, (1, -1)), ((7, 1), 7, (-1, 1)), ((2, 7), 7, (2, -1)), ((6, 7), 7, (-2, -1)),
     ((1, 3), 7, (1, 3)), ((4, 4), 7, (4, 4)), ((5, 5), 7, (-3, -3)), ((1, 1), 1, (1, 1))],
)  # fmt: skip
def test_ends_of_a_run_are_counted_from_the_nearer_end(run, length, ends):
    assert anchored(*run, length) == ends


def test_a_weight_that_is_looked_up_at_every_step_is_static():
    def f(w: Any, xs: Any) -> Any:
        h: Any = 0.0
        for t in range(1, len(xs) + 1):
            with mg.scope("rnn", t=t):
                h = mg.tanh(xs[t - 1] * w[0] + h * w[1])
        return h

    (loop,) = mg.embed(mg.trace(f, np.ones(2), np.ones(5))).loops
    assert loop.folded.inputs.count(STATIC) == 1
