"""The classics: what must be remembered is known exactly, and so is the figure without memory."""

from __future__ import annotations

from functools import partial

import numpy as np

from minigrad.core import Array
from rnn.cell import Cell
from rnn.data import reber, toys
from rnn.exercises.exercise import HELD_OUT, Lesson, Named
from rnn.losses import binary_cross_entropy, cross_entropy, mse
from rnn.params import Params
from rnn.run import run
from rnn.tasks import many_to_one, perform

BATCH = 32


def adding(steps: int = 50) -> Lesson:
    """Two numbers of fifty are marked; their sum is asked for at the end.

    Always answering 1 has mean squared error 1/6.
    """
    predict = partial(perform, many_to_one(steps))

    def batch(rng: np.random.Generator, size: int = BATCH) -> tuple[Array, Array]:
        xs, targets = toys.adding(rng, steps, size)
        return xs, targets[None]

    xs, targets = batch(np.random.default_rng(HELD_OUT), 500)

    def judge(cell: Cell, params: Params) -> Named:
        return {"mean squared error": float(mse(predict(cell, params, xs)[0], targets))}

    def sample(cell: Cell, params: Params) -> str:
        ys = predict(cell, params, xs[:, :3])[0][0, :, 0]
        lines = []
        for b, y in enumerate(ys):
            first, second = xs[:, b, 0][xs[:, b, 1] > 0]
            lines.append(f"{first:.2f} + {second:.2f} = {first + second:.2f}, answered {y:.2f}")
        return "\n".join(lines)

    baselines = {"always 1": {"mean squared error": 1 / 6}}
    return Lesson(2, 1, batch, judge, baselines, sample, mse, predict)


def copy(blanks: int = 10, length: int = 10, symbols: int = 8) -> Lesson:
    """Ten symbols, a silence, a bell: then they are to be said again."""

    def batch(rng: np.random.Generator, size: int = BATCH) -> tuple[Array, Array]:
        return toys.copy_memory(rng, blanks, size, symbols, length)

    xs, targets = batch(np.random.default_rng(HELD_OUT), 500)
    name = "nats a step"

    def judge(cell: Cell, params: Params) -> Named:
        return {name: float(cross_entropy(run(cell, params, xs)[0], targets))}

    def sample(cell: Cell, params: Params) -> str:
        said = run(cell, params, xs[:, :3])[0].argmax(-1)
        return "\n".join(
            f"{written(xs[:, b])}, answered {written(said[-length:, b])}" for b in range(3)
        )

    def written(classes: Array) -> str:
        return "".join("·12345678!"[k] for k in classes)

    memoryless = length * np.log(symbols) / (blanks + 2 * length)
    baselines = {"10 ln 8 / (T + 20), without memory": {name: float(memoryless)}}
    return Lesson(symbols + 2, symbols + 2, batch, judge, baselines, sample)


def parity(steps: int = 20) -> Lesson:
    """Whether the number of ones so far is odd, at every step; judged on twice as many steps."""

    def batch(
        rng: np.random.Generator, size: int = BATCH, steps: int = steps
    ) -> tuple[Array, Array]:
        return toys.parity(rng, steps, size)

    xs, targets = batch(np.random.default_rng(HELD_OUT), 500, 2 * steps)
    name = "steps right, twice as long"

    def judge(cell: Cell, params: Params) -> Named:
        return {name: float(((run(cell, params, xs)[0] > 0) == (targets > 0)).mean())}

    def sample(cell: Cell, params: Params) -> str:
        said = run(cell, params, xs[:, :1])[0] > 0
        rows = ("bits", xs[:, 0]), ("odd", targets[:, 0]), ("said", said[:, 0])
        return "\n".join(
            f"{what:4} {''.join(str(int(v)) for v in row[:, 0])}" for what, row in rows
        )

    baselines = {"a coin": {name: 0.5}}
    return Lesson(1, 1, batch, judge, baselines, sample, binary_cross_entropy)


def embedded_reber(steps: int = 32) -> Lesson:
    """The second symbol decides the last but one, whatever grammar stands between them."""

    def batch(rng: np.random.Generator, size: int = BATCH) -> tuple[Array, Array, Array]:
        return reber.strings(rng, steps, size)

    xs, targets, mask = batch(np.random.default_rng(HELD_OUT), 500)
    legal = reber.successors(xs)
    name = "strings right"

    def judge(cell: Cell, params: Params) -> Named:
        ys = run(cell, params, xs)[0]
        # Right is a step at which each symbol that may follow is likelier than all that may not.
        worst = np.where(legal, ys, np.inf).min(-1)
        best = np.where(legal, -np.inf, ys).max(-1)
        return {name: float(((worst > best) | ~mask).all(0).mean())}

    def sample(cell: Cell, params: Params) -> str:
        ys = run(cell, params, xs[:, :3])[0]
        lines = []
        for b in range(3):
            end = int(mask[:, b].sum())
            text = reber.written(xs[:end, b])
            asked, other = targets[end - 2, b], {3, 4} - {targets[end - 2, b]}
            sure = ys[end - 2, b, asked] - ys[end - 2, b, other.pop()]
            lines.append(
                f"{text}: after it {reber.SYMBOLS[asked]} must follow, "
                f"{np.exp(min(sure, 50.0)):.3g} times as likely as the other"
            )
        return "\n".join(lines)

    baselines = {"the grammar, without memory of the second symbol": {name: 0.5}}
    return Lesson(7, 7, batch, judge, baselines, sample)
