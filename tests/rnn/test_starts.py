"""What a training step begins with is learnt, drawn and carried, each in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.starts import begun, drawn, handed
from rnn.text.train import train
from rnn.text.training import Recipe, Training

XS = np.random.default_rng(0).normal(size=(5, 12, 1))
DATA = (XS, XS.cumsum(0) / 5)
BATCHES = rnn.minibatches(*DATA, batch=4, seed=2)
TEXT = "the cat sat on the mat; the hen sat on the cat. " * 12


def network(inputs: int, outputs: int) -> rnn.Cell:
    """A start that is learnt between two layers of masks, and a mask inside of a wrapper."""
    zoned = rnn.Zoneout(rnn.LSTMCell(5, 4), rate=0.3, steps=3)
    return rnn.Stack([
        rnn.LearnedStart(rnn.GRUCell(inputs, 5)), rnn.Dropout(5, 0.4), zoned, rnn.Dense(4, outputs)
    ])  # fmt: skip


def by_hand(cell: rnn.Cell, steps: int, carry: bool) -> tuple[Any, list[float]]:
    """Eager steps, each with a start of its own made by `cell.start`."""
    params, sgd, losses, last = cell.init(7), rnn.SGD(0.2), [], None
    moments = sgd.init(params)
    is_mask = [isinstance(edge, rnn.wrappers.noise.Mask) for edge in flatten(cell.edges())[0]]
    for k in range(steps):
        xs, targets = BATCHES(k)

        def loss(p: Any, k: int = k, xs: Any = xs, targets: Any = targets, last: Any = last) -> Any:
            own, tree = flatten(cell.start(4, float, p, np.random.default_rng([7, k, 1])))
            if last is not None:
                before = flatten(last)[0]
                own = [o if m else b for o, m, b in zip(own, is_mask, before, strict=True)]
            ys, state = rnn.run(cell, p, xs, tree.unflatten(own))
            return rnn.mse(ys, targets), state

        (value, state), grads = mg.value_and_grad(loss, has_aux=True)(params)
        params, moments = sgd.update(params, rnn.clip_by_global_norm(grads, 0.5)[0], moments)
        last = tree_map(np.asarray, state) if carry else None
        losses.append(float(value))
    return params, losses


@pytest.mark.parametrize("carry", [False, True])
def test_a_fit_learns_starts_and_draws_masks_as_the_loop_by_hand_does(carry: bool) -> None:
    cell = network(1, 1)
    wanted, losses = by_hand(cell, 5, carry)
    found = rnn.fit(cell, BATCHES, 5, carry=carry, optimiser=rnn.SGD(0.2), limit=0.5, seed=7)
    np.testing.assert_allclose(found.history.loss, losses, rtol=1e-12)
    for a, b in zip(flatten(found.params)[0], flatten(wanted)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert np.all(found.params.layer1.h_0)


def test_a_fit_draws_the_masks_of_an_encoder_and_a_decoder() -> None:
    """Each has its own, another number of them, and hands on what is no mask."""
    encoder = rnn.Stack([rnn.Dropout(1, 0.4), rnn.LearnedStart(rnn.GRUCell(1, 3))])
    decoder = rnn.Stack([rnn.Zoneout(rnn.GRUCell(2, 3), 0.3, 4), rnn.Dropout(3, 0.5),
                         rnn.Dense(3, 2)])  # fmt: skip
    pair, xs = rnn.EncoderDecoder(encoder, decoder), XS[:, :4]

    def predict(cell: Any, params: Any, xs: Any, state: Any) -> Any:
        return rnn.encode_decode(cell.encoder, cell.decoder, params, xs, 3, state=state)

    def loss(params: Any, seed: int) -> Any:
        masks, zoned = pair.start(4, float, params, np.random.default_rng([seed, 0, 1]))
        _, (_, (h,)) = rnn.run(encoder, params["encoder"], xs, masks)
        (_, d_h), m, dense = zoned
        nothing = np.zeros((1, 4, 2))
        start = ((h, d_h), m, dense)
        ys, _ = rnn.perform(rnn.one_to_many(3), decoder, params["decoder"], nothing, start)
        return rnn.mse(ys, np.ones((3, 4, 2)))

    params = tree_map(lambda w: w + 0.1, pair.init(0))
    for seed in (1, 2):
        fit = rnn.fit(pair, (xs, np.ones((3, 4, 2))), 1, predict=predict, start=params, seed=seed,
                      optimiser=rnn.SGD(1.0), limit=1e9)  # fmt: skip
        value, wanted = mg.value_and_grad(lambda p, seed=seed: loss(p, seed))(params)
        np.testing.assert_allclose(fit.history.loss, [value], rtol=1e-12)
        moved = tree_map(lambda a, b: a - b, params, fit.params)
        for a, b in zip(flatten(moved)[0], flatten(wanted)[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10)
    assert loss(params, 1) != loss(params, 2)


def test_a_fit_with_masks_goes_on_bit_for_bit(tmp_path: Path) -> None:
    def go(steps: int, **more: Any) -> list[bytes]:
        fit = rnn.fit(network(1, 1), BATCHES, steps, seed=3, path=tmp_path / "fit", **more)
        return [np.asarray(x).tobytes() for x in flatten([fit.params, fit.history.loss])[0]]

    whole = go(6)
    go(4)
    assert go(6, start=rnn.Fit.load(tmp_path / "fit")) == whole


def text_run(steps: int, start: Training | None = None, **more: Any) -> Training:
    symbols = len(set(TEXT))
    begin = Training.start(network(symbols, symbols), TEXT, Recipe(4, 8, 0.02), seed=3)
    return train(begin if start is None else start, TEXT, steps, **more)


def test_a_text_is_trained_on_masks_and_from_a_start_that_is_learnt() -> None:
    """The start is moved by the first window; each window after it has masks of its own."""
    first, second = text_run(1), text_run(2)
    assert np.all(first.params.layer1.h_0)
    masks = [np.concatenate([x.ravel() for x in flatten(r.state[1:3])[0]]) for r in (first, second)]
    dropped = [set(np.unique(run.state[1][0])) for run in (first, second)]
    assert dropped == [{np.float32(0), np.float32(1 / 0.6)}] * 2
    assert not np.array_equal(*masks)


def test_a_text_with_masks_goes_on_bit_for_bit_over_the_end_of_the_text(tmp_path: Path) -> None:
    def bits(run: Training) -> list[bytes]:
        return [np.asarray(x).tobytes() for x in flatten([run.params, run.state])[0]]

    whole = text_run(20)
    text_run(14, path=tmp_path / "run")
    assert bits(text_run(20, Training.load(tmp_path / "run"))) == bits(whole)


def test_what_is_judged_begins_with_what_was_learnt_and_drops_nothing() -> None:
    cell = network(1, 1)
    params = tree_map(lambda w: w + 0.1, cell.init(0))
    assert handed(rnn.GRUCell(1, 5), params, XS, None, 0, 0) is None
    start = begun(cell, params, handed(cell, params, XS, None, 0, 0))
    wanted = cell.start(12, float, params, drawn(0, 0))
    for a, b in zip(flatten(start)[0], flatten(wanted)[0], strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(rnn.run(cell, params, XS)[0], rnn.run(cell, params, XS, start)[0])
