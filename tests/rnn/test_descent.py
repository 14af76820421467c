"""One step of any optimiser, and what no step would have made; the loop is tested by its users.

Interruptions, saving and numbers that are not finite: `tests/rnn/text/test_train.py` and
`tests/rnn/test_fit.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnn
from rnn.descent import Figures, advance, check_standing, descend

CELL = rnn.Dense(2, 1)


def begin() -> rnn.Fit:
    params = CELL.init(0)
    return rnn.Fit(CELL, params, rnn.SGD().init(params))


def gradient(params: Any, value: float, state: Any) -> Any:
    """Of a loss that is told, with slope 3 for every parameter."""
    return (value, state), {name: np.full_like(p, 3.0) for name, p in params.items()}


def test_a_step_goes_down_the_clipped_gradient() -> None:
    start = begin()
    after, figures = advance(start, gradient, (7.0,), rnn.SGD(rate=0.5), limit=1.0)
    assert figures == Figures(7.0, pytest.approx(3 * np.sqrt(3)))
    np.testing.assert_allclose(start.params.W - after.params.W, 0.5 / np.sqrt(3))
    assert (start.step, after.step) == (0, 1)


@pytest.mark.parametrize(
    ("value", "rate", "told"),
    [
        (np.inf, 0.5, r"at step 1 the loss is inf .* a smaller rate than 0\.5 may help"),
        (np.nan, 0.5, "at step 1 the loss is nan .*; the batch itself holds NaN$"),
        (7.0, np.inf, "step 1 makes parameters that are not finite"),
    ],
)
def test_a_step_to_nowhere_is_told(value: float, rate: float, told: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=told):
        advance(begin(), gradient, (value,), rnn.SGD(rate), limit=1.0)


def test_moments_of_another_kind_shape_or_dtype_are_refused() -> None:
    wanted = {"m": np.zeros(2)}
    check_standing({"m": np.ones(2)}, (), (wanted, ()))
    for wrong, told in (
        ({"v": np.ones(2)}, "another optimiser or cell made this run: moments.m is missing"),
        ({"m": np.ones(3)}, "moments.m has another shape or dtype, or is not finite"),
        ({"m": np.ones(2, np.float32)}, "moments.m has another shape or dtype"),
        ({"m": np.array([1.0, np.nan])}, "moments.m has another shape or dtype"),
    ):
        with pytest.raises(ValueError, match=re.escape(told)):
            check_standing(wrong, (), (wanted, ()))


def test_the_loop_reports_saves_and_ends_when_it_is_enough(tmp_path: Path) -> None:
    def step(run: rnn.Fit) -> Any:
        run, figures = advance(run, gradient, (7.0,), rnn.SGD(), 1.0)
        history = run.history.stepped(*figures)
        return rnn.Fit(CELL, run.params, run.moments, None, run.step, history), figures

    seen: list[int] = []

    def report(run: rnn.Fit, figures: Figures) -> tuple[rnn.Fit, bool]:
        seen.append(run.step)
        return run, run.step >= 4

    end = descend(begin(), 9, step, report, str, tmp_path / "fit", every=2)
    assert seen == [2, 4]
    assert end.step == rnn.Fit.load(tmp_path / "fit").step == 4
