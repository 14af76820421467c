"""A pen: wires, names and branching points of block diagrams, put into a scene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from viz.quotients.quotient import Link
from viz.scene.curve import Path, Point
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
