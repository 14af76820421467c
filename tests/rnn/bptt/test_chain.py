"""The chain rule edge by edge: messages, local Jacobians, and how they are written."""

import numpy as np
import pytest

import minigrad as mg
import rnn
from rnn.bptt.chain import Chain, edges, formula, local, message, shortened, written

CELL = rnn.LSTMCell(2, 3)
XS = np.random.default_rng(0).normal(size=(3, 2, 2))
CHAIN = Chain(CELL, CELL.init(0), XS, lambda ys: mg.sum(mg.square(ys)), None)


def test_messages_add_up_to_the_gradient_of_every_node():
    """Walked by hand, in the order of their making: the gradient that `backward` gives."""
    arrived = {CHAIN.loss.serial: np.ones(())}
    for node in reversed(CHAIN.nodes):
        if (g := arrived.get(node.serial)) is None:
            continue
        for i, x in edges(node):
            part = message(node, i, g)
            assert part.shape == x.shape
            arrived[x.serial] = arrived.get(x.serial, 0.0) + part
    CHAIN.loss.backward()
    named = [x for x in CHAIN.nodes if x.name and x.grad is not None]
    assert len(named) > 20
    for x in named:
        np.testing.assert_allclose(arrived[x.serial], x.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["h", "C", "f", "C̃"])
def test_a_message_is_the_cotangent_times_the_local_jacobian(name):
    node = CHAIN.find(name, 2)
    g = np.random.default_rng(1).normal(size=node.shape)
    for i, x in edges(node):
        wanted = (g.ravel() @ local(node, i)).reshape(x.shape)
        np.testing.assert_allclose(message(node, i, g), wanted, rtol=1e-9, atol=1e-12)


def test_what_has_no_derivative_has_no_edge():
    x = mg.Tensor([1.0, -1.0])
    assert edges(x) == []
    assert [i for i, _ in edges(mg.where(x > 0, x, 0.0))] == [1]


@pytest.mark.parametrize(
    ("make", "i", "text"),
    [
        (lambda a, b: a * b, 0, "g × b"),
        (lambda a, b: a - b, 1, "−g"),
        (lambda a, b: a @ b, 0, "g @ bᵀ"),
        (lambda a, b: mg.sin(a), 0, "g × cos(a)"),
        (lambda a, b: a + b, 1, "g"),
    ],
)
def test_a_formula_is_the_rule_as_it_is_written(make, i, text):
    a, b = (mg.Tensor(np.ones((2, 2)), name) for name in "ab")
    assert formula(make(a, b), i) == text


def test_an_operand_without_a_name_stands_in_brackets():
    z, h = mg.Tensor(0.5, "z"), mg.Tensor(2.0, "h")
    assert formula((1.0 - z) * h, 1) == "g × (1 − z)"
    assert formula(mg.tanh(z), 0) == "g × (1 − (tanh(z) × tanh(z)))"


def test_values_are_written_by_name_and_step():
    assert written(CHAIN.find("h", 2)) == "h⁽²⁾"
    assert written(CHAIN.find("W_xf")) == "W_xf"
    assert shortened("h⁽¹⁾ @ W_hh", 6) == "h⁽¹⁾ …"
