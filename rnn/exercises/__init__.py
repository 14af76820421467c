"""The modelling tasks with data, each trained by one command and ahead of its baselines."""

from __future__ import annotations

from rnn.exercises import classics, dates, digits, forecasts, numbers, reading
from rnn.exercises.exercise import Exercise, Lesson, train

ONE, MANY, TO_ONE, DELAYED, AT_ONCE = (
    "one-to-one",
    "one-to-many",
    "many-to-one",
    "many-to-many, delayed",
    "many-to-many, synchronised",
)

EXERCISES = {
    "digits": Exercise(
        ONE, "a network of one step is a network without time; hidden units see past shifts",
        digits.digits, cell="rnn", hidden=64, steps=1500,
    ),
    "numbers": Exercise(
        MANY, "what enters once is unfolded into words, letter by letter",
        numbers.numbers, hidden=96, steps=1500,
    ),
    "prose": Exercise(
        TO_ONE, "a whole sequence becomes one answer: English or Python?",
        reading.prose_or_code, steps=1500,
    ),
    "dates": Exercise(
        DELAYED, "one network reads a date and then writes it, told what was right while it learns",
        dates.one_cell_told, cell="gru", hidden=96, steps=3000, rate=0.0025,
    ),
    "dates-free": Exercise(
        DELAYED, "the same, but it reads what it wrote while it learns",
        dates.one_cell_free, cell="gru", hidden=96, steps=5000, rate=0.0025,
    ),
    "dates-pair": Exercise(
        DELAYED, "one network reads, another writes from its state (encoder and decoder)",
        dates.pair_told, hidden=96, steps=3000,
    ),
    "dates-pair-free": Exercise(
        DELAYED, "the two, but the second reads what it wrote while it learns",
        dates.pair_free, hidden=96, steps=3000,
    ),
    "tokens": Exercise(
        AT_ONCE, "what a character is depends on those before: a quote, a #, a word so far",
        reading.tokens, steps=1500,
    ),
    "sines": Exercise(
        AT_ONCE, "period and phase are found on the way and kept",
        forecasts.sines, higher=False, hidden=32, steps=3000,
    ),
    "mackey-glass": Exercise(
        AT_ONCE, "chaos can be told a little ahead",
        forecasts.chaos, higher=False, hidden=48, steps=1500,
    ),
    "airline": Exercise(
        AT_ONCE, "ten years are enough for the next twelve months",
        forecasts.airline, higher=False, hidden=6, steps=200, rate=0.01,
    ),
    "adding": Exercise(
        TO_ONE, "two numbers are carried over many steps and met at the end",
        classics.adding, higher=False, steps=1500,
    ),
    "copy": Exercise(
        DELAYED, "symbols are held through a silence, all of them at once",
        classics.copy, higher=False, hidden=96, steps=3000,
    ),
    "parity": Exercise(
        AT_ONCE, "one bit is kept without a slip, and for longer than was trained",
        classics.parity, hidden=16, steps=1500, rate=0.01,
    ),
    "reber": Exercise(
        AT_ONCE, "a symbol is kept while a grammar goes on between",
        classics.embedded_reber, hidden=24, steps=1500, rate=0.01,
    ),
}  # fmt: skip
"""By name, those of one step first."""

__all__ = ["EXERCISES", "Exercise", "Lesson", "train"]
