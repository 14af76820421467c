"""The five modelling tasks as patterns: when inputs enter, outputs leave, and outputs are fed back.

One-to-one, one-to-many, many-to-one, and many-to-many, delayed or synchronised, differ in nothing
but these three rows of flags. Feeding outputs back is a delayed edge like any other, from y to x,
so it belongs to the graph: `rnn.feedback` has the cell with that edge.
Source: Karpathy, The unreasonable effectiveness of recurrent neural networks (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Tensor
from minigrad.errors import ShapeError
from minigrad.show import picture
from minigrad.tree import flatten
from rnn.cell import Cell
from rnn.feedback import Feedback, identity
from rnn.run import run

Flags = tuple[bool, ...]


@dataclass(frozen=True)
class Task:
    """At which of the steps 1 … T something enters, leaves, or is fed back.

    Attributes:
        name: of the pattern.
        enters: whether an input enters at each step; zeros stand where nothing does.
        leaves: whether an output leaves; what leaves is what a loss sees.
        feeds: whether the output of the step before is the input.

    >>> print(many_to_many_delayed(inputs=3, outputs=3))
    many-to-many, delayed
      outputs  · · o o o
      inputs   x x x y y
    """

    name: str
    enters: Flags
    leaves: Flags
    feeds: Flags

    _repr_svg_ = picture

    def __post_init__(self) -> None:
        if not len(self.enters) == len(self.leaves) == len(self.feeds) > 0:
            raise ValueError(
                f"task {self.name}: {len(self.enters)}, {len(self.leaves)} and {len(self.feeds)} "
                "flags; enters, leaves and feeds need one for each step, and there is a first step"
            )
        if self.feeds[0]:
            raise ValueError(f"task {self.name}: nothing can be fed back at t = 1")
        both = [
            t for t, (x, y) in enumerate(zip(self.enters, self.feeds, strict=True), 1) if x and y
        ]
        if both:
            raise ValueError(
                f"task {self.name}: at t = {both[0]} an input and an output would enter"
            )
        if not any(self.leaves):
            raise ValueError(f"task {self.name}: no output leaves, so there is nothing to learn")

    @property
    def steps(self) -> int:
        """The number of steps T."""
        return len(self.enters)

    @property
    def mask(self) -> Any:
        """The loss mask that the pattern implies for outputs of all steps, `(T,)`."""
        return np.array(self.leaves)

    def __str__(self) -> str:
        sources = zip(self.enters, self.feeds, strict=True)
        return "\n".join(
            [
                self.name,
                "  outputs  " + " ".join("o" if out else "·" for out in self.leaves),
                "  inputs   " + " ".join("x" if x else "y" if y else "·" for x, y in sources),
            ]
        )


# --- the five -----------------------------------------------------------------------------------


def one_to_one() -> Task:
    """One input, one output: a network without time."""
    return Task("one-to-one", (True,), (True,), (False,))


def one_to_many(steps: int) -> Task:
    """One input at the first step, an output at every step, each fed back into the next."""
    later = steps - 1
    return Task("one-to-many", (True, *[False] * later), (True,) * steps, (False, *[True] * later))


def many_to_one(steps: int) -> Task:
    """An input at every step, one output at the last."""
    return Task("many-to-one", (True,) * steps, (*[False] * (steps - 1), True), (False,) * steps)


def many_to_many_delayed(inputs: int, outputs: int) -> Task:
    """Inputs first; outputs from the last input on, each fed back. T = inputs + outputs − 1."""
    before, after = inputs - 1, outputs - 1
    return Task(
        "many-to-many, delayed",
        (*[True] * inputs, *[False] * after),
        (*[False] * before, *[True] * outputs),
        (*[False] * inputs, *[True] * after),
    )


def many_to_many_synchronised(steps: int) -> Task:
    """An input and an output at every step."""
    return Task("many-to-many, synchronised", (True,) * steps, (True,) * steps, (False,) * steps)


# --- running --------------------------------------------------------------------------------------


def perform(
    task: Task,
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    state: Any = None,
    feed: Callable[[Any], Any] = identity,
) -> tuple[Any, Any]:
    """Run a cell under a task; gradients flow through what is fed back.

    Args:
        task: the pattern.
        cell: any cell.
        params: from `cell.init`, as arrays or tensors.
        xs: one row of `(B, X)` for each step at which an input enters, `(n, B, X)`; or class
            indices `(n, B)` in place of one-hot rows.
        state: start values as in `rnn.run`, which chooses them if None.
        feed: makes an input `(B, X)` from an output `(B, Y)`, for tasks that feed back: by default
            the output itself, `minigrad.softmax` for logits.

    Returns:
        `(ys, state)`: one row for each step at which an output leaves, `(m, B, Y)`, and the state
        after the last step.

    Raises:
        ShapeError: xs has another number of steps than the task has inputs.

    >>> import numpy as np, rnn
    >>> cell = rnn.Stack([rnn.LSTMCell(3, 5), rnn.Dense(5, 3)])
    >>> ys, state = perform(many_to_many_delayed(4, 2), cell, cell.init(0), np.ones((4, 2, 3)))
    >>> ys.shape
    (2, 2, 3)
    """
    if not isinstance(xs, Tensor | np.ndarray):
        raise TypeError(f"task {task.name}: xs must be an array or tensor, got {type(xs).__name__}")
    if xs.ndim == 2 and xs.dtype.kind in "iu":
        xs = mg.astype(mg.one_hot(xs, cell.inputs), flatten(params)[0][0].dtype)
    entering = sum(task.enters)
    if xs.ndim != 3 or xs.shape[0] != entering:
        raise ShapeError(
            f"task {task.name}: xs has shape {xs.shape}, wanted ({entering}, B, {cell.inputs}), "
            f"one row for each of the {entering} steps at which an input enters"
        )
    xs = _spread(task, xs)
    if any(task.feeds):
        switch = np.zeros((*xs.shape[:2], 1), xs.dtype)
        switch[np.array(task.feeds)] = 1
        xs = mg.concatenate([xs, switch], axis=-1)
        batch, tree = xs.shape[1], flatten(cell.edges())[1]
        values, given = flatten(cell.start(batch, xs.dtype, params) if state is None else state)
        if given.paths() != tree.paths():
            raise ValueError(f"task {task.name}: state is not the tuple that rnn.run gives")
        ys, (*values, _) = run(
            Feedback(cell, feed), params, xs, (*values, np.zeros((batch, cell.width), xs.dtype))
        )
        state = tree.unflatten(values)
    else:
        ys, state = run(cell, params, xs, state)
    return ys[np.flatnonzero(task.leaves)], state


def _spread(task: Task, xs: Any) -> Any:
    """The inputs at their steps, zeros at the others: `(T, B, X)`."""
    if all(task.enters):
        return xs
    places = np.flatnonzero(task.enters)
    return mg.scatter(xs, positions=((places,),), shape=(task.steps, *xs.shape[1:]))
