"""Channels: ways for values that pass between columns, or from a column back into itself.

A value leaves its column at the top, runs in a lane above the columns, goes down in the gap at its
reader's column, and enters from below. A lane keeps its distance from every other, so no two
values run on the same line; values for one reader of many (a stack of all steps) share theirs.
A loop has its reader in the same column, and its way down carries the mark of the delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viz.columns import Column
from viz.curve import Path, elbow, join, line
from viz.grid import mark
from viz.label import Label, plain
from viz.quotient import Link
from viz.scene import Scene, Text, Wire
from viz.style import INK

LANE = 10.0  # from lane to lane
LOOP = 46.0  # from loop to loop, with room for a label
WIRE = "#555555"
MEDIUM = 1.4


@dataclass(frozen=True)
class Signal:
    """A value that passes between columns, or comes from or goes to outside of the picture.

    Attributes:
        source, target: names of boxes; an empty one is an open end.
        start, stop: their columns.
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
    """

    lanes: dict[tuple[str, int], int]
    loops: tuple[tuple[str, ...], ...]
    top: float
    bottom: float

    @classmethod
    def of(cls, signals: Sequence[Signal], columns: Sequence[Column]) -> Channels:
        """The channels that signals between columns take."""
        own = [[s for s in signals if s.is_loop and s.start == s.stop == k]
               for k in range(len(columns))]  # fmt: skip
        loops = tuple(tuple(dict.fromkeys(map(entry, found))) for found in own)
        top, bottom = max(c.top for c in columns), min(c.bottom for c in columns)
        return cls(_lanes(signals), loops, top, bottom)

    @property
    def depth(self) -> float:
        """How much room all lanes take on a side."""
        return 6 + LANE * (max(self.lanes.values(), default=-1) + 1)

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


def _is_open(s: Signal) -> bool:
    """Whether a signal comes from or goes to outside of all columns."""
    return s.start == s.stop and not (s.source and s.target)


def _lanes(signals: Sequence[Signal]) -> dict[tuple[str, int], int]:
    """A lane for each value and column it goes to, free over the whole way."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    names: dict[tuple[str, int], str] = {}
    for s in signals:
        if not _is_open(s):
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


class Router:
    """Ways for signals between placed columns."""

    def __init__(self, scene: Scene, columns: Sequence[Column], channels: Channels) -> None:
        self.scene, self.columns, self.channels = scene, columns, channels
        self.ports = [column.ports() for column in columns]
        self.marked: set[str] = set()
        self.told: set[tuple[str, int]] = set()

    def draw(self, s: Signal) -> None:
        """The wire of a signal, with the names of its open ends."""
        away = self._leave(s) if s.source else None
        arrive = self._enter(s) if s.target else None
        if _is_open(s):
            path, dashed = self._outside(s, away, arrive)
        else:
            path, dashed = self._lane(s, away, arrive), not (s.source and s.target)
        self.scene.wires.append(
            Wire(s.source, s.target, path, s.colour, s.pen, dashed, 0.85, s.name, s.delay)
        )

    def _leave(self, s: Signal) -> Path:
        column = self.columns[s.start]
        k = column.exit[s.source]
        return column.climb(column.number[s.source], k, column.at(k)[0])

    def _enter(self, s: Signal) -> Path:
        column = self.columns[s.stop]
        a, b = column.entry[entry(s)], column.number[s.target]
        return column.climb(a, b, self.ports[s.stop][a, b])

    def _outside(self, s: Signal, away: Path | None, arrive: Path | None) -> tuple[Path, bool]:
        """Straight up to a name above, or up from a name below."""
        if away:
            x, y = away[-1]
            if (s.source, s.start) not in self.told:
                self.told.add((s.source, s.start))
                self.scene.texts.append(Text(x, self.channels.high + 26, s.label, 15, s.colour))
            return join(away, line((x, y), (x, self.channels.high + 14))), False
        assert arrive is not None
        x = arrive[0][0]
        if (entry(s), s.stop) not in self.told:
            self.told.add((entry(s), s.stop))
            self.scene.texts.append(Text(x, self.channels.low - 18, s.label, 15, s.colour))
        return join(line((x, self.channels.low - 6), arrive[0]), arrive), True

    def _lane(self, s: Signal, away: Path | None, arrive: Path | None) -> Path:
        """Over the columns and down into another, or down beside its own."""
        lane = self.channels.lanes[entry(s), s.stop]
        up, down = self.channels.top + 6 + LANE * lane, self.channels.bottom - 6 - LANE * lane
        there = self.columns[s.stop]
        before = s.start < s.stop
        shift = 10 + LANE * lane
        x = there.left - shift if before else there.right + shift
        if s.start == s.stop:
            x = there.right + 18 + LOOP * self.channels.loops[s.stop].index(entry(s))
        if away is None:  # from steps that are left out
            assert arrive is not None
            gone = self.columns[s.start]
            begin = gone.right - 20 if before else gone.left + 20
            points = [(begin, up), (x, up), (x, down), (arrive[0][0], down), arrive[0]]
            return join(elbow(points), arrive)
        if arrive is None:  # to steps that are left out
            end = there.left + 20 if before else there.right - 20
            return join(away, elbow([away[-1], (away[-1][0], up), (end, up)]))
        first, last = away[-1], arrive[0]
        points = [first, (first[0], up), (x, up), (x, down), (last[0], down), last]
        if s.is_loop and entry(s) not in self.marked:
            self.marked.add(entry(s))
            at = (x, (self.channels.top + self.channels.bottom) / 2)
            mark(self.scene, Link(s.source, s.target, s.delay, s.name), at, s.colour)
        return join(away, elbow(points), arrive)
