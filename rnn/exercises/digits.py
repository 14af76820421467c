"""Digits as pictures of nine by seven points, set anywhere, some points turned over."""

from __future__ import annotations

import numpy as np

from minigrad.core import Array
from rnn.cell import Cell
from rnn.exercises.exercise import HELD_OUT, Lesson, Named
from rnn.params import Params
from rnn.run import run

FONT = (
    " ### #   ##  ### # ###  ##   # ### ",  # rows of five points, seven of them
    "  #   ##    #    #    #    #   ### ",
    " ### #   #    #   #   #   #   #####",
    " ### #   #    #  ##     ##   # ### ",
    "   #   ##  # # #  # #####   #    # ",
    "######    ####     #    ##   # ### ",
    " ### #    #    #### #   ##   # ### ",
    "#####    #   #   #   #    #    #   ",
    " ### #   ##   # ### #   ##   # ### ",
    " ### #   ##   # ####    #    # ### ",
)
"""The digits 0 … 9, drawn by hand."""

ROWS, COLUMNS, NOISE = 9, 7, 0.05
GLYPHS = np.array([[c == "#" for c in glyph] for glyph in FONT]).reshape(10, 7, 5)


def draw(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
    """Pictures `(1, B, 63)` of 0 and 1, and their digits `(1, B)`.

    >>> xs, digits = draw(np.random.default_rng(0), 3)
    >>> xs.shape, digits.shape
    ((1, 3, 63), (1, 3))
    """
    digits = rng.integers(0, 10, size)
    top, left = rng.integers(0, ROWS - 6, size), rng.integers(0, COLUMNS - 4, size)
    pictures = rng.random((size, ROWS, COLUMNS)) < NOISE
    samples = np.arange(size)[:, None, None]
    rows = (top[:, None] + np.arange(7))[:, :, None]
    columns = (left[:, None] + np.arange(5))[:, None, :]
    pictures[samples, rows, columns] ^= GLYPHS[digits]
    return pictures.reshape(1, size, -1).astype(float), digits[None]


def digits() -> Lesson:
    """Which digit it is: a network of one step is a network without time."""

    def batch(rng: np.random.Generator) -> tuple[Array, Array]:
        return draw(rng, 32)

    xs, targets = draw(np.random.default_rng(HELD_OUT), 2000)

    def answers(cell: Cell, params: Params) -> Array:
        found: Array = run(cell, params, xs)[0].argmax(-1)
        return found

    def judge(cell: Cell, params: Params) -> Named:
        return {"digits right": float((answers(cell, params) == targets).mean())}

    def sample(cell: Cell, params: Params) -> str:
        pictures = xs[0, :6].reshape(6, ROWS, COLUMNS)
        rows = ["  ".join("".join(".#"[int(v)] for v in p[r]) for p in pictures) for r in range(9)]
        said = "  ".join(f"{k:^7}" for k in answers(cell, params)[0, :6])
        return "\n".join([*rows, said.rstrip()])

    return Lesson(ROWS * COLUMNS, 10, batch, judge, baselines(xs, targets), sample)


def baselines(xs: Array, targets: Array) -> dict[str, Named]:
    """What answers without hidden units give: the nearest mean, and the best linear map.

    Both know 5,000 pictures; the linear map is that of least squares to one-hot rows.
    """
    known, classes = draw(np.random.default_rng(HELD_OUT + 1), 5000)
    rows = np.concatenate([known[0], np.ones((5000, 1))], 1)
    asked = np.concatenate([xs[0], np.ones((xs.shape[1], 1))], 1)
    means = np.stack([known[0][classes[0] == k].mean(0) for k in range(10)])
    nearest = np.square(xs[0][:, None] - means).sum(-1).argmin(-1)
    linear = (asked @ np.linalg.lstsq(rows, np.eye(10)[classes[0]])[0]).argmax(-1)
    return {
        name: {"digits right": float((found == targets[0]).mean())}
        for name, found in (("the nearest mean", nearest), ("a linear map (Dense)", linear))
    }
