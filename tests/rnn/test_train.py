"""A training run is a value: it can be stopped, saved and continued without a trace."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.characters import CELLS, character_model, held_out_bits, loss_function
from rnn.data.text import Streams
from rnn.train import Recipe, Training, advance, train

TEXT = "the cat sat on the mat; the hen sat on the cat. " * 12
RECIPE = Recipe(batch=4, length=8, rate=0.02)


def begin(kind: str = "lstm", dtype: Any = np.float64, **changes: Any) -> Training:
    cell = character_model(kind, len(set(TEXT)), hidden=6, layers=2)
    return Training.start(cell, TEXT, replace(RECIPE, **changes), seed=3, dtype=dtype)


def bits(training: Training) -> list[bytes]:
    """Everything that a run depends on, bit for bit."""
    leaves = flatten([training.params, training.moments, training.state, training.step])[0]
    return [np.asarray(leaf).tobytes() for leaf in leaves]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_resumed_run_goes_on_bit_for_bit(kind: str, dtype: Any, tmp_path: Path) -> None:
    windows = len(Streams(np.zeros(len(TEXT) * 9 // 10), RECIPE.batch, RECIPE.length))
    there, stop = windows + 3, windows - 2  # on both sides of the text's end
    whole = train(begin(kind, dtype), TEXT, there)
    train(begin(kind, dtype), TEXT, stop, tmp_path / "run")
    saved = Training.load(tmp_path / "run")
    assert saved.step == stop
    resumed = train(saved, TEXT, there)
    assert bits(resumed) == bits(whole)
    assert (resumed.recipe, resumed.cell, resumed.vocabulary) == (
        (whole.recipe, whole.cell, whole.vocabulary)
    )


def test_training_changes_nothing_it_was_given() -> None:
    start = begin()
    before = bits(start)
    assert bits(train(start, TEXT, 3)) == bits(train(start, TEXT, 3))
    assert bits(start) == before


def test_a_network_learns_the_text() -> None:
    start = begin()
    end = train(start, TEXT, 120)
    classes = end.vocabulary.encode(TEXT)
    before, after = (held_out_bits(r.cell, r.params, classes, 4, 8) for r in (start, end))
    assert after < before / 2


def test_a_step_is_the_gradient_of_its_window_cut_at_the_window_before() -> None:
    """Truncated BPTT: values go on across the edge of a window, gradients do not."""
    training = begin(rate=0.0, limit=1e9)
    streams = Streams(training.vocabulary.encode(TEXT), RECIPE.batch, RECIPE.length)
    seen: list[Any] = []

    def gradient(*args: Any) -> Any:
        seen.append(mg.value_and_grad(loss_function(training.cell), has_aux=True)(*args))
        return seen[-1]

    for _ in range(2):
        training, _ = advance(training, gradient, streams)
    xs, targets = (np.concatenate(part) for part in zip(streams[0], streams[1], strict=True))

    def second_half(params: Any) -> Any:
        _, state = rnn.run(training.cell, params, xs[: RECIPE.length])
        logits, _ = rnn.run(training.cell, params, xs[RECIPE.length :], tree_map(mg.detach, state))
        return rnn.cross_entropy(logits, targets[RECIPE.length :])

    value, wanted = mg.value_and_grad(second_half)(training.params)
    (loss, _), grads = seen[1]
    np.testing.assert_allclose(loss, value, rtol=1e-12)
    for a, b in zip(flatten(grads)[0], flatten(wanted)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


# --- Ctrl-C --------------------------------------------------------------------------------------


def test_ctrl_c_finishes_the_step_and_saves(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def press(training: Training, figures: Any, bits: float) -> None:
        seen.append(training.step)
        signal.raise_signal(signal.SIGINT)

    stopped = train(begin(), TEXT, 50, tmp_path / "run", every=5, report=press)
    assert seen == [5]
    assert stopped.step == 5
    assert bits(Training.load(tmp_path / "run")) == bits(stopped) == bits(train(begin(), TEXT, 5))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)

    def press_twice(*args: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(begin(), TEXT, 50, every=1, report=press_twice)
    assert signal.getsignal(signal.SIGINT) is before


def test_training_works_where_no_signals_arrive() -> None:
    done: list[Training] = []
    thread = threading.Thread(target=lambda: done.append(train(begin(), TEXT, 2)))
    thread.start()
    thread.join()
    assert done[0].step == 2


# --- what goes wrong -----------------------------------------------------------------------------


def test_another_text_is_refused() -> None:
    with pytest.raises(ValueError, match="this is not the text the run was started with"):
        train(begin(), TEXT + "!", 3)


def test_a_text_too_short_for_the_recipe_says_what_would_fit() -> None:
    with pytest.raises(ValueError, match="100 readers of 8 steps need 801; make batch or length"):
        train(begin(batch=100), TEXT, 3)


def test_a_loss_that_is_not_finite_is_told_and_the_saved_run_is_kept(tmp_path: Path) -> None:
    wild = begin(rate=1e308)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=r"at step \d the loss is nan .* than 1e\+308 may"),
    ):
        train(wild, TEXT, 9, tmp_path / "run")
    assert bits(Training.load(tmp_path / "run")) == bits(wild)


def test_weights_alone_are_no_run(tmp_path: Path) -> None:
    cell = rnn.Dense(2, 2)
    rnn.checkpoint.save(tmp_path / "w", cell.init(), cell)
    with pytest.raises(ValueError, match="holds weights, but no training run to go on with"):
        Training.load(tmp_path / "w")


def test_a_cell_of_another_width_than_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="the text has 3 characters, but Stack takes 5"):
        Training.start(character_model("rnn", 5, 5), "abc", RECIPE)


def test_without_tqdm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"progress of training needs tqdm: pip install"):
        train(begin(), TEXT, 1)
