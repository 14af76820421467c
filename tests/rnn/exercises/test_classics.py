"""The classics are judged as published: what knows the answer is right, what guesses is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnn
from rnn.data import reber
from rnn.exercises import EXERCISES, train
from rnn.exercises.classics import adding, copy, embedded_reber, parity


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes networks in the classics give what a function makes of the inputs."""

    def instead(answer: Any) -> None:
        for name in ("run", "perform"):
            monkeypatch.setattr(
                f"rnn.exercises.classics.{name}", lambda *args: (answer(args[-1]), None)
            )

    return instead


def test_always_answering_one_has_the_published_error() -> None:
    lesson = adding()
    _, targets = lesson.batch(np.random.default_rng(0), 200_000)  # type: ignore[call-arg]  # its own draw takes a size
    assert targets.shape == (1, 200_000, 1)
    assert np.square(targets - 1).mean() == pytest.approx(1 / 6, rel=0.01)
    assert lesson.baselines["always 1"]["mean squared error"] == 1 / 6


def test_symbols_told_at_random_have_the_published_figure(answering: Any) -> None:
    lesson = copy()

    def best_without_memory(xs: Any) -> Any:
        logits = np.zeros((*xs.shape, 10))
        logits[..., 0] = 100.0
        logits[-10:, :, 0] = -100.0
        logits[-10:, :, 9] = -100.0
        return logits

    answering(best_without_memory)
    (figure,) = lesson.baselines.values()
    found = lesson.judge(rnn.Dense(10, 10), {})
    assert found["nats a step"] == pytest.approx(figure["nats a step"]) == 10 * np.log(8) / 30


def test_parity_is_judged_on_twice_as_many_steps(answering: Any) -> None:
    answering(lambda xs: (xs.cumsum(0) % 2) - 0.5)
    assert parity(steps=7).judge(rnn.Dense(1, 1), {}) == {"steps right, twice as long": 1.0}
    answering(lambda xs: np.ones((14, 500, 1)))
    assert parity(steps=7).judge(rnn.Dense(1, 1), {}).popitem()[1] == pytest.approx(0.5, abs=0.05)


def test_a_string_is_right_if_all_that_may_follow_is_likelier_than_all_else(
    answering: Any,
) -> None:
    answering(lambda xs: reber.successors(xs) * 1.0)
    assert embedded_reber().judge(rnn.Dense(7, 7), {}) == {"strings right": 1.0}

    def forgets(xs: Any) -> Any:
        legal = reber.successors(xs) * 1.0
        swapped = legal[..., [0, 2, 1, *range(3, 7)]]
        last = (legal[..., 1] != legal[..., 2]) & (legal.sum(-1) == 1)
        return np.where(last[..., None], swapped, legal)

    answering(forgets)
    assert embedded_reber().judge(rnn.Dense(7, 7), {}) == {"strings right": 0.0}


def test_parity_is_learnt_by_its_own_recipe() -> None:
    exercise = EXERCISES["parity"]
    lesson = exercise.lesson()
    fitted = train(exercise, lesson, steps=300)
    assert exercise.is_ahead(lesson.judge(fitted.cell, fitted.params), lesson.baselines)
    assert fitted.history.judged["steps right, twice as long"][-1] > 0.9
