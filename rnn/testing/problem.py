"""A cell with weights, a sequence and a start state, and what two of its runs may differ by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Tensor
from minigrad.testing.laws import Broken, farthest
from minigrad.testing.numeric import place
from minigrad.testing.rounding import EPSILON
from minigrad.tree import flatten, tree_map
from rnn.cell import Cell
from rnn.run import run


class DoesNotApply(Exception):
    """A law is about something that a cell does not have.

    >>> import rnn
    >>> rnn.testing.assert_law("saturation", rnn.GRUCell(2, 3))
    Traceback (most recent call last):
    rnn.testing.problem.DoesNotApply: it has no gates f, i, o and memory C
    """


@dataclass
class Problem:
    """A cell on a sequence.

    Attributes:
        cell: any.
        params: as `cell.init` gives them.
        xs: `(T, B, X)`.
        start: as `cell.start` gives it.
    """

    cell: Cell
    params: Any
    xs: Any
    start: Any

    @property
    def steps(self) -> int:
        """T."""
        return len(self.xs)

    def run(self, lengths: Any = None, unfolded: bool = False) -> Any:
        """Outputs and last state, as arrays."""
        found = run(self.cell, self.params, self.xs, self.start, lengths, unfolded)
        return tree_map(lambda x: x.data if type(x) is Tensor else x, found)

    def loss(self, lengths: Any = None, unfolded: bool = False) -> Any:
        """A function of params, xs and start that every result takes part in."""

        def total(params: Any, xs: Any, start: Any) -> Any:
            ys, state = run(self.cell, params, xs, start, lengths, unfolded)
            return weigh(ys, state)

        return total

    def gradients(self, lengths: Any = None, unfolded: bool = False) -> Any:
        """By params, xs and start."""
        loss = self.loss(lengths, unfolded)
        return mg.grad(loss, wrt=(0, 1, 2))(self.params, self.xs, self.start)

    def roundings(self) -> int:
        """Operations on the longest path from an input to a loss and back, sums by terms."""
        T, B = self.xs.shape[:2]
        return int(2 * (T + 1) * (B + len(self.cell.folded(B).step) * 8))


def weigh(ys: Any, state: Any) -> Any:
    """A number that every entry of outputs and states takes part in, each in its own way."""
    total = mg.sum(mg.sin(ys))
    for k, s in enumerate(flatten(state)[0]):
        total = total + mg.sum(mg.sin((k + 2.0) * s))
    return total


def problem(cell: Cell, steps: int, batch: int, seed: int) -> Problem:
    """Weights near their first values, every bias off zero, a start state that is not zero.

    >>> import rnn
    >>> q = problem(rnn.LSTMCell(3, 4), steps=5, batch=2, seed=0)
    >>> ys, (h, C) = q.run()
    >>> ys.shape, C.shape, float(q.loss()(q.params, q.xs, q.start)) == 0
    ((5, 2, 4), (2, 4), False)
    """
    rng = np.random.default_rng(seed)
    params = tree_map(lambda w: w + 0.125 * rng.normal(size=w.shape), cell.init(rng))
    start = tree_map(lambda s: 0.25 * rng.normal(size=s.shape), cell.start(batch))
    return Problem(cell, params, rng.normal(size=(steps, batch, cell.inputs)), start)


def agree(found: Any, wanted: Any, what: str, roundings: float = 0) -> None:
    """Raise `Broken` unless two structures agree to that many roundings of their largest entry."""
    (left, tree), (right, other) = flatten(found), flatten(wanted)
    if tree.paths() != other.paths():
        raise Broken(f"{what}: {tree.paths()} and {other.paths()}")
    for path, x, y in zip(tree.paths(), left, right, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        if x.shape != y.shape:
            raise Broken(f"{what}: {path} has shapes {x.shape} and {y.shape}")
        allowed = roundings * EPSILON * max(1.0, float(np.max(np.abs(y), initial=0.0)))
        at = farthest(x, y, allowed)
        if at is not None:
            raise Broken(
                f"{what}: {path}{place(at)} is {x[at]:.10g}, wanted {y[at]:.10g}; "
                f"apart by {abs(x[at] - y[at]):.2g}, allowed {allowed:.2g}"
            )


# --- laws ----------------------------------------------------------------------------------------

Law = Callable[[Cell, int], None]


def entry(table: dict[str, Law]) -> Callable[[str], Callable[[Law], Law]]:
    """A decorator that enters a function into a table of laws, by the law's name."""
    return lambda name: lambda function: table.setdefault(name, function)


def causal(cell: Cell) -> None:
    """Go on only if no edge runs against time."""
    if any(edge.delay < 0 for edge in flatten(cell.edges())[0]):
        raise DoesNotApply("an edge runs against time")


def shapes_of(seed: int) -> tuple[int, int]:
    """A number of steps and of samples."""
    rng = np.random.default_rng(seed)
    return int(rng.integers(3, 6)), int(rng.integers(2, 4))
