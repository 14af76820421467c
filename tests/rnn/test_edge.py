"""A cell that declares lags is the one that hands its state on by hand, number for number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.edge import Edge, lags, taken
from rnn.testing.problem import Problem, agree, problem, weigh


@dataclass(frozen=True)
class Declared(rnn.Cell):
    """h of some steps before, each through a matrix of its own."""

    inputs: int
    hidden: int
    at: tuple[int, ...]

    @property
    def state(self) -> dict[str, Any]:
        return {"h": self.at}

    def parameters(self):
        H = self.hidden
        recurrent = {f"W_{abs(lag)}": rnn.orthogonal(H, H) for lag in self.at}
        return {"W_xh": rnn.glorot(self.inputs, H), **recurrent}

    def renewed(self, p, x, before):
        z = x @ p.W_xh
        for lag, h in zip(self.at, before, strict=True):
            z = z + h @ p[f"W_{abs(lag)}"]
        return mg.named("h", mg.tanh(z))

    def step(self, p, x, *before):
        h = self.renewed(p, x, before)
        return h, h


@dataclass(frozen=True)
class ByHand(Declared):
    """The same with a state for each of the last steps, each handed on to the next."""

    @property
    def state(self) -> dict[str, Any]:
        far = self.at[-1]
        return {f"h{n}": far // abs(far) for n in range(1, abs(far) + 1)}

    def step(self, p, x, *last):
        h = self.renewed(p, x, [last[abs(lag) - 1] for lag in self.at])
        return h, h, *last[:-1]


AROUND: dict[str, Any] = {
    "alone": lambda make: make(2, 3),
    "stack": lambda make: rnn.Stack([make(2, 3), rnn.GRUCell(3, 2), rnn.Stack([make(2, 1)])]),
    "both ways": lambda make: rnn.Bidirectional(make(2, 2), rnn.LSTMCell(2, 1)),
    "wrapped": lambda make: rnn.Stack([rnn.Highway(make(2, 2)), rnn.Reversed(make(2, 2))]),
}
"""Networks of cells that are made of their sizes."""

HOW = ("whole", "lengths", "mask", "resets", "mask, resets", "unfolded", "unfolded, lengths")


def handed(edges: Any, history: Any) -> Any:
    """A state as the cell by hand has it: a value for each step before, the nearest first."""
    found: list[Any] = []
    for edge, own in zip(edges, history, strict=True):
        if not isinstance(edge, Edge):
            found.append(handed(edge, own))
        elif abs(edge.delay) == 1:
            found.append(own)
        else:
            steps = [own[k] for k in range(abs(edge.delay))]
            found += steps[::-1] if edge.delay > 0 else steps
    return tuple(found)


def both(q: Problem, other: rnn.Cell, **about: Any) -> list[Any]:
    """Loss, outputs, last state and gradients of a network, and of the one by hand."""
    edges = q.cell.edges()

    def declared(params: Any, xs: Any, start: Any) -> Any:
        ys, end = rnn.run(q.cell, params, xs, start, **about)
        end = handed(edges, end)
        return weigh(ys, end), (ys, end)

    def by_hand(params: Any, xs: Any, start: Any) -> Any:
        ys, end = rnn.run(other, params, xs, handed(edges, start), **about)
        return weigh(ys, end), (ys, end)

    return [
        mg.value_and_grad(f, wrt=(0, 1, 2), has_aux=True)(q.params, q.xs, q.start)
        for f in (declared, by_hand)
    ]


@given(st.sets(st.integers(1, 4), min_size=1), st.sampled_from((1, -1)),
       st.sampled_from([*AROUND]), st.integers(0, 5), st.integers(0, 99),
       st.sampled_from(HOW))  # fmt: skip
@example({1, 2}, -1, "alone", 3, 0, "unfolded, lengths")
def test_declared_lags_are_states_handed_on_by_hand(found, sign, around, T, seed, how):
    """Outputs, last states and gradients by weights, inputs and start, whatever the batch."""
    at = tuple(sign * lag for lag in sorted(found))
    cell, other = (AROUND[around](lambda X, H: make(X, H, at)) for make in (Declared, ByHand))  # noqa: B023  # called here
    q = problem(cell, T, 3, seed)
    flags = np.random.default_rng(seed).random((2, T, 3))
    about: dict[str, Any] = {
        "lengths": np.arange(3) % (T + 1) if "lengths" in how else None,
        "mask": flags[0] < 0.6 if "mask" in how else None,
        "resets": flags[1] < 0.3 if "resets" in how else None,
        "unfolded": "unfolded" in how,
    }
    agree(*both(q, other, **about), "by hand", 4 * q.roundings())


def test_one_history_stands_for_all_lags():
    """On the graph each value before the first step is there once, with all of its gradient."""
    q = problem(Declared(2, 3, (1, 2)), 4, 2, 0)
    start = mg.Tensor(q.start[0])
    ys, (end,) = rnn.run(q.cell, q.params, q.xs, (start,), unfolded=True)
    weigh(ys, end).backward()
    for t in (0, -1):
        np.testing.assert_array_equal(mg.find(ys, "h", t=t).grad, start.grad[t + 1])
    assert q.cell.start(5)[0].shape == (2, 5, 3)


def test_a_step_takes_the_lags_in_their_order():
    history = np.arange(6.0).reshape(3, 1, 2)
    edges = (Edge("h", 3, 2, nearer=(1, 2)), (Edge("g", -3, 2, nearer=(-1,)),))
    h, g = history, history
    assert [x.tolist() for x in (*taken(edges, (h, (g,)))[:3], *taken(edges, (h, (g,)))[3])] == [
        [[4.0, 5.0]], [[2.0, 3.0]], [[0.0, 1.0]], [[0.0, 1.0]], [[4.0, 5.0]]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((1, 1), "wanted each once"),
        ((2, 1), r"the nearest first, as step takes them: \(1, 2\)"),
        ((-3, -1), r"\(-1, -3\)"),
        ((0, 1), "0 is the step itself"),
        (0, "0 is the step itself"),
        ((-1, 1), "of both signs"),
        ((), "a whole number of steps, or a tuple"),
        ((1, 1.5), "a whole number of steps, or a tuple"),
        (True, "a whole number of steps, or a tuple"),
        ("12", "a whole number of steps, or a tuple"),
    ],
)
def test_lags_that_cannot_be_are_told(given, told):
    with pytest.raises((TypeError, ValueError), match=f"Declared: state h has the lags .*{told}"):
        lags("Declared", "h", given)


def test_a_step_that_does_not_fit_its_lags_is_told():
    class OneTaken(Declared):
        def step(self, p, x, h):
            return h, h

    class TwoGiven(Declared):
        def step(self, p, x, *h):
            return h[0], *h

    with pytest.raises(TypeError, match=r"must take p, x and h \(t-1\), h \(t-2\): too many"):
        OneTaken(2, 3, (1, 2)).folded()
    with pytest.raises(ValueError, match=r"is given once: h at lags \(1, 2\)"):
        TwoGiven(2, 3, (1, 2)).folded()
