"""Dates as people write them, and as ISO 8601 has them: read the whole, then write.

One network reads and then writes, or one reads and another writes; while it learns it is told the
right characters or runs free.

Where one network does both, what it wrote has columns of its own when it reads it: a digit of the
date that was given is to be kept, one that it wrote is done, and nothing else tells them apart.
"""

from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.cell import Cell
from rnn.compose import Stack
from rnn.encoder_decoder import EncoderDecoder, encode_decode, read_whole
from rnn.exercises.exercise import HELD_OUT, Layers, Lesson, Named, stacked
from rnn.exercises.writing import greedy, one_hot
from rnn.params import Params
from rnn.run import run
from rnn.tasks import many_to_many_delayed, perform
from rnn.text.vocabulary import Vocabulary

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
DAYS = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
WAYS = (
    "{d} {month} {y}",
    "{month} {d}, {y}",
    "{day}, {d} {month} {y}",
    "the {d}{th} of {month} {y}",
    "{d} {mon} {y}",
    "{mon} {d} {y}",
    "{d}.{m}.{y}",
    "{d} {month}, {y}",
)
"""How people write a date; none can be read in two ways."""

CHARACTERS = Vocabulary.of(" ,.-0123456789abcdefghijklmnopqrstuvwxyz")
V = len(CHARACTERS)
READ, WRITTEN = 29, 10
FIRST, LAST = datetime.date(1900, 1, 1).toordinal(), datetime.date(2099, 12, 31).toordinal()


def spoken(day: datetime.date, way: str) -> str:
    """A date in one of the ways.

    >>> spoken(datetime.date(1998, 3, 3), WAYS[3])
    'the 3rd of march 1998'
    """
    th = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    month = MONTHS[day.month - 1]
    names = {"month": month, "mon": month[:3], "day": DAYS[day.weekday()]}
    return way.format(d=day.day, m=day.month, y=day.year, th=th, **names)


def draw(rng: np.random.Generator, size: int, asked: bool = False) -> tuple[Array, Array]:
    """Dates of two centuries as people write them `(29, B)`, and in ISO 8601 `(10, B)`.

    Blanks stand in front. Of every ten days in a row one is kept to be asked for.

    >>> read, written = draw(np.random.default_rng(3), 1)
    >>> CHARACTERS.decode(read[:, 0]).strip(), CHARACTERS.decode(written[:, 0])
    ('april 15, 2062', '2062-04-15')
    """
    days = rng.integers(FIRST // 10, LAST // 10, size) * 10
    days += 9 if asked else rng.integers(0, 9, size)
    read, written = [], []
    for ordinal in days:
        day = datetime.date.fromordinal(int(ordinal))
        text = spoken(day, WAYS[rng.integers(len(WAYS))])
        read.append(CHARACTERS.encode(text.rjust(READ)))
        written.append(CHARACTERS.encode(day.isoformat()))
    return np.stack(read, 1), np.stack(written, 1)


def pair(layers: Layers, inputs: int, outputs: int) -> Cell:
    """An encoder, and a decoder with a dense layer, of the same recurrent layers."""
    return EncoderDecoder(Stack(layers(inputs)), stacked(layers, inputs, outputs))


def told(cell: Cell, params: Any, xs: Any, state: Any) -> Any:
    """What a network would write at each step if all before were right."""
    read, before = xs
    if isinstance(cell, EncoderDecoder):
        start = read_whole(cell, params, read, state)
        return run(cell.decoder, params["decoder"], before, start)
    ys, state = run(cell, params, mg.concatenate([read, before[1:]]), state)
    return ys[READ - 1 :], state


def free(cell: Cell, params: Any, xs: Any, state: Any) -> Any:
    """What a network writes that reads what it wrote, as probabilities."""
    feed = partial(likely, columns=xs[0].shape[-1])
    if isinstance(cell, EncoderDecoder):
        both = cell.encoder, cell.decoder
        return encode_decode(*both, params, xs[0], WRITTEN, feed, state)
    return perform(many_to_many_delayed(READ, WRITTEN), cell, params, xs[0], state, feed)


def written(classes: Array, columns: int) -> Array:
    """Rows of characters that a network wrote, in the last of the columns it reads.

    >>> written(np.array([0]), V).argmax(), written(np.array([0]), 2 * V).argmax() == V
    (np.int64(0), np.True_)
    """
    return one_hot(classes + columns - V, columns)


def likely(logits: Any, columns: int) -> Any:
    """The rows of what is written with these logits, as probabilities."""
    p = mg.softmax(logits)
    return p if columns == V else mg.concatenate([0 * p, p], axis=-1)


def write(cell: Cell, params: Any, xs: Any) -> Array:
    """What a network writes that reads the characters it wrote: `(10, B)`."""
    if isinstance(cell, EncoderDecoder):
        state = read_whole(cell, params, xs[0])
        cell, params = cell.decoder, params["decoder"]
        ys, state = run(cell, params, xs[1][:1], state)
    else:
        ys, state = run(cell, params, xs[0])
    rows = lambda classes: written(classes, xs[0].shape[-1])[None]
    return np.stack(greedy(cell, params, ys[-1], state, rows, WRITTEN - 1))


def dates(is_pair: bool, is_told: bool) -> Lesson:
    """From a date as people write it to ISO 8601."""
    X = V if is_pair else 2 * V

    def batch(rng: np.random.Generator, size: int = 32, asked: bool = False) -> tuple[Any, Array]:
        read, right = draw(rng, size, asked)
        before = np.concatenate([np.zeros((1, size, X)), written(right[:-1], X)])
        return (one_hot(read, X), before), right

    xs, targets = batch(np.random.default_rng(HELD_OUT), 500, asked=True)

    def judge(cell: Cell, params: Params) -> Named:
        right = write(cell, params, xs) == targets
        known = told(cell, params, xs, None)[0].argmax(-1) == targets
        return {
            "dates right": float(right.all(0).mean()),
            "characters right": float(right.mean()),
            "told all before": float(known.mean()),
        }

    def sample(cell: Cell, params: Params) -> str:
        first = tuple(part[:, :5] for part in xs)
        found = write(cell, params, first)
        return "\n".join(
            f"{CHARACTERS.decode(first[0][:, b].argmax(-1)).strip():29} "
            f"{CHARACTERS.decode(found[:, b])}"
            for b in range(5)
        )

    _, known = draw(np.random.default_rng(HELD_OUT + 1), 5000)
    commonest = np.array([np.bincount(row).argmax() for row in known])[:, None]
    right = commonest == targets
    guessed = {
        "dates right": float(right.all(0).mean()), "characters right": float(right.mean())
    }  # fmt: skip
    return Lesson(
        X, V, batch, judge, {"the commonest character of each place": guessed}, sample,
        predict=told if is_told else free, network=pair if is_pair else stacked,
    )  # fmt: skip


one_cell_told = partial(dates, is_pair=False, is_told=True)
one_cell_free = partial(dates, is_pair=False, is_told=False)
pair_told = partial(dates, is_pair=True, is_told=True)
pair_free = partial(dates, is_pair=True, is_told=False)
