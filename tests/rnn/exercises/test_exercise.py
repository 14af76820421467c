"""Every exercise is learnt from by its own steps, from its seed alone, and judged apart from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnn
from minigrad.tree import flatten
from rnn.exercises import EXERCISES, Exercise, Lesson, train

EACH = pytest.mark.parametrize("name", EXERCISES)


def bits(fit: rnn.Fit) -> list[bytes]:
    return [leaf.tobytes() for leaf in flatten(fit.params)[0]]


@EACH
def test_an_exercise_trains_and_is_judged_by_the_names_of_its_baselines(name: str) -> None:
    exercise = EXERCISES[name]
    lesson = exercise.lesson()
    fitted = train(exercise, lesson, steps=1, hidden=4, kind="gru", seed=5)
    found = lesson.judge(fitted.cell, fitted.params)
    assert np.isfinite([*found.values()]).all()
    for figures in lesson.baselines.values():
        assert figures.keys() <= found.keys()
    assert lesson.sample(fitted.cell, fitted.params).strip()
    assert bits(fitted) == bits(train(exercise, lesson, steps=1, hidden=4, kind="gru", seed=5))
    (first, *_), (other, *_) = (
        flatten(lesson.batch(np.random.default_rng([seed, 0])))[0] for seed in (1, 2)
    )
    if lesson.is_drawn:
        assert not np.array_equal(first, other)


def test_any_cell_of_two_sizes_may_be_trained_in_layers() -> None:
    def both(inputs: int, hidden: int) -> rnn.Bidirectional:
        return rnn.Bidirectional(rnn.GRUCell(inputs, hidden))

    exercise = EXERCISES["parity"]
    fitted = train(exercise, exercise.lesson(), steps=1, kind=both, hidden=3, layers=2)
    assert [layer.inputs for layer in fitted.cell.layers] == [1, 6, 6]


def test_ahead_is_ahead_of_every_baseline_in_every_figure_known_of_it() -> None:
    lower = Exercise("", "", lambda: pytest.fail("not asked for"), higher=False)
    baselines = {"a": {"error": 2.0}, "b": {"error": 3.0, "later": 5.0}}
    for found, is_ahead in (((1.9, 4.9), True), ((2.0, 4.9), False), ((1.9, 5.1), False)):
        figures = dict(zip(("error", "later"), found, strict=True))
        assert lower.is_ahead(figures, baselines) is is_ahead
    assert Exercise("", "", lower.lesson).is_ahead({"right": 0.6}, {"coin": {"right": 0.5}})


def test_a_training_that_was_cut_goes_on_with_its_own_batches() -> None:
    exercise = EXERCISES["parity"]
    lesson: Lesson = exercise.lesson()

    def go(steps: int, **more: Any) -> rnn.Fit:
        return train(exercise, lesson, steps, seed=3, **more)

    assert bits(go(4, start=go(2))) == bits(go(4)) != bits(train(exercise, lesson, 4, seed=4))
