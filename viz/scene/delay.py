"""The mark of a delay: by it a recurrent edge is known in every picture."""

from __future__ import annotations

from viz.scene.curve import Point
from viz.scene.label import symbol
from viz.scene.scene import Scene, Shape, Text, identifier
from viz.scene.style import SQUARE


def delay_mark(
    scene: Scene, edge: tuple[str, str, str], delay: int, at: Point, colour: str, side: int = 1
) -> None:
    """The filled square of a delay, and how much it is; an edge is source, target, name."""
    name = f"_delay_{identifier(*edge)}"
    scene.add(
        Shape(name, *at, SQUARE, SQUARE, "square", "op", fill=colour, line=colour,
              title=f"read with a delay of {delay}")
    )  # fmt: skip
    sign = "+" if delay < 0 else "−"
    label = (*symbol("t"), *symbol(f"{sign}{abs(delay)}", role="time"))
    anchor = "start" if side > 0 else "end"
    scene.texts.append(Text(at[0] + side * 8, at[1], label, 13, colour, anchor))
