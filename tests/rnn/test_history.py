"""A history says what happened, in text and as a picture."""

from __future__ import annotations

import numpy as np
import pytest

from rnn.history import History


def walked(steps: int = 6) -> History:
    history = History()
    for k in range(1, steps + 1):
        history = history.stepped(1 / k, 2 / k)
        if k % 3 == 0:
            history = history.found({"error": k / 10})
    return history


def test_what_was_judged_stands_beside_the_loss_of_its_step() -> None:
    history = walked()
    np.testing.assert_allclose(history.loss, 1 / np.arange(1, 7))
    assert history.table().rows == ((3, 1 / 3, 2 / 3, 0.3), (6, 1 / 6, 2 / 6, 0.6))
    assert str(History()).startswith("after 0 steps nothing is known")
    assert History().found({"error": 2.0}).table().rows == ((0, None, None, 2.0),)


def test_a_picture_shows_every_loss_and_what_was_judged() -> None:
    (axes,) = walked().plot().axes
    loss, error = axes.lines
    np.testing.assert_allclose(loss.get_xydata(), [(k, 1 / k) for k in range(1, 7)])
    np.testing.assert_allclose(error.get_xydata(), [(3, 0.3), (6, 0.6)])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "error"]


def test_a_judge_that_changes_its_names_is_told() -> None:
    with pytest.raises(ValueError, match="judge gave bits, before it gave error; the names must"):
        walked().found({"bits": 1.0})
