"""Which steps of a sequence are drawn: short ones whole, long ones elided and said so."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 6


@dataclass(frozen=True)
class Steps:
    """Steps of 1 … total.

    Attributes:
        total: T.
        shown: the steps that get a column.
        columns: the place of each column; one place is left free where steps are missing.
        missing: what is left out, in words.
    """

    total: int
    shown: tuple[int, ...]
    columns: tuple[int, ...]
    missing: str = ""


def choose(total: int, every: bool = False) -> Steps:
    """All steps of a short sequence; of a longer one the first two and the last.

    >>> choose(4).shown, choose(10).shown, choose(10).missing
    ((1, 2, 3, 4), (1, 2, 10), 't = 3 … 9')
    """
    if total <= LONGEST or every:
        return Steps(total, tuple(range(1, total + 1)), tuple(range(total)))
    return Steps(total, (1, 2, total), (0, 1, 3), f"t = 3 … {total - 1}")
