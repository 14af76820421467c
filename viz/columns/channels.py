"""Channels: ways for values that pass between columns, or from a column back into itself.

A value leaves its column at the top, runs in a lane above the columns, goes down in the gap at its
reader's column, and enters from below. A lane keeps its distance from every other, so no two
values run on the same line; values for one reader of many (a stack of all steps) share theirs.
A loop has its reader in the same column, and its way down carries the mark of the delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viz.columns.column import Column
from viz.scene.label import Label, plain
from viz.scene.style import INK

LANE = 10.0  # from lane to lane
NAMED = 18.0  # the same where lanes have names at their ends
LOOP = 46.0  # from loop to loop, with room for a label
MEDIUM = 1.4


@dataclass(frozen=True)
class Signal:
    """A value that passes between columns, or comes from or goes to outside of the picture.

    Attributes:
        source, target: names of boxes; an empty one is an open end.
        start, stop: their columns; −1 or their count is beside all columns.
        label: of an open end.
        delay, name: of the recurrent edge that it is.
        bus: signals of equal bus may share a lane.
        is_loop: drawn with the mark of its delay.
        pen: the width of its line.
    """

    source: str
    target: str
    start: int
    stop: int
    colour: str = INK
    label: Label = ()
    name: str = ""
    delay: int = 0
    bus: str = ""
    is_loop: bool = False
    pen: float = 1.9


@dataclass(frozen=True)
class Channels:
    """Room for signals above, below and beside columns.

    Attributes:
        lanes: of each value, and column that it goes to, the number of its lane.
        loops: the values that run back into each column, from the inside out.
        top, bottom: of the highest and the lowest column.
        pitch: from lane to lane.
    """

    lanes: dict[tuple[str, int], int]
    loops: tuple[tuple[str, ...], ...]
    top: float
    bottom: float
    pitch: float = LANE

    @classmethod
    def of(cls, signals: Sequence[Signal], columns: Sequence[Column]) -> Channels:
        """The channels that signals between columns take."""
        own = [[s for s in signals if s.is_loop and s.start == s.stop == k]
               for k in range(len(columns))]  # fmt: skip
        loops = tuple(tuple(dict.fromkeys(map(entry, found))) for found in own)
        top, bottom = max(c.top for c in columns), min(c.bottom for c in columns)
        is_named = any(is_beside(s, len(columns)) for s in signals)
        return cls(_lanes(signals), loops, top, bottom, NAMED if is_named else LANE)

    @property
    def depth(self) -> float:
        """How much room all lanes take on a side."""
        return 6 + self.pitch * (max(self.lanes.values(), default=-1) + 1)

    @property
    def high(self) -> float:
        """Above all lanes."""
        return self.top + self.depth

    @property
    def low(self) -> float:
        """Below all lanes."""
        return self.bottom - self.depth

    def beside(self, k: int) -> float:
        """The room that the loops of a column take at its right."""
        return LOOP * len(self.loops[k])


def entry(s: Signal) -> str:
    """The name of the place where a signal enters: one for each value, delay and column."""
    if s.is_loop:
        return f"{s.source}:{s.delay}"
    return s.bus or s.source or f"{s.name} {plain(s.label)} {s.start}"


def is_open(s: Signal) -> bool:
    """Whether a signal comes from or goes to outside of all columns."""
    return s.start == s.stop and not (s.source and s.target)


def is_beside(s: Signal, count: int) -> bool:
    """Whether a signal comes from or goes to a name at the left or right of all columns."""
    return not (0 <= s.start < count and 0 <= s.stop < count)


def _lanes(signals: Sequence[Signal]) -> dict[tuple[str, int], int]:
    """A lane for each value and column it goes to, free over the whole way."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    names: dict[tuple[str, int], str] = {}
    for s in signals:
        if not is_open(s):
            # Twice the column, so that a value may arrive where the next one leaves.
            a, b = sorted((2 * s.start, 2 * s.stop))
            key = (entry(s), s.stop)
            low, high = spans.get(key, (a - (a == b), b + (a == b)))
            spans[key], names[key] = (min(a, low), max(b, high)), s.bus or s.name
    taken: list[list[tuple[int, int, str]]] = []
    found: dict[tuple[str, int], int] = {}
    wanted: dict[str, int] = {}
    for key, (low, high) in spans.items():
        # Values of one name keep their lane from step to step; other names avoid it. A value that
        # goes to many columns has one lane for them all.
        others = {lane for name, lane in wanted.items() if name != names[key]}
        free = [
            lane
            for lane, ways in enumerate(taken)
            if all(high <= a or b <= low or owner == key[0] for a, b, owner in ways)
        ]
        choices = [n for n in free if n == wanted.get(names[key])]
        choices += [n for n in free if n not in others]
        lane = choices[0] if choices else len(taken)
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high, key[0]))
        found[key] = lane
        wanted.setdefault(names[key], lane)
    return found
