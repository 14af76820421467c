"""Losses equal their formulas in plain NumPy, gradients too, and masks cut exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.errors import ShapeError

CLOSE = 1e-12
"""Sums of at most 60 terms of like sign lose a few ε; a wrong formula loses everything."""


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def squared(rng: Any) -> Any:
    y, target = rng.normal(size=(2, 4, 3, 2))
    return rnn.mse, y, target, (y - target) ** 2, 2 * (y - target)


def classes(rng: Any) -> Any:
    z, target = rng.normal(size=(4, 3, 5)), rng.integers(0, 5, (4, 3))
    p, hot = softmax(z), np.eye(5)[target]
    return rnn.cross_entropy, z, target, -np.log((p * hot).sum(-1)), p - hot


def flags(rng: Any) -> Any:
    z, target = rng.normal(size=(4, 3, 2)), rng.random((4, 3, 2))
    p = 1 / (1 + np.exp(-z))
    entries = -target * np.log(p) - (1 - target) * np.log(1 - p)
    return rnn.binary_cross_entropy, z, target, entries, p - target


LOSSES = pytest.mark.parametrize("example", [squared, classes, flags], ids=lambda e: e.__name__)
SEEDS = st.integers(0, 2**32 - 1)


@LOSSES
@given(seed=SEEDS)
def test_a_loss_and_its_gradient_are_the_mean_of_the_formula(example: Any, seed: int) -> None:
    loss, y, target, entries, slope = example(np.random.default_rng(seed))
    value, gradient = mg.value_and_grad(loss)(y, target)
    np.testing.assert_allclose(value, entries.mean(), rtol=CLOSE)
    np.testing.assert_allclose(gradient, slope / entries.size, rtol=CLOSE, atol=CLOSE)


@LOSSES
@given(seed=SEEDS, axes=st.integers(1, 2))
def test_a_masked_loss_is_the_loss_of_what_is_left(example: Any, seed: int, axes: int) -> None:
    rng = np.random.default_rng(seed)
    loss, y, target, *_ = example(rng)
    mask = rng.random(y.shape[:axes]) < 0.5
    mask[0] = True
    value, gradient = mg.value_and_grad(loss)(y, target, mask)
    left, slope = mg.value_and_grad(loss)(y[mask], target[mask])
    np.testing.assert_allclose(value, left, rtol=CLOSE)
    np.testing.assert_allclose(gradient[mask], slope, rtol=CLOSE, atol=CLOSE)


@LOSSES
@pytest.mark.parametrize("rubbish", [np.nan, np.inf, 1e300])
def test_masked_entries_get_exactly_zero_gradient_whatever_they_hold(
    example: Any, rubbish: float
) -> None:
    loss, y, target, *_ = example(np.random.default_rng(0))
    mask = np.array([True, False, True, False])
    y, target = y.copy(), target.copy()
    clean = mg.value_and_grad(loss)(y, target, mask)
    y[~mask] = rubbish
    target[~mask] = -1 if target.dtype.kind == "i" else rubbish
    value, gradient = mg.value_and_grad(loss)(y, target, mask)
    assert value == clean[0]
    assert (gradient[~mask] == 0).all()
    assert (gradient == clean[1]).all()


def test_losses_from_logits_are_finite_and_right_at_a_thousand() -> None:
    z = np.array([[1e3, -1e3], [-1e3, 1e3]])
    value, gradient = mg.value_and_grad(rnn.cross_entropy)(z, np.array([0, 0]))
    assert value == 1000.0
    assert gradient.tolist() == [[0, 0], [-0.5, 0.5]]
    value, gradient = mg.value_and_grad(rnn.binary_cross_entropy)(z, np.ones((2, 2)))
    assert value == 500.0
    np.testing.assert_allclose(gradient, [[0, -0.25], [-0.25, 0]], atol=1e-300)


def test_certainty_costs_nothing_where_it_is_right_and_everything_where_it_is_not() -> None:
    z = np.array([np.inf, -np.inf, 1e308, -1e308])
    right, slope = mg.value_and_grad(rnn.binary_cross_entropy)(z, z > 0)
    assert right == 0
    np.testing.assert_array_equal(slope, 0)
    wrong, slope = mg.value_and_grad(rnn.binary_cross_entropy)(z, z < 0)
    assert wrong == np.inf
    np.testing.assert_array_equal(slope, np.sign(z) / 4)


def test_whole_numbers_are_not_wrapped_and_targets_between_classes_not_cut() -> None:
    y, target = np.array([1, 2], np.uint8), np.array([2, 200], np.uint8)
    assert rnn.mse(y, target) == (1 + 198**2) / 2
    soft = np.array([0.5, 0.25])
    wanted = rnn.binary_cross_entropy(y.astype(float), soft)
    assert rnn.binary_cross_entropy(y, soft) == wanted
    logits = np.array([[3, 1], [2, 7]])
    assert rnn.cross_entropy(logits, [0, 1]) == rnn.cross_entropy(logits.astype(float), [0, 1])


def test_half_precision_keeps_large_logits_and_counts_many_entries() -> None:
    large = np.full((1, 2), 1000, np.float16)
    np.testing.assert_allclose(rnn.cross_entropy(large, np.array([0])), np.log(2), rtol=1e-3)
    many = np.full(70_000, 2, np.float16)
    assert rnn.mse(many, many * 0) == 4
    assert rnn.mse(many, many * 0, np.ones(70_000, bool)) == 4


def test_a_confident_right_answer_keeps_its_digits() -> None:
    value = rnn.binary_cross_entropy(np.array([40.0]), np.array([1.0]))
    np.testing.assert_allclose(value, np.exp(-40.0), rtol=CLOSE)


@LOSSES
def test_single_precision_stays_single(example: Any) -> None:
    loss, y, target, *_ = example(np.random.default_rng(0))
    if target.dtype.kind == "f":
        target = target.astype(np.float32)
    mask = np.array([True, False, True, True])
    for more in ((), (mask,)):
        value, gradient = mg.value_and_grad(loss)(y.astype(np.float32), target, *more)
        assert value.dtype == gradient.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: rnn.mse(np.zeros((4, 3, 1)), np.zeros((4, 3))),
            ShapeError,
            "mse: outputs have shape (4, 3, 1), targets (4, 3); they are not broadcast, "
            "bring both to one shape",
        ),
        (
            lambda: rnn.mse(np.zeros((4, 3)), np.zeros((4, 3)), np.ones(3, bool)),
            ShapeError,
            "mse: mask has shape (3,), which does not fit the leading axes of (4, 3)",
        ),
        (
            lambda: rnn.mse(np.zeros(3), np.zeros(3), np.ones(3)),
            TypeError,
            "mse: mask must be true or false, got dtype float64; mask > 0",
        ),
        (
            lambda: rnn.mse(np.zeros(3), np.zeros(3), np.zeros(3, bool)),
            ValueError,
            "mse: the mask lets no entry count, so there is no mean",
        ),
        (
            lambda: rnn.cross_entropy(np.zeros((4, 3, 5)), np.zeros((4, 3)), np.ones(4, bool)),
            TypeError,
            "pick: indices must be integers, got dtype float64",
        ),
        (
            lambda: rnn.cross_entropy(np.zeros((4, 3, 5)), np.zeros((3, 4), int), np.ones(4, bool)),
            ShapeError,
            "cross_entropy: targets have shape (3, 4), the logits (4, 3, 5) want (4, 3), "
            "one class index a row",
        ),
        (
            lambda: rnn.binary_cross_entropy(np.zeros(2), np.array([0.0, 2.0])),
            ValueError,
            "binary_cross_entropy: targets must lie in [0, 1], got 0 … 2",
        ),
    ],
)
def test_what_does_not_fit_is_told(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
