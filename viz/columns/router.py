"""Ways through the channels: the wire of each signal, and the names of its open ends."""

from __future__ import annotations

from collections.abc import Sequence

from viz.columns.channels import LOOP, Channels, Signal, entry, is_beside, is_open
from viz.columns.column import Column
from viz.scene.curve import Path, elbow, join, line
from viz.scene.delay import delay_mark
from viz.scene.scene import Scene, Text, Wire


class Router:
    """Ways for signals between placed columns."""

    def __init__(self, scene: Scene, columns: Sequence[Column], channels: Channels) -> None:
        self.scene, self.columns, self.channels = scene, columns, channels
        self.ports = [column.ports() for column in columns]
        self.marked: set[str] = set()
        self.told: set[tuple[str, float]] = set()

    def draw(self, s: Signal) -> None:
        """The wire of a signal, with the names of its open ends."""
        away = self._leave(s) if s.source else None
        arrive = self._enter(s) if s.target else None
        if is_open(s):
            path, dashed = self._outside(s, away, arrive)
        elif is_beside(s, len(self.columns)):
            path, dashed = self._beside(s, away, arrive), not s.source
        else:
            path, dashed = self._lane(s, away, arrive), not (s.source and s.target)
        self.scene.wires.append(
            Wire(s.source, s.target, path, s.colour, s.pen, dashed, 0.85, s.name, s.delay)
        )

    def _leave(self, s: Signal) -> Path:
        column = self.columns[s.start]
        k = column.exit[s.source]
        return column.climb(column.place(s.source), k, column.at(k)[0])

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
        way = 6 + self.channels.pitch * lane
        up, down = self.channels.top + way, self.channels.bottom - way
        there = self.columns[s.stop]
        before = s.start < s.stop
        shift = way + 4
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
            delay_mark(self.scene, (s.source, s.target, s.name), s.delay, at, s.colour)
        return join(away, elbow(points), arrive)

    def _beside(self, s: Signal, away: Path | None, arrive: Path | None) -> Path:
        """From or to a name at the left or right of all columns."""
        is_left = min(s.start, s.stop) < 0
        border = self.columns[0].left if is_left else self.columns[-1].right
        side = -1 if is_left else 1
        way = 6 + self.channels.pitch * self.channels.lanes[entry(s), s.stop]
        end = (border + side * 14, self.channels.top + way if away else self.channels.bottom - way)
        if (entry(s), end[1]) not in self.told:  # a start value may be read at several steps
            self.told.add((entry(s), end[1]))
            anchor = "end" if is_left else "start"
            self.scene.texts.append(Text(end[0] + side * 4, end[1], s.label, 15, s.colour, anchor))
        if away:
            return join(away, elbow([away[-1], (away[-1][0], end[1]), end]))
        assert arrive is not None
        return join(elbow([end, (arrive[0][0], end[1]), arrive[0]]), arrive)
