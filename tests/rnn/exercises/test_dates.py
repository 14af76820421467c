"""Dates are what the calendar has, and both arrangements learn from both ways of being fed."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.tree import flatten
from rnn.exercises import dates
from rnn.exercises.dates import CHARACTERS, WAYS, draw, spoken


def read_again(text: str) -> datetime.date:
    """A date as Python's own parser reads it, where it can."""
    for form in ("%d %B %Y", "%B %d, %Y", "%A, %d %B %Y", "%d %b %Y", "%b %d %Y", "%d.%m.%Y",
                 "%d %B, %Y", "the %dst of %B %Y", "the %dnd of %B %Y", "the %drd of %B %Y",
                 "the %dth of %B %Y"):  # fmt: skip
        try:
            return datetime.datetime.strptime(text, form).date()
        except ValueError:
            pass
    raise AssertionError(text)


def test_a_date_in_any_way_is_that_date() -> None:
    for ordinal in range(dates.FIRST, dates.LAST, 997):
        day = datetime.date.fromordinal(ordinal)
        for way in WAYS:
            assert read_again(spoken(day, way)) == day
            assert len(spoken(day, way)) <= dates.READ


def test_what_is_asked_was_never_trained_on() -> None:
    rng = np.random.default_rng(0)
    sides = [
        {
            datetime.date.fromisoformat(CHARACTERS.decode(column)).toordinal() % 10
            for column in draw(rng, 300, asked)[1].T
        }
        for asked in (True, False)
    ]
    assert sides == [{9}, set(range(9))]


@pytest.mark.parametrize("is_pair", [False, True])
def test_told_what_it_wrote_a_network_writes_it_again(is_pair: bool) -> None:
    """Running free and being told differ in nothing but in who says what came before."""
    lesson = dates.dates(is_pair, is_told=True)
    cell = lesson.network(lambda inputs: [rnn.LSTMCell(inputs, 5)], lesson.inputs, lesson.outputs)
    params = cell.init(0)
    (read, before), _ = lesson.batch(np.random.default_rng(0))
    written = dates.write(cell, params, (read, before))
    before = np.concatenate([before[:1], dates.written(written[:-1], lesson.inputs)])
    again, _ = dates.told(cell, params, (read, before), None)
    assert (again.argmax(-1) == written).all()


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("is_told", [False, True])
def test_every_parameter_learns(is_pair: bool, is_told: bool) -> None:
    lesson = dates.dates(is_pair, is_told)
    cell = lesson.network(lambda inputs: [rnn.GRUCell(inputs, 5)], lesson.inputs, lesson.outputs)
    xs, targets = lesson.batch(np.random.default_rng(0))

    def loss(p: Any) -> Any:
        return lesson.loss(lesson.predict(cell, p, xs, None)[0], targets)

    assert all(np.any(g) for g in flatten(mg.grad(loss)(cell.init(0)))[0])


@pytest.mark.parametrize("is_told", [False, True])
def test_what_is_dropped_while_it_learns_is_heard(is_told: bool) -> None:
    lesson = dates.dates(False, is_told)
    layers = [rnn.GRUCell(lesson.inputs, 5), rnn.Dropout(5, 0.5)]
    cell = lesson.network(lambda inputs: layers, lesson.inputs, lesson.outputs)
    params = cell.init(0)
    xs, _ = lesson.batch(np.random.default_rng(0), 2)
    whole, _ = lesson.predict(cell, params, xs, None)
    state = cell.start(2, rng=0)
    assert not np.array_equal(lesson.predict(cell, params, xs, state)[0], whole)


def test_what_one_network_wrote_has_columns_of_its_own() -> None:
    """Otherwise a digit that is to be kept looks like one that is done."""
    given = dates.one_cell_told().batch(np.random.default_rng(0))[0][0]
    assert given.shape[-1] == 2 * dates.V
    assert not given[..., dates.V :].any()
    own = dates.written(np.arange(dates.V), 2 * dates.V)
    np.testing.assert_array_equal(own, np.eye(2 * dates.V)[dates.V :])
    np.testing.assert_array_equal(dates.likely(1e3 * np.eye(dates.V), 2 * dates.V), own)
