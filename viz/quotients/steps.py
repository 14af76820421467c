"""Which steps of a sequence are drawn: short ones whole, long ones elided and said so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any

LONGEST = 6


@dataclass(frozen=True)
class Steps:
    """Steps of 1 … total, and what is left out.

    Attributes:
        total: T.
        shown: the steps that get a column.
        places: the number of each column; a place is left free wherever steps are missing.
        gaps: the free places, each with the first and the last step that it stands for.
        now: the step that is called t; those around it are called after it, and the sequence goes
            on beyond them. None for steps called by their numbers.
    """

    total: int
    shown: tuple[int, ...]
    places: tuple[int, ...]
    gaps: tuple[tuple[int, int, int], ...] = ()
    now: int | None = None

    def name(self, t: int) -> str:
        """What a step is called: its number, or t−1, t, t+1."""
        if self.now is None:
            return str(t).replace("-", "−")
        return f"t{t - self.now:+d}".replace("-", "−") if t != self.now else "t"

    def given(self, t: int) -> bool:
        """Whether a value of a step is a start value, from outside of the sequence."""
        return self.now is None and not 1 <= t <= self.total

    def column(self, t: int) -> int:
        """The place of a step, be it a column or a gap."""
        if t in self.shown:
            return self.places[self.shown.index(t)]
        return next(place for place, first, last in self.gaps if first <= t <= last)


def choose(steps: int | str | Iterable[int], total: int | None = None) -> Steps:
    """All steps of a short sequence, of a longer one the first two and the last; or those given.

    "t" stands for the steps t−1, t, t+1 somewhere inside of a sequence. `total` is the number of
    steps of a run that has happened: those after the last one shown are a gap too.

    >>> choose(4).shown, choose(10).shown, choose(10).gaps
    ((1, 2, 3, 4), (1, 2, 10), ((2, 3, 9),))
    >>> choose(2, total=9).gaps
    ((2, 3, 9),)
    >>> choose(range(1, 9)).shown
    (1, 2, 3, 4, 5, 6, 7, 8)
    >>> [choose("t").name(t) for t in choose("t").shown]
    ['t−1', 't', 't+1']

    Raises:
        ValueError: no step, steps that are not counted from 1, or beyond the end of a run.
    """
    if isinstance(steps, str) and steps == "t":
        return Steps(3, (1, 2, 3), (0, 1, 2), now=2)
    try:
        wanted = _wanted(steps)
    except TypeError:
        wanted = []
    if not wanted or wanted[0] < 1:
        raise ValueError(
            "steps must be a whole number ≥ 1, a list of steps counted from 1, or 't', "
            f"got {steps!r:.60}"
        )
    if total is not None and wanted[-1] > total:
        raise ValueError(f"steps: the run has the steps 1 to {total}, got {steps!r}")
    places: list[int] = []
    gaps: list[tuple[int, int, int]] = []
    for before, t in zip([0, *wanted], wanted, strict=False):
        if t > before + 1:
            gaps.append((len(places) + len(gaps), before + 1, t - 1))
        places.append(len(places) + len(gaps))
    last = total or wanted[-1]
    if last > wanted[-1]:
        gaps.append((len(places) + len(gaps), wanted[-1] + 1, last))
    return Steps(last, tuple(wanted), tuple(places), tuple(gaps))


def _wanted(steps: Any) -> list[int]:
    """The steps in order; a `TypeError` for what is no whole number."""
    if isinstance(steps, Iterable):
        return sorted({_whole(t) for t in steps})
    last = _whole(steps)
    return list(range(1, last + 1)) if last <= LONGEST else [1, 2, last]


def _whole(step: Any) -> int:
    if isinstance(step, bool):
        raise TypeError("True is no step")
    return index(step)


def told(first: int, last: int) -> str:
    """Steps that are left out, in words.

    >>> told(3, 9), told(3, 3)
    ('t = 3 … 9', 't = 3')
    """
    return f"t = {first}" if first == last else f"t = {first} … {last}"
