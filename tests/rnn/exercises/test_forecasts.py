"""Forecasts read what they said; naive and seasonal naive ones are the textbook's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rnn
from rnn.data.series import AIRLINE
from rnn.exercises import forecasts


def test_each_value_is_read_before_the_next_is_said() -> None:
    """Of a network that adds what is known of the step to the value it reads."""
    cell, params = rnn.Dense(2, 1), {"W": np.ones((2, 1)), "b": np.zeros(1)}
    xs = np.array([[[5.0, 1.0]]])
    known = np.array([[[2.0]], [[3.0]], [[9.0]]])
    assert forecasts.forecast(cell, params, xs, known)[:, 0].tolist() == [6.0, 8.0, 11.0]


def test_naive_forecasts_are_the_last_value_and_the_one_a_season_before() -> None:
    past = np.tile([1.0, 2.0, 4.0], 4)[:, None]
    future = np.array([[1.0], [2.0], [4.0], [1.0]])
    lesson = forecasts.compared(
        lambda rng: (), past[..., None], np.zeros((4, 1, 0)), past, future, season=5
    )
    naive, seasonal = (lesson.baselines[name] for name in ("naive", "seasonal naive"))
    assert naive == {"error, next step": 3.0, "error, 4 steps": np.sqrt((9 + 4 + 0 + 9) / 4)}
    assert set(seasonal.values()) == {0.0}


def test_the_airline_asks_for_what_was_not_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that knew the changes would be right; learnt are the months up to 1958."""
    lesson = forecasts.airline()
    xs, targets = lesson.batch(np.random.default_rng(0))
    assert len(targets) == 118
    np.testing.assert_allclose(AIRLINE[1] * np.exp(targets[:, 0, 0].cumsum() / 10), AIRLINE[2:120])
    np.testing.assert_allclose(xs[1:, 0, 0], targets[:-1, 0, 0])
    assert (xs[:, 0, 1:].argmax(-1) == np.arange(2, 120) % 12).all()
    change = 10 * np.diff(np.log(AIRLINE))
    right: Any = np.stack([change[o : o + 12] for o in range(119, 132)], 1)
    monkeypatch.setattr(forecasts, "forecast", lambda *args: right)
    assert max(lesson.judge(rnn.Dense(13, 1), {}).values()) < 1e-9
    seasonal = np.sqrt(np.square(AIRLINE[120:133] - AIRLINE[108:121]).mean())
    assert lesson.baselines["seasonal naive"]["error, next step (thousands)"] == pytest.approx(
        seasonal
    )
