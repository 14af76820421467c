"""A pen: wires, names and branching points of block diagrams, put into a scene."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from viz.quotients.quotient import Link
from viz.scene.curve import Path, Point, join, line
from viz.scene.label import Label
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import INK


@dataclass(frozen=True)
class Pen:
    """What draws into one scene."""

    scene: Scene

    def branch(self, at: Point, colour: str) -> None:
        """A dot where a line branches."""
        name = f"_branch_{len(self.scene.shapes)}"
        self.scene.add(Shape(name, *at, 6.5, 6.5, "square", "op", fill=colour, line=colour))

    def wire(
        self, source: str, target: str, path: Path, colour: str, width: float, head: float = 0.9,
        links: Iterable[Link] = (),
    ) -> None:  # fmt: skip
        """A wire; `links` are those that one from a bus carries to its target."""
        carries = tuple((k.source, k.delay) for k in links)
        wire = Wire(source, target, path, colour, width, head=head, carries=carries)
        self.scene.wires.append(wire)

    def text(
        self, at: Point, label: Label, size: float, anchor: str = "middle", colour: str = INK
    ) -> None:
        """A text on the canvas."""
        self.scene.texts.append(Text(*at, label, size, colour, anchor))


def hopping(start: Point, end: Point, over: Sequence[Point], radius: float = 8.0) -> Path:
    """A straight line, upright or level, with a hop over each of the points on it.

    >>> from viz.scene.curve import flat
    >>> max(y for _, y in flat(hopping((0, 0), (90, 0), [(30, 0)])))
    8.0
    """
    across = start[1] == end[1]
    way = 1 if end > start else -1
    parts, at = list[Path](), start
    for x, y in sorted(over, reverse=way < 0):
        dx, dy = (radius * way, 0.0) if across else (0.0, radius * way)
        near, far = (x - dx, y - dy), (x + dx, y + dy)
        side = (0.0, radius * 4 / 3) if across else (radius * 4 / 3, 0.0)
        arc = (near, *((px + side[0], py + side[1]) for px, py in (near, far)), far)
        parts += [line(at, near), arc]
        at = far
    return join(*parts, line(at, end))
