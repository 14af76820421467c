"""Runs of sequences: what lines of a graph with loops read, told for any number of steps.

A sequence is the values of a loop, the rows of an array, or inputs, one for each step. The ends of
a run of it are counted from the nearer end, the third one as 3 and the last but one as −2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from minigrad.errors import FoldError
from minigrad.graph import Node


@dataclass(frozen=True)
class Column:
    """The values of one output of a loop: at every step, one sum, or the last ones of a state."""

    loop: int
    output: int


@dataclass(frozen=True)
class Leaves:
    """Inputs of the graph that are a list with an element for each step.

    Attributes:
        low, high: the list is the inputs from the `low`-th to the `high`-th.
        width: how many of them belong to a step, as in a list of pairs; n: which of these it is.
        clock: there are as many more steps as the loops of this clock have.
    """

    low: int
    high: int
    width: int
    n: int
    clock: int

    def __len__(self) -> int:
        return (self.high - self.low + 1) // self.width


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of an array, read one by one by an index.

    Attributes:
        source: the node of the array.
        axis: of the array, that has the rows; place: which part of the position counts them.
        low, high: the positions.
        node: one of the readings.
        clock: there are as many more rows as the loops of this clock have more steps.
        behind: clocks of the rows before these.
    """

    source: int
    axis: int
    place: int
    low: int
    high: int
    node: Node = field(repr=False)
    clock: int
    behind: tuple[int, ...]

    def __len__(self) -> int:
        return self.high - self.low + 1


Listed = Column | Leaves | Rows


@dataclass(frozen=True)
class Run:
    """Some of a sequence: from a place to a place, 1 the first of all, −1 the last."""

    of: Listed
    first: int
    last: int

    def places(self, length: int) -> range:
        """The places in their order, in a sequence of so many.

        Raises:
            ValueError: there are too few.
        """
        rises = (self.first < 0, self.first) <= (self.last < 0, self.last)
        ends = (n if n > 0 else length + 1 + n for n in (self.first, self.last))
        low, high = ends if rises else reversed([*ends])
        if low < 1 or high > length:
            raise FoldError(
                f"unfold: of {length} values those from {self.first} to {self.last} are read; "
                "ask for more steps"
            )
        return range(low, high + 1) if rises else range(high, low - 1, -1)


Operand = int | Run


def straight(places: Iterable[int | None], wide: bool = False) -> tuple[int, int, int]:
    """Of places that go up or down one by one: the first, the last before they end, and the count.

    If `wide`, they may go by any number, if it is always the same.
    """
    rest = iter(places)
    first = last = next(rest) or 0
    stride, count = 0, 1
    for place in rest:
        step = 0 if place is None else place - last
        if not step or stride not in (0, step) or (abs(step) > 1 and not wide):
            break
        last, stride, count = last + step, step, count + 1
    return first, last, count


def anchored(
    first: int, last: int, length: int, grows: bool = False, side: int = 0
) -> tuple[int, int]:
    """The ends of a run, each counted from the nearer end of its sequence.

    A run that `grows` is as long as a loop, so it is counted from both ends however it lies; one
    that is known to be at the start or at the end has that as its `side`, −1 or +1.
    """
    low, high = sorted((first, last))
    if grows:
        late = False, True
    elif side:
        late = side > 0, side > 0
    else:
        late = 2 * low > length + 1, 2 * high > length + (low == high)
    a, b = (n - length - 1 if end else n for n, end in zip((low, high), late, strict=True))
    return (a, b) if first <= last else (b, a)


__all__ = ["Column", "Leaves", "Listed", "Operand", "Rows", "Run", "anchored", "straight"]
