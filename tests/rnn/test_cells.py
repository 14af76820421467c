"""Every cell equals the equations written out by hand: values, gradients, second derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.activations import activations
from tests.rnn import reference as by_hand
from tests.rnn.mistakes import Mistake, told_in_full
from tests.rounding import Rounded, assert_agree, dual, rounded, slopes


class Case(NamedTuple):
    """A cell of sizes (X, H, O) and its reference."""

    make: Any
    reference: by_hand.Network


def _simple(outputs: bool, recurrence: Any, sigma_h: str, sigma_o: str | None) -> Case:
    sigma = {"tanh": np.tanh, "sigmoid": by_hand.sigmoid, None: by_hand.identity}
    return Case(
        lambda X, H, O: rnn.RNNCell(X, H, O if outputs else None, recurrence, sigma_h, sigma_o),
        by_hand.simple(sigma[sigma_h], sigma[sigma_o]),
    )


MIXES = [mix for n in (1, 2, 3) for mix in combinations(rnn.cells.RECURRENCES, n)]

CASES = {
    "RNN without outputs": _simple(False, "hidden-to-hidden", "tanh", None),
    **{"RNN " + " and ".join(mix): _simple(True, mix, "tanh", None) for mix in MIXES},
    "RNN with sigmoids": _simple(True, MIXES[-1], "sigmoid", "sigmoid"),
    "RNN with tanh outputs": _simple(True, "output-to-hidden", "sigmoid", "tanh"),
    "LSTM": Case(lambda X, H, O: rnn.LSTMCell(X, H), by_hand.lstm),
    "LSTM with peepholes": Case(lambda X, H, O: rnn.LSTMCell(X, H, peepholes=True), by_hand.lstm),
    "GRU reset after": Case(lambda X, H, O: rnn.GRUCell(X, H), by_hand.gru),
    "GRU reset before": Case(lambda X, H, O: rnn.GRUCell(X, H, reset="before"), by_hand.gru),
    "Dense": Case(lambda X, H, O: rnn.Dense(X, O), by_hand.dense()),
    "Dense with sigmoid": Case(
        lambda X, H, O: rnn.Dense(X, O, "sigmoid"), by_hand.dense(by_hand.sigmoid)
    ),
    "Stack": Case(
        lambda X, H, O: rnn.Stack([rnn.RNNCell(X, H), rnn.LSTMCell(H, O), rnn.Dense(O, 2)]),
        by_hand.stack(by_hand.simple(), by_hand.lstm, by_hand.dense()),
    ),
    "Bidirectional": Case(
        lambda X, H, O: rnn.Bidirectional(rnn.GRUCell(X, H), rnn.RNNCell(X, O)),
        by_hand.bidirectional(by_hand.gru, by_hand.simple()),
    ),
    "Stack of both directions": Case(
        lambda X, H, O: rnn.Stack([rnn.Bidirectional(rnn.RNNCell(X, H)), rnn.RNNCell(2 * H, O)]),
        by_hand.stack(
            by_hand.bidirectional(by_hand.simple(), by_hand.simple()), by_hand.simple()
        ),
    ),
}  # fmt: skip


@dataclass
class Problem:
    """Parameters, a sequence, a start state, and cotangents for outputs and last state."""

    cell: rnn.Cell
    params: Any
    xs: Any
    start: Any
    dys: Any
    dstate: Any
    unfolded: bool

    def run(self, params: Any, xs: Any, start: Any) -> Any:
        return rnn.run(self.cell, params, xs, start, unfolded=self.unfolded)

    def loss(self, params: Any, xs: Any, start: Any) -> Any:
        """Σ dys·ys + Σ dstate·state, so that its gradients are all there is to know."""
        ys, state = self.run(params, xs, start)
        weighted = zip(flatten(state)[0], flatten(self.dstate)[0], strict=True)
        return sum((mg.sum(s * d) for s, d in weighted), mg.sum(ys * self.dys))


def problem(cell: rnn.Cell, T: int, B: int, seed: int, unfolded: bool = False) -> Problem:
    rng = np.random.default_rng(seed)
    draw = lambda like: rng.normal(size=like.shape)
    # Halved, so that the worst case of the rounding errors does not grow from step to step.
    params = tree_map(lambda like: 0.5 * draw(like), cell.init(0))
    start = tree_map(draw, cell.start(B))
    xs = rng.normal(size=(T, B, cell.inputs))
    return Problem(cell, params, xs, start, rng.normal(size=(T, B, cell.width)),
                   tree_map(draw, start), unfolded)  # fmt: skip


PROBLEMS = given(
    T=st.integers(0, 6),
    B=st.integers(1, 3),
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    seed=st.integers(0, 2**32 - 1),
)
two_ways_to_run = pytest.mark.parametrize("unfolded", [False, True], ids=["scan", "unfolded"])


def check_values(q: Problem, reference: by_hand.Network) -> None:
    found = q.run(q.params, q.xs, q.start)
    wanted = reference.values(*tree_map(rounded, (dict(q.params), q.xs, q.start)))
    compare(found, wanted)


def check_gradients(q: Problem, reference: by_hand.Network) -> None:
    found = mg.grad(q.loss, wrt=(0, 1, 2))(q.params, q.xs, q.start)
    numbers = tree_map(rounded, (dict(q.params), q.xs, q.start, q.dys, q.dstate))
    compare(found, reference.bptt(*numbers))


def compare(found: Any, wanted: Any) -> None:
    found_leaves, tree = flatten(found)
    known = dict(zip(flatten(wanted)[1].paths(), flatten(wanted)[0], strict=True))
    assert sorted(known) == sorted(tree.paths())
    for path, leaf in zip(tree.paths(), found_leaves, strict=True):
        assert_agree(leaf, known[path], path)


# --- the laws -----------------------------------------------------------------------------------


@two_ways_to_run
@pytest.mark.parametrize("name", CASES)
@PROBLEMS
def test_values_equal_a_loop_over_single_numbers(name, unfolded, T, B, sizes, seed):
    case = CASES[name]
    check_values(problem(case.make(*sizes), T, B, seed, unfolded), case.reference)


@two_ways_to_run
@pytest.mark.parametrize("name", CASES)
@PROBLEMS
def test_gradients_equal_backpropagation_written_by_hand(name, unfolded, T, B, sizes, seed):
    """Of every parameter, every input and every start value."""
    case = CASES[name]
    check_gradients(problem(case.make(*sizes), T, B, seed, unfolded), case.reference)


@two_ways_to_run
@pytest.mark.parametrize(
    "name", ["LSTM", "LSTM with peepholes", "GRU reset after", "Bidirectional"]
)
@given(T=st.integers(0, 4), B=st.integers(1, 2), seed=st.integers(0, 2**32 - 1))
@example(T=4, B=2, seed=0)
def test_second_derivatives_equal_those_of_the_backpropagation_by_hand(name, unfolded, T, B, seed):
    """Forward over reverse, and reverse over reverse: each the Hessian times a direction."""
    case = CASES[name]
    q = problem(case.make(2, 3, 1), T, B, seed, unfolded)
    point = {"params": q.params, "xs": q.xs, "start": q.start}
    rng = np.random.default_rng([seed, 1])
    v = tree_map(lambda leaf: rng.normal(size=leaf.shape), point)
    loss = lambda point: q.loss(point["params"], point["xs"], point["start"])

    def along(point: Any) -> Any:
        terms = zip(flatten(mg.grad(loss)(point))[0], flatten(v)[0], strict=True)
        return sum(mg.sum(g * d) for g, d in terms)

    moving = tree_map(dual, {**point, "params": dict(q.params)}, {**v, "params": dict(v["params"])})
    dp, dxs, dstart = case.reference.bptt(
        moving["params"], moving["xs"], moving["start"], *tree_map(rounded, (q.dys, q.dstate))
    )
    wanted = tree_map(slopes, {"params": dp, "xs": dxs, "start": dstart})
    compare(mg.hvp(loss, point, v), wanted)
    compare(mg.grad(along)(point), wanted)


# --- the checkers can fail ------------------------------------------------------------------------


class SwappedGates(rnn.LSTMCell):
    """i where f belongs and f where i belongs."""

    def step(self, p: Any, x: Any, h: Any, C: Any) -> Any:
        swap = str.maketrans("fi", "if")
        turned = {name[:-1] + name[-1].translate(swap): value for name, value in p.items()}
        return super().step(rnn.Params(turned), x, h, C)


class OldMemory(rnn.LSTMCell):
    """h from the memory before it is updated."""

    def step(self, p: Any, x: Any, h: Any, C: Any) -> Any:
        h_new, _, C_new = super().step(p, x, h, C)
        o = mg.sigmoid(x @ p.W_xo + h @ p.W_ho + p.b_o)
        return o * mg.tanh(C), h_new, C_new


class ForgottenState(rnn.LSTMCell):
    """A backward pass without dh_next: values are right, gradients are not."""

    def step(self, p: Any, x: Any, h: Any, C: Any) -> Any:
        return super().step(p, x, mg.detach(h), C)


class ForgottenOutput(rnn.RNNCell):
    """A backward pass without what comes back through the output of the step before."""

    def step(self, p: Any, x: Any, *state: Any) -> Any:
        return super().step(p, x, *state[:-1], mg.detach(state[-1]))


class WrongReset(rnn.GRUCell):
    """The bias b_hn outside of the reset gate."""

    def step(self, p: Any, x: Any, h: Any) -> Any:
        moved = {**p, "b_n": p.b_n + p.b_hn, "b_hn": 0.0 * p.b_hn}
        return super().step(rnn.Params(moved), x, h)


PLANTED = [
    (SwappedGates(2, 3), by_hand.lstm, check_values),
    (SwappedGates(2, 3), by_hand.lstm, check_gradients),
    (OldMemory(2, 3), by_hand.lstm, check_values),
    (ForgottenState(2, 3), by_hand.lstm, check_gradients),
    (ForgottenOutput(2, 3, 2, MIXES[-1]), by_hand.simple(), check_gradients),
    (WrongReset(2, 3), by_hand.gru, check_values),
    (rnn.GRUCell(2, 3), by_hand.stack(by_hand.gru), check_values),
]


@pytest.mark.parametrize(
    ("cell", "reference", "check"), PLANTED, ids=lambda x: getattr(x, "__name__", None)
)
def test_a_wrong_cell_is_told_from_the_reference(cell, reference, check):
    with pytest.raises((AssertionError, KeyError)):
        check(problem(cell, T=3, B=2, seed=0), reference)


@pytest.mark.parametrize("cell", [ForgottenState(2, 3), ForgottenOutput(2, 3, 2, MIXES[-1])])
def test_a_forgotten_backward_edge_leaves_the_values_right(cell):
    """So a check of values alone would pass, and the gradient check is needed."""
    reference = by_hand.lstm if isinstance(cell, rnn.LSTMCell) else by_hand.simple()
    check_values(problem(cell, T=3, B=2, seed=0), reference)


@pytest.mark.parametrize(
    ("primitive", "wrong"),
    [
        (mg.tanh, lambda g, y, x: g * (1.0 - y) * (1.0 - y)),
        (mg.tanh, lambda g, y, x: g * (1.0 - y * y) * (1.0 + 1e-12)),
        (mg.sigmoid, lambda g, y, x: g * x * (1.0 - x)),
    ],
    ids=["(1 - y)²", "off by 1e-12", "sigmoid′ at x"],
)
def test_a_wrong_derivative_rule_is_told_from_the_reference(primitive, wrong, monkeypatch):
    monkeypatch.setattr(primitive, "rules", [wrong])
    with pytest.raises(AssertionError):
        check_gradients(problem(rnn.LSTMCell(2, 3), 3, 2, 0, unfolded=True), by_hand.lstm)


def test_an_error_of_a_thousand_roundings_is_told():
    wanted = np.array([Rounded(1.0) * 3.0, Rounded(2.0) + 1.0])
    assert_agree(np.array([3.0, 3.0]), wanted, "x")
    with pytest.raises(AssertionError, match=r"x\[1\] is 3.0000000000002, the reference gives 3"):
        assert_agree(np.array([3.0, 3.0000000000002]), wanted, "x")
    with pytest.raises(AssertionError, match="nan"):
        assert_agree(np.array([np.nan, 3.0]), wanted, "x")


def test_the_reference_gives_the_gradients_of_a_net_worked_out_on_paper():
    """h⁽ᵗ⁾ = tanh(w x⁽ᵗ⁾ + u h⁽ᵗ⁻¹⁾), w = 1, u = 0.5, x = (1, 0.5), h⁽⁰⁾ = 0.2, L = h⁽²⁾."""
    p = {"W_xh": np.ones((1, 1)), "W_hh": np.full((1, 1), 0.5), "b_h": np.zeros(1)}
    xs, h0 = np.array([[[1.0]], [[0.5]]]), np.full((1, 1), 0.2)
    dys = np.array([[[0.0]], [[1.0]]])
    dp, _, _ = by_hand.rnn_bptt(p, xs, (h0,), dys, (np.zeros((1, 1)),))
    assert round(dp["W_hh"].item(), 4) == 0.4071
    assert round(dp["W_xh"].item(), 4) == 0.3308


# --- what goes wrong ------------------------------------------------------------------------------

KNOWN = ", ".join(activations())
MISTAKES: dict[str, Mistake] = {
    "a recurrence that is none": (
        lambda: rnn.RNNCell(3, 4, 2, "hidden-hidden"),
        ValueError,
        "RNNCell: unknown recurrence 'hidden-hidden'; "
        "there are hidden-to-hidden, output-to-hidden, output-to-output",
    ),
    "a recurrence of outputs without outputs": (
        lambda: rnn.RNNCell(3, 4, recurrence="output-to-hidden"),
        ValueError,
        "RNNCell: output-to-hidden recurrence needs outputs=, the size of o",
    ),
    "an activation that is none": (
        lambda: rnn.RNNCell(3, 4, activation="tanhh"),
        ValueError,
        f"RNNCell: unknown activation 'tanhh'; there are {KNOWN}",
    ),
    "softmax in the cell": (
        lambda: rnn.Dense(3, 4, "softmax"),
        ValueError,
        f"Dense: unknown activation 'softmax'; there are {KNOWN}; "
        "softmax belongs to the loss, which takes logits",
    ),
    "no hidden units": (
        lambda: rnn.LSTMCell(3, 0),
        ValueError,
        "LSTMCell: hidden must be a whole number ≥ 1, got 0",
    ),
    "a size that is not whole": (
        lambda: rnn.GRUCell(3.0, 4),
        ValueError,
        "GRUCell: inputs must be a whole number ≥ 1, got 3.0",
    ),
    "a layer without outputs": (
        lambda: rnn.Dense(3, None),
        ValueError,
        "Dense: outputs must be a whole number ≥ 1, got None",
    ),
    "a reset gate in no place": (
        lambda: rnn.GRUCell(3, 4, reset="behind"),
        ValueError,
        "GRUCell: reset is 'after' or 'before', got 'behind'",
    ),
    "weights into a gate that is not there": (
        lambda: rnn.concatenated(rnn.RNNCell(3, 4).init(), into="f"),
        KeyError,
        "'concatenated: no weights W_·f among W_xh, W_hh, b_h'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake: str) -> None:
    told_in_full(MISTAKES[mistake])
