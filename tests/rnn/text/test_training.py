"""A training run is a value: what a step makes of it, and what of it is saved and told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.checkpoint import CheckpointError
from rnn.text.characters import character_model, loss_function
from rnn.text.streams import Streams
from rnn.text.training import Recipe, Training, advance

TEXT = "the cat sat on the mat; the hen sat on the cat. " * 12
RECIPE = Recipe(batch=4, length=8, rate=0.02)


def begin(kind: str = "lstm", dtype: Any = np.float64, **changes: Any) -> Training:
    cell = character_model(kind, len(set(TEXT)), hidden=6, layers=2)
    return Training.start(cell, TEXT, replace(RECIPE, **changes), seed=3, dtype=dtype)


def bits(training: Training) -> list[bytes]:
    """Everything that a run depends on, bit for bit."""
    leaves = flatten([training.params, training.moments, training.state, training.step])[0]
    return [np.asarray(leaf).tobytes() for leaf in leaves]


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


def test_weights_alone_are_no_run(tmp_path: Path) -> None:
    cell = rnn.Dense(2, 2)
    rnn.checkpoint.save(tmp_path / "w", cell.init(), cell)
    with pytest.raises(CheckpointError, match=r"'.*w' holds weights, but no training run to go on"):
        Training.load(tmp_path / "w")


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1},
        {"step": 2.5},
        {"recipe": {"rate": -1.0}},
        {"recipe": {"tempo": 3}},
        {"recipe": None},
        {"vocabulary": "ab"},
        {"vocabulary": "aab"},
        {"vocabulary": 3},
        {"state": ()},
        {"state": begin(batch=5).state},
        {"state": begin(dtype=np.float32).state},
        {"moments": {"step": 3}},
        {"moments": begin("gru").moments},
        {"opening": "é"},
        {"opening": 5},
        {"colour": "red"},
    ],
    ids=str,
)
def test_what_is_no_run_is_told_when_it_is_loaded(change: dict[str, Any], tmp_path: Path) -> None:
    run = begin()
    run.save(tmp_path / "run")
    params, cell, known = rnn.checkpoint.load(tmp_path / "run")
    rnn.checkpoint.save(tmp_path / "run", params, cell, **{**known, **change})
    with pytest.raises(CheckpointError, match=r"run' holds weights, but no training run"):
        Training.load(tmp_path / "run")


def test_a_run_of_the_version_before_has_no_opening(tmp_path: Path) -> None:
    begin().save(tmp_path / "run")
    params, cell, known = rnn.checkpoint.load(tmp_path / "run")
    assert known.pop("opening") == "the "
    rnn.checkpoint.save(tmp_path / "run", params, cell, **known)
    assert Training.load(tmp_path / "run").opening == ""


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("Some day", "Some "),
        ("\n\n  First\nCitizen", "\n\n  First\n"),
        ("ab", "ab"),
        (" \n ", " \n "),
        ("吾輩は猫である。" * 9, ("吾輩は猫である。" * 9)[:20]),
    ],
)
def test_the_opening_is_the_first_word_of_the_text(text: str, opening: str) -> None:
    cell = character_model("rnn", len(set(text)), 3)
    assert Training.start(cell, text, RECIPE).opening == opening


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rate": -1.0}, "Recipe: rate must be a number ≥ 0 and finite, got -1.0"),
        ({"rate": np.nan}, "Recipe: rate must be a number ≥ 0 and finite, got nan"),
        ({"rate": np.inf}, "Recipe: rate must be a number ≥ 0 and finite, got inf"),
        ({"rate": "1"}, "Recipe: rate must be a number ≥ 0 and finite, got '1'"),
        ({"limit": 0.0}, "Recipe: limit must be a number > 0, got 0.0"),
        ({"limit": np.nan}, "Recipe: limit must be a number > 0, got nan"),
        ({"batch": 0}, "Recipe: batch must be a whole number ≥ 1, got 0"),
        ({"length": 2.5}, "Recipe: length must be a whole number ≥ 1, got 2.5"),
        ({"batch": True}, "Recipe: batch must be a whole number ≥ 1, got True"),
    ],
)
def test_a_recipe_out_of_range_is_told(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Recipe(**change)


def test_a_cell_of_another_width_than_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="the vocabulary has 3 characters, but Stack takes 5"):
        Training.start(character_model("rnn", 5, 5), "abc", RECIPE)
