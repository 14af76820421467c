"""One column: the boxes of a time step, laid out between values that enter and values that leave.

Values from other columns enter at the lowest rank, values for other columns leave above the
highest. Equal columns get equal layouts, so a step looks the same wherever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from viz.columns.boxes import Box
from viz.columns.layered import layered
from viz.scene.curve import Path, Point, join, line, rise

PAD = 13.0  # from the boxes to the border of their column
RISE = 27.0  # from rank to rank
END = 15.0  # half the room of a value that enters or leaves, if its name is short


class Column:
    """Boxes with places; `x` and `y` of the column are set by who puts it into a picture.

    Args:
        title: what is written above, such as `t = 3`.
        boxes: the boxes; none for a column that stands for steps left out.
        edges: pairs of names of boxes.
        entries: names of values that enter, each with the boxes that read it.
        exits: names of boxes, or of values that enter, that leave.
        end: half the room of a value that enters or leaves.
    """

    def __init__(
        self,
        title: str,
        boxes: Sequence[Box],
        edges: Sequence[tuple[str, str]],
        entries: dict[str, list[str]],
        exits: Sequence[str],
        end: float = END,
    ) -> None:
        self.title = title
        self.boxes = list(boxes)
        n = len(self.boxes)
        self.number = {box.shape.id: k for k, box in enumerate(boxes)}
        self.entry = {name: n + k for k, name in enumerate(entries)}
        self.exit = {name: n + len(entries) + k for k, name in enumerate(exits)}
        reach = [box.reach for box in boxes] + [(end, end)] * (len(entries) + len(exits))
        pairs = [(self.number[a], self.number[b]) for a, b in edges]
        pairs += [
            (self.entry[a], self.number[b]) for a, readers in entries.items() for b in readers
        ]
        pairs += [(self.place(a), k) for a, k in self.exit.items()]
        self.edges = list(dict.fromkeys(pairs))
        read = {b for _, b in self.edges}
        inputs = {k for k, box in enumerate(boxes) if box.shape.kind == "input" and k not in read}
        self.layout = layered(
            tuple(a for a, _ in reach),
            tuple(b for _, b in reach),
            tuple(self.edges),
            frozenset(inputs | set(self.entry.values())),
            frozenset(self.exit.values()),
        )
        self.heights = [0.0] * (max(self.layout.rank, default=0) + 1)
        for box, level in zip(boxes, self.layout.rank, strict=False):
            tall = max(shape.h for shape in (box.shape, *box.tags))
            self.heights[level] = max(self.heights[level], tall)
        self.levels = [0.0]
        for below, above in pairwise(self.heights):
            self.levels.append(self.levels[-1] + below / 2 + RISE + above / 2)
        xs = [(x - r[0], x + r[1]) for x, r in zip(self.layout.x, reach, strict=True)]
        xs += [(x - 4, x + 4) for bends in self.layout.bends.values() for x in bends]
        self.shift = 0.0
        self.left = min((a for a, _ in xs), default=0.0) - PAD
        self.right = max((b for _, b in xs), default=0.0) + PAD
        self.bottom = -self.heights[0] / 2 - PAD
        self.top = self.levels[-1] + self.heights[-1] / 2 + (PAD if not exits else 4)

    def move(self, left: float) -> None:
        """Put the column's left border at a place."""
        self.shift, self.right, self.left = left - self.left + self.shift, left + self.width, left

    def widen(self, to: float, aside: float) -> None:
        """Make the column wider, its boxes that far aside from the middle."""
        more = (to - self.width) / 2
        self.left, self.right = self.left - more - aside, self.right + more - aside

    def aside(self, k: int) -> float:
        """How far a box, an entry or an exit is to the right of the column's middle."""
        return self.at(k)[0] - (self.left + self.right) / 2

    def place(self, name: str) -> int:
        """The number of a box, or of a value that enters and passes."""
        return self.number[name] if name in self.number else self.entry[name]

    @property
    def width(self) -> float:
        """From border to border."""
        return self.right - self.left

    def at(self, k: int) -> Point:
        """The middle of a box, an entry or an exit."""
        return (self.layout.x[k] + self.shift, self.levels[self.layout.rank[k]])

    def climb(self, a: int, b: int, port: float) -> Path:
        """The way from a up to b, which it reaches at x = port.

        Slanted pieces stay between two ranks; along a rank the way is vertical, where the layout
        has kept room for it.
        """
        x, y = self.at(a)
        path = [line((x, y + self._half(a)), (x, self._band(self.layout.rank[a])[1]))]
        for n, bend in enumerate(self.layout.bends[a, b], self.layout.rank[a] + 1):
            low, high = self._band(n)
            path.append(rise(path[-1][-1], (bend + self.shift, low)))
            path.append(line((bend + self.shift, low), (bend + self.shift, high)))
        low = self._band(self.layout.rank[b])[0]
        path.append(rise(path[-1][-1], (port, low)))
        path.append(line((port, low), (port, self.at(b)[1] - self._half(b))))
        return join(*path)

    def ports(self) -> dict[tuple[int, int], float]:
        """Where each edge arrives: side by side, in the order in which they come."""
        into: dict[int, list[tuple[float, int]]] = {}
        for a, b in self.edges:
            bends = self.layout.bends[a, b]
            into.setdefault(b, []).append((bends[-1] if bends else self.layout.x[a], a))
        found = {}
        for b, sources in into.items():
            room = self.boxes[b].shape.w * 0.6 if b < len(self.boxes) else 0.0
            step = min(11.0, room / max(len(sources) - 1, 1))
            for n, (_, a) in enumerate(sorted(sources)):
                found[a, b] = self.at(b)[0] + (n - (len(sources) - 1) / 2) * step
        return found

    def _half(self, k: int) -> float:
        return self.boxes[k].shape.h / 2 if k < len(self.boxes) else 0.0

    def _band(self, level: int) -> tuple[float, float]:
        """Bottom and top of a rank."""
        half = self.heights[level] / 2
        return (self.levels[level] - half, self.levels[level] + half)
