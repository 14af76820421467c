"""Optimisers equal their papers' equations written for one number, and are pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.data.toys import sines
from rnn.optim import SGD, Adam, RMSProp, clip_by_global_norm

CLOSE = 1e-12


def sgd(p: float, gradients: list[float]) -> float:
    v = 0.0
    for g in gradients:
        v = 0.9 * v + g
        p -= 0.1 * v
    return p


def rmsprop(p: float, gradients: list[float]) -> float:
    s = 0.0
    for g in gradients:
        s = 0.8 * s + 0.2 * g**2
        p -= 0.1 * g / (s**0.5 + 1e-8)
    return p


def adam(p: float, gradients: list[float]) -> float:
    m = s = 0.0
    for k, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        s = 0.99 * s + 0.01 * g**2
        p -= 0.1 * (m / (1 - 0.9**k)) / ((s / (1 - 0.99**k)) ** 0.5 + 1e-8)
    return p


PAIRS = [
    (SGD(rate=0.1, momentum=0.9), sgd),
    (RMSProp(rate=0.1, decay=0.8), rmsprop),
    (Adam(rate=0.1, beta2=0.99), adam),
]
ALL = pytest.mark.parametrize(
    "optimiser", [pair[0] for pair in PAIRS], ids=lambda o: type(o).__name__
)
TREE = {"layer1": {"W": np.array([[1.0, -2.0]]), "b": np.array(0.5)}, "more": [np.array([3.0])]}


def steps(optimiser: Any, params: Any, gradients: list[Any]) -> Any:
    state = optimiser.init(params)
    for g in gradients:
        params, state = optimiser.update(params, g, state)
    return params


@pytest.mark.parametrize(("optimiser", "scalar"), PAIRS, ids=lambda o: getattr(o, "__name__", ""))
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 6))
def test_every_entry_moves_as_the_equations_for_one_number_say(
    optimiser: Any, scalar: Any, seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    gradients = [tree_map(lambda p: rng.normal(size=p.shape), TREE) for _ in range(n)]
    moved = flatten(steps(optimiser, TREE, gradients))[0]
    columns = zip(*(flatten(g)[0] for g in gradients), strict=True) if n else [()] * 3
    for p, new, column in zip(flatten(TREE)[0], moved, columns, strict=True):
        wanted = [
            scalar(float(p.flat[k]), [float(g.flat[k]) for g in column]) for k in range(p.size)
        ]
        np.testing.assert_allclose(new.ravel(), wanted, rtol=CLOSE, atol=CLOSE)


@ALL
def test_an_update_changes_nothing_it_was_given(optimiser: Any) -> None:
    params, state = optimiser.update(TREE, TREE, optimiser.init(TREE))
    given = flatten([params, state, TREE])[0]
    before = [np.copy(x) for x in given]
    first = optimiser.update(params, TREE, state)
    again = optimiser.update(params, TREE, state)
    assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))
    assert all(
        np.array_equal(a, b) for a, b in zip(flatten(first)[0], flatten(again)[0], strict=True)
    )


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_structure_class_and_precision_stay(optimiser: Any, dtype: Any) -> None:
    params = rnn.Stack([rnn.LSTMCell(2, 3), rnn.Dense(3, 2)]).init(0, dtype)
    grads = tree_map(np.ones_like, params)
    new, state = optimiser.update(params, grads, optimiser.init(params))
    assert type(new) is rnn.Params
    assert new.named().keys() == params.named().keys()
    arrays = [x for x in flatten([new, state])[0] if isinstance(x, np.ndarray)]
    assert {x.dtype for x in arrays} == {np.dtype(dtype)}


@ALL
def test_the_bottom_of_a_bowl_is_found(optimiser: Any) -> None:
    goal = np.array([1.0, -2.0, 0.5])
    p, state = np.zeros(3), optimiser.init(np.zeros(3))
    for _ in range(500):
        p, state = optimiser.update(p, mg.grad(lambda x: mg.sum(mg.square(x - goal)))(p), state)
    np.testing.assert_allclose(p, goal, atol=0.11)  # RMSProp circles at the distance of its rate


@given(seed=st.integers(0, 2**32 - 1), limit=st.floats(0.125, 8.0))
def test_clipping_keeps_the_direction_and_bounds_the_length(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    grads = tree_map(lambda p: rng.normal(size=p.shape), TREE)
    clipped, norm = clip_by_global_norm(grads, limit)
    long, short = (np.concatenate([x.ravel() for x in flatten(t)[0]]) for t in (grads, clipped))
    np.testing.assert_allclose(norm, np.sqrt((long**2).sum()), rtol=CLOSE)
    np.testing.assert_allclose(short, long * min(1, limit / norm), rtol=CLOSE)


def test_clipping_survives_single_precision_and_tells_of_infinity() -> None:
    clipped, norm = clip_by_global_norm(np.full(4, 1e30, np.float32), 1.0)
    assert clipped.dtype == np.float32
    np.testing.assert_allclose(norm, 2e30, rtol=1e-6)
    np.testing.assert_allclose(clipped, 0.5, rtol=1e-6)
    grads = np.array([1.0, np.inf])
    clipped, norm = clip_by_global_norm(grads, 1.0)
    assert clipped is grads
    assert norm == np.inf


@pytest.mark.parametrize("size", [1e308, 1e200, 1e-200, 5e-324])
def test_clipping_knows_no_size(size: float) -> None:
    """Squares of 1e200 overflow and those of 1e-200 are 0; the norm of 1e308 is beyond numbers."""
    limit = min(size / 2, 1.0)
    grads = {"a": np.full(3, size), "b": np.array(-size)}
    clipped, norm = clip_by_global_norm(grads, limit or 1.0)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(norm, np.float64(2.0) * size, rtol=1e-15)
    if limit:
        np.testing.assert_allclose(clipped["a"], limit / 2, rtol=1e-15)
        np.testing.assert_allclose(clipped["b"], -limit / 2, rtol=1e-15)
    else:
        assert clipped is grads


def test_clipping_does_not_overlook_nan() -> None:
    grads = [np.ones(2), np.array([np.nan]), np.array(3.0)]
    clipped, norm = clip_by_global_norm(grads, 1.0)
    assert clipped is grads
    assert np.isnan(norm)


def test_a_limit_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the limit must be positive, got 0$"):
        clip_by_global_norm(np.ones(2), 0)


def test_a_small_network_learns_to_continue_sine_waves() -> None:
    """A whole training loop: it ends far better than saying the last value again."""
    rng = np.random.default_rng(0)
    cell = rnn.Stack([rnn.GRUCell(1, 12), rnn.Dense(12, 1)])
    params, optimiser = cell.init(rng), Adam(0.02)
    state = optimiser.init(params)

    def loss(p: Any, xs: Any, targets: Any) -> Any:
        return rnn.mse(rnn.run(cell, p, xs)[0], targets)

    for _ in range(80):
        _, grads = mg.value_and_grad(loss)(params, *sines(rng, 24, 16))
        params, state = optimiser.update(params, clip_by_global_norm(grads, 1.0)[0], state)
    xs, targets = sines(rng, 24, 64)
    assert loss(params, xs, targets) < 0.2 * rnn.mse(xs, targets)
