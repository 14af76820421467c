"""Rows of columns: the layers of a network on top of each other, each with channels of its own.

A value that recurs stays in its row. One for another row leaves its own at the top and goes up;
rows between let it through where their layout has kept room. A single row is the common case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from viz.columns.channels import Channels, Signal, is_open
from viz.columns.column import END, Column
from viz.columns.router import Router
from viz.columns.strips import EDGE, GAP, Strip, boxes, column, dots, frames, panel
from viz.scene.curve import Path, join, line, rise
from viz.scene.label import width, words
from viz.scene.scene import Scene, Text, Wire
from viz.scene.style import INK, MUTED

BETWEEN, MORE = 16.0, 6.0  # from the channels of a row to those of the next, and for each value
STRAIGHT = 24.0  # columns are moved so far that a value may go straight up
SIZE = 13.0


@dataclass(frozen=True)
class Row:
    """The strips of a row, and lines that say what it is; all rows have the same columns."""

    strips: tuple[Strip, ...]
    title: tuple[str, ...] = ()


class _Placed:
    """A row with its columns and channels, and how far it is lifted."""

    def __init__(self, row: Row, own: Sequence[Signal], through: Sequence[Signal]) -> None:
        self.row, self.own = row, own
        near: list[list[Signal]] = [[] for _ in row.strips]
        up: list[list[Signal]] = [[] for _ in row.strips]
        for s in own:
            for k in {s.start, s.stop} - {-1, len(near)}:
                near[k].append(s)
        for s in through:
            up[s.start].append(s)
        # The same in all columns, so that equal ones get equal layouts; a name may reach a bit out.
        end = max([END, *(width(s.label, 15) / 2 - 5 for s in own if is_open(s))])
        placed = enumerate(zip(row.strips, near, up, strict=True))
        self.columns = [column(*of, k, end) for k, of in placed]
        self.channels = Channels.of(own, self.columns)
        self.lift = 0.0

    def drawn_in(self, scene: Scene) -> None:
        """Take a scene of its own, once its columns have places."""
        self.router = Router(scene, self.columns, self.channels)

    def way(self, a: str, b: str, k: int) -> Path:
        """From a box, or from below, to a box or out at the top of a column."""
        there, is_inside = self.columns[k], a in self.columns[k].number
        start = there.place(a)
        if b in there.number:
            path = there.climb(start, there.number[b], self.router.ports[k][start, there.number[b]])
        else:
            path = there.climb(start, there.exit[a], there.at(there.exit[a])[0])
            path = join(path, line(path[-1], (path[-1][0], self.channels.high)))
        if not is_inside:
            path = join(line((path[0][0], self.channels.low), path[0]), path)
        return tuple((x, y + self.lift) for x, y in path)


def arrange(scene: Scene, strips: Sequence[Strip], signals: Sequence[Signal]) -> None:
    """Put columns and signals into a scene."""
    stack(scene, [Row(tuple(strips))], signals)


def stack(scene: Scene, rows: Sequence[Row], signals: Sequence[Signal]) -> None:
    """Put rows of columns, the lowest first, and signals into a scene."""
    top = len(rows) - 1
    level = {b.shape.id: n for n, row in enumerate(rows) for s in row.strips for b in s.boxes}
    spans = [_span(s, level, top) for s in signals]
    rising = [(s, span) for s, span in zip(signals, spans, strict=True) if span[0] != span[1]]
    placed = [
        _Placed(
            row,
            [s for s, span in zip(signals, spans, strict=True) if span == (n, n)],
            [s for s, (low, high) in rising if low <= n <= high],
        )
        for n, row in enumerate(rows)
    ]
    _side_by_side(placed)
    above = placed[top].channels
    is_named = any(s.label and s.source and is_open(s) for s in signals)
    head = above.high + (48 if is_named else 16)
    for n, part in enumerate(placed):
        part.drawn_in(Scene(style=scene.style) if n else scene)
    for before, part in pairwise(placed):
        pairs = zip(before.columns, part.columns, strict=True)
        most = max(len(a.exit.keys() & b.entry.keys()) for a, b in pairs)
        room = BETWEEN + MORE * most
        part.lift = before.lift + before.channels.high + room - part.channels.low
    for s, (low, high) in rising:
        _rise(scene, placed[low : high + 1], s)
    for n, part in enumerate(placed):
        _draw(part, head if n == top else None, len(rows) == 1)
        if n:
            scene.merge(part.router.scene, 0.0, part.lift)
    _titles(scene, placed)


def _span(s: Signal, level: dict[str, int], top: int) -> tuple[int, int]:
    """The rows of the two ends of a signal."""
    low = level[s.source or s.target]
    if s.source and s.target:
        return low, level[s.target]
    return low, top if s.source and is_open(s) else low


def _side_by_side(placed: Sequence[_Placed]) -> None:
    """Give the columns of all rows the same places."""
    count, depth = len(placed[0].columns), max(p.channels.depth for p in placed)
    x = 0.0
    for k in range(count):
        here = [part.columns[k] for part in placed]
        aside = _aligned(here)
        left = min(a - c.width / 2 for a, c in zip(aside, here, strict=True))
        right = max(a + c.width / 2 for a, c in zip(aside, here, strict=True))
        wide = right - left if any(c.boxes for c in here) else GAP
        for a, c in zip(aside, here, strict=True):
            c.widen(wide, a - (left + right) / 2)
            c.move(x)
        x = here[0].right + 19 + depth
        if k + 1 < count:
            strips = placed[0].row.strips
            is_edge = strips[k].frame != strips[k + 1].frame
            x += max(p.channels.beside(k) for p in placed) + (EDGE if is_edge else 0)


def _aligned(columns: Sequence[Column]) -> list[float]:
    """How far aside each column stands, so that a value goes straight up if it nearly does."""
    aside = [0.0]
    for below, above in pairwise(columns):
        shared = [name for name in below.exit if name in above.entry]
        apart = [below.aside(below.exit[n]) - above.aside(above.entry[n]) for n in shared]
        nearest = min(apart, key=abs, default=0.0)
        aside.append(aside[-1] + (nearest if abs(nearest) < STRAIGHT else 0.0))
    return aside


def _draw(part: _Placed, head: float | None, is_only: bool) -> None:
    """A row by itself; with the titles of its columns at a height, if they stand above it."""
    scene, columns, channels = part.router.scene, part.columns, part.channels
    if is_only:
        frames(scene, part.row.strips, columns, channels, (head or 0.0) + 24)
    framed = len(columns) > 1 or bool(part.own) if is_only else bool(part.row.title)
    for k, there in enumerate(columns):
        if part.row.strips[k].is_gap:
            dots(scene, there, channels)
        elif framed and there.boxes:
            panel(scene, there, channels, k)
        if head is not None and there.title and not part.row.strips[k].is_gap:
            x = (there.left + there.right) / 2
            scene.texts.append(Text(x, head, words(there.title), 13, INK, bold=True))
    for there in columns:
        boxes(scene, there)
    for signal in part.own:
        part.router.draw(signal)


def _rise(scene: Scene, way: Sequence[_Placed], s: Signal) -> None:
    """A signal from a row to a higher one, or out above all."""
    path = way[0].way(s.source, "", s.start)
    for part in way[1:]:
        piece = part.way(s.source, s.target, s.start)
        path = join(path, rise(path[-1], piece[0]), piece)
    if not s.target:
        x, y = path[-1]
        path = join(path, line((x, y), (x, y + 14)))
        scene.texts.append(Text(x, y + 26, s.label, 15, s.colour))
    scene.wires.append(Wire(s.source, s.target, path, s.colour, s.pen, head=0.75, name=s.name))


def _titles(scene: Scene, placed: Sequence[_Placed]) -> None:
    """What each row is, at its left."""
    names = [width(s.label, 15) for p in placed for s in p.own if s.start < 0 or s.stop < 0]
    x = placed[0].columns[0].left - 12 - (max(names) + 18 if names else 0)
    for part in placed:
        middle = part.lift + (part.channels.top + part.channels.bottom) / 2
        for n, text in enumerate(part.row.title):
            y = middle + SIZE * 1.3 * ((len(part.row.title) - 1) / 2 - n)
            scene.texts.append(Text(x, y, words(text), SIZE, MUTED, "end", bold=True))
