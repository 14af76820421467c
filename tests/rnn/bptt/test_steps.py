"""One-step Jacobians, their products and the exponents of both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.bptt.recorded import recorded
from rnn.bptt.steps import lyapunov, products, steps_of
from tests.rnn.test_edge import ByHand, Declared

XS = np.random.default_rng(0).normal(size=(5, 1, 2))


@pytest.mark.parametrize("cell", [rnn.RNNCell(2, 3), rnn.GRUCell(2, 3)], ids=lambda c: c.label)
def test_the_state_is_that_of_the_jacobian_of_a_step(cell):
    p, run = cell.init(0), None
    run = recorded(cell, p, XS)
    parts = steps_of(run, "h", "h")
    for t in range(5):
        step = lambda h, t=t: rnn.run(cell, p, XS[t : t + 1], (h,))[1][0]
        wanted = mg.jacobian(step)(run.before[0][t]).reshape(3, 3)
        np.testing.assert_allclose(parts.state[t], wanted, rtol=1e-9, atol=1e-12)


def test_the_state_has_the_last_steps_of_a_value_once_whatever_lags_it_is_read_at():
    declared, by_hand = Declared(2, 3, (1, 3)), ByHand(2, 3, (1, 3))
    p = declared.init(0)
    parts = [steps_of(recorded(cell, p, XS), "h", "h") for cell in (declared, by_hand)]
    for name in ("state", "out", "into"):
        found, wanted = (getattr(steps, name) for steps in parts)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
    loss = lambda ys: mg.sum(ys)
    kept = [rnn.bptt.rtrl(cell, p, XS, loss).rtrl.kept for cell in (declared, by_hand)]
    assert kept[0] == kept[1]


def test_a_state_stands_in_the_state_of_all():
    cell = rnn.LSTMCell(2, 3)
    run = recorded(cell, cell.init(0), XS)
    for name, place in (("h", slice(0, 3)), ("C", slice(3, 6)), ("o", None)):
        parts = steps_of(run, name, name)
        assert parts.place == place
        if place:
            np.testing.assert_array_equal(parts.state[:, place], parts.out)


def test_products_are_the_jacobian_over_many_steps():
    cell = rnn.LSTMCell(2, 3)
    p = cell.init(0)
    run = recorded(cell, p, XS)
    found, bound = products(steps_of(run, "h", "h"), 5, 1)
    state = (run.values["h"][1], run.values["C"][1])
    later = lambda h: rnn.run(cell, p, XS[2:], (h, state[1]))[1][0]
    # h⁽²⁾ itself is what u stands for: what reads it later, not how it was made.
    np.testing.assert_allclose(found[1], mg.jacobian(later)(state[0]).reshape(3, 3), rtol=1e-9)
    assert (np.linalg.norm(found[:4], 2, axis=(1, 2)) <= bound[:4] * (1 + 1e-12)).all()


@given(seed=st.integers(0, 2**32 - 1), T=st.integers(1, 30))
def test_exponents_add_up_to_the_growth_of_volumes(seed, T):
    matrices = np.random.default_rng(seed).normal(size=(T, 3, 3))
    found = lyapunov(matrices)
    volumes = np.log(np.abs(np.linalg.det(matrices)))
    assert np.all(np.diff(found) <= 0)
    np.testing.assert_allclose(found.sum(), volumes.mean(), rtol=1e-9, atol=1e-9)


def test_exponents_of_a_rotation_are_zero():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(lyapunov(np.array([turn] * 7)), 0.0, atol=1e-12)
