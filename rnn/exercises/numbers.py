"""Numbers from 0 to 999, and how they are said in English."""

from __future__ import annotations

import numpy as np

from minigrad.core import Array
from rnn.cell import Cell
from rnn.exercises.exercise import HELD_OUT, Lesson, Named
from rnn.exercises.writing import greedy, one_hot
from rnn.params import Params
from rnn.run import run
from rnn.text.vocabulary import Vocabulary

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip


def said(number: int) -> str:
    """A number below 1000 in words.

    >>> said(342), said(70), said(600)
    ('three hundred forty-two', 'seventy', 'six hundred')
    """
    if number < 20:
        return ONES[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return TENS[ten - 2] + (f"-{ONES[one]}" if one else "")
    hundred, rest = divmod(number, 100)
    return f"{ONES[hundred]} hundred" + (f" {said(rest)}" if rest else "")


WORDS = [said(number) for number in range(1000)]
LENGTH = max(map(len, WORDS)) + 1
LETTERS = Vocabulary.of("".join(WORDS) + " ")
"""The blank is among them; it fills up what is shorter than the longest."""

DIGITS = 30
TEXTS = np.array([LETTERS.encode(word.ljust(LENGTH)) for word in WORDS])


def first_row(numbers: Array) -> Array:
    """Three digits as one row `(1, B, X)`, with no letter.

    >>> np.flatnonzero(first_row(np.array([342]))).tolist()
    [3, 14, 22]
    """
    digits = np.stack([numbers // 100, numbers // 10 % 10, numbers % 10])
    row = np.concatenate(one_hot(digits, 10), -1)
    return np.concatenate([row, np.zeros((len(numbers), len(LETTERS)))], -1)[None]


def letter_rows(classes: Array) -> Array:
    """Letters `(..., B)` as rows without digits; those of one step become `(1, B, X)`."""
    rows = one_hot(np.atleast_2d(classes), len(LETTERS))
    return np.concatenate([np.zeros((*rows.shape[:-1], DIGITS)), rows], -1)


def numbers() -> Lesson:
    """A number enters once, its words come out; a fifth of the numbers is never trained on."""
    order = np.random.default_rng(HELD_OUT).permutation(1000)
    known, asked = order[200:], order[:200]

    def batch(rng: np.random.Generator) -> tuple[Array, Array]:
        chosen = rng.choice(known, 32)
        targets = TEXTS[chosen].T
        return np.concatenate([first_row(chosen), letter_rows(targets[:-1])]), targets

    def write(cell: Cell, params: Params, numbers: Array) -> Array:
        ys, state = run(cell, params, first_row(numbers))
        found = greedy(cell, params, ys[-1], state, letter_rows, LENGTH - 1)
        return np.stack(found, -1)

    def compared(found: Array) -> Named:
        right = found == TEXTS[asked]
        return {
            "numbers right": float(right.all(1).mean()), "letters right": float(right.mean())
        }  # fmt: skip

    def judge(cell: Cell, params: Params) -> Named:
        return compared(write(cell, params, asked))

    def sample(cell: Cell, params: Params) -> str:
        lines = zip(asked[:5], write(cell, params, asked[:5]), strict=True)
        return "\n".join(f"{number}: {LETTERS.decode(row).rstrip()}" for number, row in lines)

    nearest = [known[np.abs(known - number).argmin()] for number in asked]
    baselines = {"the words of the nearest number known": compared(TEXTS[nearest])}
    return Lesson(DIGITS + len(LETTERS), len(LETTERS), batch, judge, baselines, sample)
