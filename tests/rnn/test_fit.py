"""A fit is gradient descent, can be stopped anywhere and gone on with, and says what is wrong."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.errors import ShapeError
from minigrad.tree import flatten, tree_map
from rnn.checkpoint import CheckpointError

CELL = rnn.Stack([rnn.GRUCell(1, 4), rnn.Dense(4, 1)])
XS = np.random.default_rng(0).normal(size=(5, 12, 1))
DATA = (XS, XS.cumsum(0) / 5)
BATCHES = rnn.minibatches(*DATA, batch=5, seed=2)


def bits(fit: rnn.Fit) -> list[bytes]:
    leaves = flatten([fit.params, fit.moments, fit.history.loss, fit.history.norm, fit.step])[0]
    return [np.asarray(leaf).tobytes() for leaf in leaves]


def test_a_fit_is_the_loop_by_hand() -> None:
    params, state, sgd = CELL.init(0), None, rnn.SGD(0.1, momentum=0.9)
    moments, losses = sgd.init(params), []
    for k in range(4):
        xs, targets = BATCHES(k)

        def loss(p: Any, xs: Any = xs, targets: Any = targets, state: Any = state) -> Any:
            ys, state = rnn.run(CELL, p, xs, state)
            return rnn.mse(ys, targets), state

        (value, state), grads = mg.value_and_grad(loss, has_aux=True)(params)
        params, moments = sgd.update(params, rnn.clip_by_global_norm(grads, 0.5)[0], moments)
        state = tree_map(np.asarray, state)
        losses.append(value)
    found = rnn.fit(CELL, BATCHES, 4, carry=True, optimiser=sgd, limit=0.5)
    np.testing.assert_allclose(found.history.loss, losses, rtol=1e-12)
    for a, b in zip(flatten(found.params)[0], flatten(params)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("cut", [1, 4])
def test_a_fit_that_was_saved_goes_on_bit_for_bit(carry: bool, cut: int, tmp_path: Path) -> None:
    def go(steps: int, **more: Any) -> rnn.Fit:
        return rnn.fit(
            CELL, BATCHES, steps, carry=carry, every=2, dtype=np.float32,
            judge=lambda p: {"size": float(np.abs(p.layer2.W).sum())}, **more,
        )  # fmt: skip

    whole = go(7)
    go(cut, path=tmp_path / "fit", about={"name": "sums"})
    parts = go(7, start=rnn.Fit.load(tmp_path / "fit"))
    assert bits(parts) == bits(whole)
    assert parts.about == {"name": "sums"}
    assert go(4).history.at.tolist() == [2, 4]


def test_a_fit_goes_on_in_its_precision_and_weights_to_begin_with_are_converted() -> None:
    precision = lambda fit: {str(w.dtype) for w in flatten([fit.params, fit.moments["mean"]])[0]}
    single = rnn.fit(CELL, DATA, 1, dtype="float32")
    double = rnn.fit(CELL, DATA, 1)
    assert precision(single) == precision(rnn.fit(CELL, DATA, 2, start=single)) == {"float32"}
    assert precision(double) == {"float64"}
    assert precision(rnn.fit(CELL, DATA, 1, start=double.params, dtype="float32")) == {"float32"}
    assert precision(rnn.fit(CELL, DATA, 1, start=single.params)) == {"float32"}


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_saves(kind: int, tmp_path: Path) -> None:
    stopped = rnn.fit(
        CELL, DATA, 50, every=3, path=tmp_path / "fit",
        callbacks=[lambda fit: signal.raise_signal(kind)],
    )  # fmt: skip
    assert stopped.step == 3
    assert bits(rnn.Fit.load(tmp_path / "fit")) == bits(stopped) == bits(rnn.fit(CELL, DATA, 3))


def test_a_callback_that_returns_true_ends_the_fit_and_all_are_called() -> None:
    seen: list[int] = []
    callbacks = [lambda fit: fit.step == 4, lambda fit: seen.append(fit.step)]
    assert rnn.fit(CELL, DATA, 50, every=2, callbacks=callbacks).step == 4
    assert seen == [2, 4]


def test_a_loss_that_is_not_finite_keeps_the_last_good_fit(tmp_path: Path) -> None:
    def data(step: int) -> Any:
        return XS, DATA[1] * (np.nan if step == 3 else 1.0)

    with pytest.raises(FloatingPointError, match=r"at step 4 the loss is nan .*; step 2 is kept"):
        rnn.fit(CELL, data, 9, path=tmp_path / "fit")
    assert bits(rnn.Fit.load(tmp_path / "fit")) == bits(rnn.fit(CELL, DATA, 2))


def test_an_optimiser_may_be_a_function_of_the_step() -> None:
    """A rate of 0 from the third step on leaves the parameters where they are."""
    still = rnn.fit(CELL, DATA, 9, optimiser=lambda k: rnn.Adam(0.005 if k < 3 else 0.0))
    moved = rnn.fit(CELL, DATA, 3)
    assert [a.tobytes() for a in flatten(still.params)[0]] == [
        a.tobytes() for a in flatten(moved.params)[0]
    ]


@pytest.mark.parametrize("carry", [False, True])
def test_another_engine_fits_the_same(carry: bool) -> None:
    """Also to data in double precision, which XLA is given in that of the parameters."""
    by_numpy, by_jax = (
        rnn.fit(CELL, BATCHES, 5, carry=carry, dtype=np.float32, engine=engine)
        for engine in ("numpy", "jax")
    )
    np.testing.assert_allclose(by_jax.history.loss, by_numpy.history.loss, rtol=1e-5)
    leaves = flatten([by_jax.params, by_jax.moments, by_jax.state if carry else []])[0]
    assert all(isinstance(leaf, np.ndarray | np.generic | int) for leaf in leaves)


def test_every_sample_comes_once_before_any_comes_twice() -> None:
    xs = np.arange(7).reshape(1, 7)
    data = rnn.minibatches(xs, 10 * xs, batch=2, seed=5)
    for turn in range(3):
        drawn = np.concatenate([data(3 * turn + k)[0][0] for k in range(3)])
        assert len(set(drawn)) == 6
    assert all(np.array_equal(10 * x, y) for x, y in map(data, range(9)))
    assert not np.array_equal(data(0)[0], data(3)[0])


def test_what_is_saved_beside_other_things_is_no_fit(tmp_path: Path) -> None:
    rnn.checkpoint.save(tmp_path / "w", CELL.init(), CELL)
    with pytest.raises(CheckpointError, match="holds weights, but no fit to go on with"):
        rnn.Fit.load(tmp_path / "w")
    rnn.fit(CELL, DATA, 2, path=tmp_path / "w")
    params, cell, known = rnn.checkpoint.load(tmp_path / "w")
    rnn.checkpoint.save(tmp_path / "w", params, cell, **{**known, "step": 5})
    with pytest.raises(CheckpointError, match="step 5 after 2 losses"):
        rnn.Fit.load(tmp_path / "w")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: rnn.fit(rnn.GRUCell, DATA, 1), "fit: the first argument is a cell, such as"),
        (lambda: rnn.fit(CELL, XS, 1), "fit: data gives a batch (xs, *targets), a tuple of two or"),
        (lambda: rnn.fit(CELL, DATA, -1), "fit: steps must be a whole number ≥ 0, got -1"),
        (lambda: rnn.fit(CELL, DATA, 1, every=0), "fit: every must be a whole number ≥ 1, got 0"),
        (lambda: rnn.fit(CELL, DATA, 1, seed=-1), "fit: seed must be a whole number ≥ 0, got -1"),
        (
            lambda: rnn.fit(rnn.Dense(1, 1), DATA, 1, start=rnn.fit(CELL, DATA, 0)),
            "fit: start is a fit of Stack(",
        ),
        (
            lambda: rnn.fit(CELL, DATA, 1, start=rnn.fit(CELL, DATA, 0, optimiser=rnn.SGD())),
            "another optimiser or cell made this run: moments.mean.layer1.W_hn is missing",
        ),
        (
            lambda: rnn.fit(CELL, DATA, 1, start=rnn.fit(CELL, DATA, 0), dtype=np.float32),
            "fit: start is a fit in float64 and goes on in it, not in float32; start=fit.params",
        ),
        (
            lambda: rnn.minibatches(XS, XS[:, :3], batch=2),
            "minibatches: arrays of shapes (5, 12, 1), (5, 3, 1); all need the same number",
        ),
        (
            lambda: rnn.minibatches(XS, batch=13),
            "minibatches: batch must be a whole number from 1 to 12, got 13",
        ),
    ],
)
def test_what_cannot_be_fitted_is_told(call: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError, ShapeError), match=re.escape(told)):
        call()
