"""Numbers are said as English has it, and those that are asked for were never trained on."""

from __future__ import annotations

import numpy as np
import pytest

import rnn
from rnn.exercises import numbers
from rnn.exercises.numbers import DIGITS, LETTERS, WORDS, said


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"), (13, "thirteen"), (20, "twenty"), (99, "ninety-nine"), (100, "one hundred"),
        (110, "one hundred ten"), (405, "four hundred five"), (783, "seven hundred eighty-three"),
    ],
)  # fmt: skip
def test_a_number_in_words(number: int, words: str) -> None:
    assert said(number) == words


def test_all_numbers_have_words_of_their_own() -> None:
    assert len(set(WORDS)) == 1000


def test_a_batch_is_a_number_and_then_the_letters_before() -> None:
    lesson = numbers.numbers()
    xs, targets = lesson.batch(np.random.default_rng(0))
    digits = xs[0, :, :DIGITS].reshape(-1, 3, 10).argmax(-1) @ [100, 10, 1]
    for b, number in enumerate(digits):
        assert LETTERS.decode(targets[:, b]).rstrip() == WORDS[number]
    assert (xs[1:, :, DIGITS:].argmax(-1) == targets[:-1]).all()
    assert (xs[1:].sum(-1) == 1).all()
    assert (xs[0].sum(-1) == 3).all()
    everything = [lesson.batch(np.random.default_rng(k))[0][0] for k in range(40)]
    trained = {tuple(row[:DIGITS]) for part in everything for row in part}
    assert len(trained) <= 800


def test_what_is_written_is_judged_number_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = numbers.numbers()
    asked = np.random.default_rng(numbers.HELD_OUT).permutation(1000)[:200]
    right = numbers.TEXTS[asked].T.copy()
    right[:, 0] = LETTERS.encode(" ")[0]

    def write(cell: object, params: object, logits: object, *rest: object) -> tuple[object, ...]:
        return tuple(right)

    monkeypatch.setattr(numbers, "greedy", write)
    cell = rnn.Stack([rnn.GRUCell(lesson.inputs, 2), rnn.Dense(2, lesson.outputs)])
    assert lesson.judge(cell, cell.init(0))["numbers right"] == 199 / 200
