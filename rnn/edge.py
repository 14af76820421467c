"""A recurrent value of a cell, and at which lags a step reads it.

A lag is a delayed edge of its own, a `Recurrence` of the folded graph. All lags of a value share
one history: what it was at the last d steps, where d is the longest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from minigrad.tree import flatten


@dataclass(frozen=True)
class Edge:
    """A recurrent value of a cell: its name, the delay of its edge and its number of columns.

    Whether a reset sets it back to its first values is `is_reset`. A value that a step reads at
    several lags has the longest as its delay, the others, nearest first, in `nearer`.
    """

    name: str
    delay: int
    size: int
    nearer: tuple[int, ...] = field(default=(), kw_only=True, repr=False)
    is_reset: ClassVar[bool] = True

    @property
    def lags(self) -> tuple[int, ...]:
        """The delays at which a step reads it, nearest first."""
        return (*self.nearer, self.delay)

    def first(self, batch: int, rng: np.random.Generator | None) -> Any:
        """What stands in it before the first step, `(B, size)` or `(d, B, size)`: zeros."""
        steps = abs(self.delay)
        return np.zeros((batch, self.size) if steps == 1 else (steps, batch, self.size))

    def read(self) -> tuple[Edge, ...]:
        """One edge for each lag."""
        alone = tuple(replace(self, delay=lag, nearer=()) for lag in self.nearer)
        return (*alone, replace(self, nearer=()) if alone else self)

    def starts(self, history: Any) -> list[Any]:
        """The start values of each lag, out of what stands in the value before the first step.

        >>> import numpy as np
        >>> [x.shape for x in Edge("h", 3, 4, nearer=(1,)).starts(np.zeros((3, 2, 4)))]
        [(2, 4), (3, 2, 4)]
        """
        parts = [nearest(history, lag) for lag in self.nearer]
        return [*(x[0] if len(x) == 1 else x for x in parts), history]

    def turned(self) -> Edge:
        """The same against time."""
        return replace(self, delay=-self.delay, nearer=tuple(-lag for lag in self.nearer))


def nearest(history: Any, lag: int) -> Any:
    """Those values of a history, in order of time, that a lag brings before there are others.

    The last before the first step, or, against time, the first behind the last.
    """
    return history[-lag:] if lag > 0 else history[:-lag]


def taken(edges: Any, state: Any) -> Any:
    """What the step that runs first takes, out of a start state: one value for each lag.

    >>> taken((Edge("h", 3, 1, nearer=(1,)),), (np.array([[[3]], [[2]], [[1]]]),))
    (array([[1]]), array([[3]]))
    """
    found = []
    for edge, history in zip(flatten(edges)[0], flatten(state)[0], strict=True):
        for lag, start in zip(edge.lags, edge.starts(history), strict=True):
            found.append(start if abs(lag) == 1 else start[0 if lag > 0 else -1])
    return flatten(read(edges))[1].unflatten(found)


def read(edges: Any) -> Any:
    """Recurrent values as a step takes them: one edge for each lag, nested as they are.

    >>> read((Edge("h", 2, 4, nearer=(1,)), (Edge("C", 1, 4),)))
    (Edge(name='h', delay=1, size=4), Edge(name='h', delay=2, size=4), \
(Edge(name='C', delay=1, size=4),))
    """
    found: list[Any] = []
    for edge in edges:
        found += edge.read() if isinstance(edge, Edge) else [read(edge)]
    return tuple(found)


def lags(where: str, name: str, given: Any) -> tuple[int, ...]:
    """The delays that a `state` gives a value: a whole number, or several, nearest first.

    >>> lags("Echo", "h", 2), lags("Echo", "h", (1, 2))
    ((2,), (1, 2))
    >>> lags("Echo", "h", (2, 1))
    Traceback (most recent call last):
    ValueError: Echo: state h has the lags (2, 1), wanted the nearest first, as step takes them: \
(1, 2)
    """
    if type(given) is int and given:  # the common one, asked for at every run
        return (given,)
    told = f"{where}: state {name} has the lags {given!r:.60}"
    found = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    is_whole = [isinstance(x, int | np.integer) and not isinstance(x, bool) for x in found]
    if not found or not all(is_whole):
        raise TypeError(
            f"{told}, wanted a whole number of steps, or a tuple of them such as (1, 2)"
        )
    if 0 in found:
        raise ValueError(
            f"{told}; 0 is the step itself, which makes {name}: the nearest to read is that of the "
            "step before, at 1"
        )
    if min(found) < 0 < max(found):
        raise ValueError(
            f"{told}, of both signs, so no order of the steps can run it; rnn.Bidirectional reads "
            "a sequence both ways"
        )
    if len({*found}) < len(found):
        raise ValueError(f"{told}, wanted each once; step may use what it takes more than once")
    ordered = tuple(sorted(map(int, found), key=abs))
    if ordered != found:
        raise ValueError(f"{told}, wanted the nearest first, as step takes them: {ordered}")
    return ordered
