"""Columns side by side, and channels for what passes between them.

A value leaves its column at the top, runs in a lane above the columns, goes down in the gap at its
reader's column, and enters from below. A lane keeps its distance from every other, so no two
values run on the same line; values for one reader of many (a stack of all steps) share theirs.
In the folded picture the reader is in the same column, and the way down carries the delay's mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from viz.columns import TAG, Column, Item
from viz.curve import Path, elbow, join, line
from viz.grid import mark
from viz.label import Label, plain, words
from viz.quotient import Link
from viz.scene import Scene, Shape, Text, Wire
from viz.style import INK, MUTED

LANE = 10.0  # from lane to lane
LOOP = 46.0  # from loop to loop in the folded picture, with room for a label
WIRE = "#555555"
THIN, THICK = 1.1, 1.9


@dataclass(frozen=True)
class Signal:
    """A value that passes between columns, or comes from or goes to outside of the picture.

    Attributes:
        source, target: names of boxes; an empty one is an open end.
        start, stop: their columns.
        label: of an open end.
        delay, name: of the recurrent edge that it is.
        bus: signals of equal bus may share a lane.
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


@dataclass(frozen=True)
class Strip:
    """What a column is made of, before it is known what enters and leaves."""

    title: str
    items: tuple[Item, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()


def arrange(scene: Scene, strips: Sequence[Strip], signals: Sequence[Signal]) -> None:
    """Put columns and signals into a scene."""
    columns = [_column(strip, signals, k) for k, strip in enumerate(strips)]
    lanes = _lanes(signals)
    count = max(lanes.values(), default=-1) + 1
    x = 0.0
    for column in columns:
        column.move(x)
        if not column.items:
            column.right = column.left + 76
        x = column.right + 25 + LANE * count
    top = max(c.top for c in columns)
    bottom = min(c.bottom for c in columns)
    high, low = top + 6 + LANE * count, bottom - 6 - LANE * count
    leaves = any(s.label and s.source for s in signals)
    framed = len(columns) > 1 or bool(signals)
    for k, column in enumerate(columns):
        if column.items and framed:
            middle, half = (column.left + column.right) / 2, (top + bottom) / 2
            frame = Shape(
                f"_column_{k + 1}", middle, half, column.width, top - bottom, "panel", "panel"
            )
            scene.add(replace(frame, title=column.title))
        if column.title:
            y = high + (48 if leaves else 16) if column.items else (top + bottom) / 2 - 26
            middle = (column.left + column.right) / 2
            text = Text(middle, y, words(column.title), 13 if column.items else 12, INK)
            scene.texts.append(
                replace(text, bold=True) if column.items else replace(text, colour=MUTED)
            )
            if not column.items:
                scene.texts.append(Text(middle, (top + bottom) / 2, words("⋯"), 26, MUTED))
    for column in columns:
        _boxes(scene, column)
    router = Router(scene, columns, lanes, top, bottom, high, low)
    for signal in signals:
        router.draw(signal)


def _column(strip: Strip, signals: Sequence[Signal], k: int) -> Column:
    entries: dict[str, list[str]] = {}
    exits: dict[str, None] = {}
    for s in signals:
        if s.stop == k and s.target:
            entries.setdefault(_entry(s), []).append(s.target)
        if s.start == k and s.source:
            exits[s.source] = None
    # In the order of the boxes, so that equal columns get equal layouts.
    number = {item.shape.id: n for n, item in enumerate(strip.items)}
    ordered = {
        name: sorted(set(readers), key=number.__getitem__)
        for name, readers in sorted(entries.items(), key=lambda e: min(number[b] for b in e[1]))
    }
    leaving = sorted(exits, key=number.__getitem__)
    return Column(strip.title, strip.items, strip.edges, ordered, leaving)


def _entry(s: Signal) -> str:
    """The name of the place where a signal enters: one for each value and column."""
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
            key = (_entry(s), s.stop)
            low, high = spans.get(key, (a - (a == b), b + (a == b)))
            spans[key], names[key] = (min(a, low), max(b, high)), s.bus or s.name
    taken: list[list[tuple[int, int]]] = []
    found: dict[tuple[str, int], int] = {}
    wanted: dict[str, int] = {}
    for key, (low, high) in spans.items():
        # Values of one name keep their lane from step to step; other names avoid it.
        others = {lane for name, lane in wanted.items() if name != names[key]}
        free = [
            lane for lane, ways in enumerate(taken) if all(high <= a or b <= low for a, b in ways)
        ]
        choices = [n for n in free if n == wanted.get(names[key])]
        choices += [n for n in free if n not in others]
        lane = choices[0] if choices else len(taken)
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found[key] = lane
        wanted.setdefault(names[key], lane)
    return found


def _boxes(scene: Scene, column: Column) -> None:
    """Boxes, their tags, and the wires between them."""
    for k, item in enumerate(column.items):
        x, y = column.at(k)
        box = scene.add(replace(item.shape, x=x, y=y))
        for side, tag in zip((-1, 1), item.tags, strict=False):
            away = side * (box.w / 2 + TAG + tag.w / 2)
            put = scene.add(replace(tag, x=x + away, y=y))
            path = line((put.x - side * put.w / 2, y), (x + side * box.w / 2, y))
            colour = scene.style.look(put.kind).line
            scene.wires.append(Wire(put.id, box.id, path, colour, THIN, head=0.6))
    ports = column.ports()
    for a, b in column.edges:
        if a < len(column.items) and b < len(column.items):
            ends = (column.items[a].shape.id, column.items[b].shape.id)
            path = column.climb(a, b, ports[a, b])
            scene.wires.append(Wire(*ends, path, WIRE, THIN, head=0.75))


class Router:
    """Ways for signals between placed columns."""

    def __init__(
        self, scene: Scene, columns: Sequence[Column], lanes: dict[tuple[str, int], int],
        top: float, bottom: float, high: float, low: float,
    ) -> None:  # fmt: skip
        self.scene, self.columns, self.lanes = scene, columns, lanes
        self.top, self.bottom, self.high, self.low = top, bottom, high, low
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
            Wire(s.source, s.target, path, s.colour, THICK, dashed, 0.85, s.name, s.delay)
        )

    def _leave(self, s: Signal) -> Path:
        column = self.columns[s.start]
        k = column.exit[s.source]
        return column.climb(column.number[s.source], k, column.at(k)[0])

    def _enter(self, s: Signal) -> Path:
        column = self.columns[s.stop]
        a, b = column.entry[_entry(s)], column.number[s.target]
        return column.climb(a, b, self.ports[s.stop][a, b])

    def _outside(self, s: Signal, away: Path | None, arrive: Path | None) -> tuple[Path, bool]:
        """Straight up to a name above, or up from a name below."""
        if away:
            x, y = away[-1]
            if (s.source, s.start) not in self.told:
                self.told.add((s.source, s.start))
                self.scene.texts.append(Text(x, self.high + 26, s.label, 15, s.colour))
            return join(away, line((x, y), (x, self.high + 14))), False
        assert arrive is not None
        x = arrive[0][0]
        if (_entry(s), s.stop) not in self.told:
            self.told.add((_entry(s), s.stop))
            self.scene.texts.append(Text(x, self.low - 18, s.label, 15, s.colour))
        return join(line((x, self.low - 6), arrive[0]), arrive), True

    def _lane(self, s: Signal, away: Path | None, arrive: Path | None) -> Path:
        """Over the columns and down into another, or down beside its own."""
        lane = self.lanes[_entry(s), s.stop]
        up, down = self.top + 6 + LANE * lane, self.bottom - 6 - LANE * lane
        there = self.columns[s.stop]
        before = s.start < s.stop
        shift = 10 + LANE * lane
        x = there.left - shift if before else there.right + shift
        if s.start == s.stop:
            x = there.right + 18 + LOOP * lane
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
        if s.start == s.stop and s.source + s.name not in self.marked:
            self.marked.add(s.source + s.name)
            at = (x, (self.top + self.bottom) / 2)
            mark(self.scene, Link(s.source, s.target, s.delay, s.name), at, s.colour)
        return join(away, elbow(points), arrive)
