"""Jacobians over many steps, against the graph of all steps and explicit Jacobians."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given as drawn
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.testing.problem import agree
from tests.rnn.bptt.networks import Linear, networks, on_graph, unfolded
from tests.rnn.test_edge import Declared


@dataclass(frozen=True)
class Late(rnn.Cell):
    """h⁽ᵗ⁾ = h⁽ᵗ⁻²⁾ W."""

    inputs: int
    hidden: int
    state = {"h": 2}

    def parameters(self):
        return {"W_hh": rnn.orthogonal(self.hidden, self.hidden)}

    def step(self, p, x, h):
        h = mg.named("h", h @ p.W_hh)
        return h, h


def climbed(q, **about):
    return rnn.bptt.ladder(q.cell, q.params, q.xs, state=q.start, **about)


def check_product(found, q):
    agree(found.jacobians, found.product, "product of one-step Jacobians", 4 * q.roundings())


@drawn(networks(), st.data())
def test_rungs_are_the_product_of_one_step_jacobians(q, data):
    assume(q.cell.folded().recurrences)
    found = climbed(q, to=data.draw(st.integers(1, q.steps)))
    if found.product is not None:
        check_product(found, q)
        tall = 1 + 1e-9
        assert (found.gains <= found.bound * tall + 1e-300).all()


@drawn(networks(), st.data())
def test_rungs_are_those_of_the_graph_of_all_steps(q, data):
    assume(len(q.cell.folded().recurrences))
    assume(q.xs.shape[1] == 1)
    ys = unfolded(q)
    names = [
        n.name for n in q.cell.folded().step.nodes if n.name and n.op != "input" and n.scope == ""
    ]
    names = [name for name in names if names.count(name) == 1]
    assume(names)
    of, by = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    to = data.draw(st.integers(1, q.steps))
    found = climbed(q, of=of, by=by, to=to)
    v = on_graph(ys, q, of, to)
    assume(v is not None)
    for row in range(v.size):
        for node in mg.ancestors(v):
            node.grad = None
        basis = np.zeros(v.size)
        basis[row] = 1.0
        v.backward(basis.reshape(v.shape))
        for k in range(1, q.steps + 1):
            u = on_graph(v, q, by, k)
            wanted = np.zeros(found.jacobians.shape[2]) if u is None else u.grad.ravel()
            agree(found.jacobians[k - 1, row], wanted, f"∂{of}/∂{by} at {k}", q.roundings())


@pytest.mark.parametrize("cell", [rnn.RNNCell(3, 4), rnn.GRUCell(3, 4)], ids=str)
def test_rungs_are_explicit_jacobians(cell):
    q = rnn.testing.problem(cell, 4, 1, 0)
    found = climbed(q)
    for k in range(1, 5):
        _, (h,) = rnn.run(cell, q.params, q.xs[:k], q.start)
        last = lambda h, k=k: rnn.run(cell, q.params, q.xs[k:], (h,))[1][0]
        wanted = mg.jacobian(last)(h).reshape(4, 4)
        agree(found.jacobians[k - 1], wanted, f"from t = {k}", q.roundings())


def test_exponents_of_a_constant_step_are_the_logarithms_of_its_moduli():
    W = np.diag([1.5, 0.5, 0.25])
    found = rnn.bptt.ladder(Linear(1, 3), {"W_hh": W}, np.zeros((9, 1, 1)))
    np.testing.assert_allclose(found.exponents, np.log([1.5, 0.5, 0.25]), rtol=1e-12)
    np.testing.assert_allclose(found.gains[::-1], 1.5 ** np.arange(9), rtol=1e-12)


@pytest.mark.parametrize(
    ("gain", "verdict", "survives"),
    [(0.5, "vanishing", 7), (1.0, "neither", None), (2.0, "exploding", None)],
)
def test_the_sentence_says_what_becomes_of_a_gradient(gain, verdict, survives):
    found = rnn.bptt.ladder(Linear(1, 1), {"W_hh": np.array([[gain]])}, np.zeros((12, 1, 1)))
    assert (found.verdict, found.survives) == (verdict, survives)


def test_a_gradient_that_comes_back_has_not_vanished():
    """With a delay of two every second rung is 0."""
    found = rnn.bptt.ladder(Late(1, 1), {"W_hh": np.array([[1.0]])}, np.zeros((7, 1, 1)))
    assert found.gains.tolist() == [1, 0, 1, 0, 1, 0, 1]
    assert found.survives is None


@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.1, "vanishing"), (1.0, "neither"), (9.0, "exploding")]
)
@pytest.mark.parametrize("steps", [7, 8])
def test_the_verdict_does_not_hang_on_whether_the_steps_are_even(steps, gain, verdict):
    """With a delay of two the first of eight steps has no way to the last."""
    found = rnn.bptt.ladder(Late(1, 1), {"W_hh": np.array([[gain]])}, np.zeros((steps, 1, 1)))
    assert found.verdict == verdict
    assert f"{gain**3:.2g} is left after 6 steps" in found.sentence


@pytest.mark.parametrize("steps", [7, 8])
@pytest.mark.parametrize("at", [(1, 2), (2, 3), (1, 4)])
def test_what_is_left_is_what_is_left_at_the_end_where_every_step_is_passed(at, steps):
    """Of a gradient that shrinks from step to step more is left a few steps before the end."""
    cell = Declared(1, 1, at)
    p = {"W_xh": np.ones((1, 1)), **{f"W_{lag}": np.array([[0.4 / lag]]) for lag in at}}
    found = rnn.bptt.ladder(cell, p, np.zeros((steps, 1, 1)))
    assert found.gains[0] < found.gains[1]
    assert f"{found.gains[0]:.2g} is left after {steps - 1} steps" in found.sentence


def test_a_backward_direction_is_climbed_with_time():
    cell = rnn.Bidirectional(rnn.RNNCell(2, 2))
    q = rnn.testing.problem(cell, 4, 1, 0)
    found = climbed(q, of="backward.h", to=1)
    assert found.jacobians[3].any()
    assert found.product is None


def test_a_wrong_rung_is_seen():
    q = rnn.testing.problem(rnn.LSTMCell(3, 2), 4, 1, 0)
    found = climbed(q)
    check_product(found, q)
    wrong = found.jacobians.copy()
    wrong[0, 1, 0] *= 1 + 1e-6
    with pytest.raises(rnn.testing.Broken, match="product of one-step"):
        check_product(replace(found, jacobians=wrong), q)


def test_what_is_no_step_or_no_value_is_said():
    q = rnn.testing.problem(rnn.LSTMCell(3, 2), 4, 1, 0)
    with pytest.raises(ValueError, match="t = 5 is not a step; there are steps 1 to 4"):
        climbed(q, to=5)
    with pytest.raises(LookupError, match="no value is named g; there are: z_f"):
        climbed(q, of="g")
    with pytest.raises(ValueError, match="Dense has no state"):
        rnn.bptt.ladder(rnn.Dense(2, 2), rnn.Dense(2, 2).init(0), np.ones((2, 1, 2)))


def test_the_bound_is_no_looser_than_that_of_the_largest_slope_and_the_norm_of_the_weights():
    """Pascanu et al.: ‖∂h⁽ᵗ⁾/∂h⁽ᵏ⁾‖ ≤ (max |tanh′| ‖W_hh‖)^(t−k)."""
    q = rnn.testing.problem(rnn.RNNCell(3, 4), 8, 1, 0)
    found = climbed(q)
    h = rnn.bptt.stages(q.cell, q.params, q.xs, state=q.start)["h"]
    slope = np.max(1 - h * h)
    loose = (slope * np.linalg.norm(q.params.W_hh, 2)) ** np.arange(7, -1, -1)
    assert (found.gains <= found.bound * (1 + 1e-12)).all()
    assert (found.bound <= loose * (1 + 1e-12)).all()
