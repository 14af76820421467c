"""Batches: samples do not see each other, padding is not seen, a class is a one-hot row."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.tree import tree_map
from rnn.cell import Cell
from rnn.run import run
from rnn.testing.problem import Law, Problem, agree, entry, problem, weigh

LAWS: dict[str, Law] = {}
law = entry(LAWS)


@law("batch permutation")
def batch_permutation(cell: Cell, seed: int) -> None:
    """Samples may stand in any order, and one alone is its row of the batch."""
    q = problem(cell, 4, 3, seed)
    ys, state = q.run()
    for rows in ([2, 0, 1], [1]):
        pick: Any = lambda s, rows=rows: s[..., rows, :]
        part = Problem(cell, q.params, pick(q.xs), tree_map(pick, q.start))
        agree(part.run(), (pick(ys), tree_map(pick, state)), f"samples {rows}", q.roundings())


@law("padding")
def padding(cell: Cell, seed: int) -> None:
    """A ragged batch is its samples run alone, whatever the padding holds."""
    T, lengths = 4, [4, 0, 2]
    q = problem(cell, T, 3, seed)
    dead = np.arange(T)[:, None] >= np.array(lengths)
    dirty = Problem(cell, q.params, np.where(dead[..., None], np.nan, q.xs), q.start)
    ys, state = dirty.run(lengths)
    slopes = dirty.gradients(lengths)[1]
    for b, n in enumerate(lengths):
        row: Any = lambda s, b=b: s[..., b : b + 1, :]
        alone = Problem(cell, q.params, row(q.xs[:n]), tree_map(row, q.start))
        found = (ys[:n, b : b + 1], tree_map(row, state))
        agree(found, alone.run(), f"sample {b} of length {n}", q.roundings())
        agree(ys[n:, b], np.zeros_like(ys[n:, b]), f"outputs of sample {b} behind its end")
        agree(slopes[n:, b], np.zeros_like(slopes[n:, b]), f"gradient by padding of sample {b}")


@law("class indices = one-hot rows")
def class_indices(cell: Cell, seed: int) -> None:
    """Integers stand for rows of zeros with a one, in values and gradients."""
    q = problem(cell, 4, 2, seed)
    classes = np.random.default_rng(seed).integers(0, cell.inputs, q.xs.shape[:2])
    rows = Problem(cell, q.params, np.eye(cell.inputs)[classes], q.start)
    found = run(cell, q.params, classes, q.start)
    agree(found, rows.run(), "run on classes", q.roundings())
    loss = lambda p: weigh(*run(cell, p, classes, q.start))
    agree(mg.grad(loss)(q.params), rows.gradients()[0], "gradients", 4 * q.roundings())
