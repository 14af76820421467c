"""Panels: several pictures in one, side by side or one above the other, each under its heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from viz.scene.label import words
from viz.scene.scene import Scene, Text
from viz.scene.style import MUTED

GAP = 58.0  # between panels
HEADING, SUBHEADING = 15.0, 11.5


@dataclass(frozen=True)
class Plate:
    """A picture with a heading and, in grey, what it is an example of."""

    scene: Scene
    heading: str
    subheading: str = ""


def beside(panels: Sequence[Plate], title: str, gap: float = GAP) -> Scene:
    """The panels from left to right, their headings in one line.

    >>> from viz.scene.scene import Scene, Shape
    >>> left, right = Scene(), Scene()
    >>> shapes = [s.add(Shape("h", 0, 0, 54, 54, "circle", "hidden")) for s in (left, right)]
    >>> list(beside([Plate(left, "one"), Plate(right, "two")], "two units").shapes)
    ['h', 'h__2']
    """
    about = " ".join(f"{p.heading}: {p.scene.description}" for p in panels)
    whole = Scene(title, about, panels[0].scene.style)
    top = max(panel.scene.bounds()[3] for panel in panels)
    small = any(panel.subheading for panel in panels)
    x = 0.0
    for panel in panels:
        heads = [Text(0, top + (39 if small else 24), words(panel.heading), HEADING, bold=True)]
        if panel.subheading:
            below = Text(0, top + 19, words(panel.subheading), SUBHEADING, MUTED)
            heads.append(below)
        left, _, right, _ = panel.scene.bounds()
        middle = (left + right) / 2
        half = max([right - middle, *((t.box()[2] - t.box()[0]) / 2 for t in heads)])
        whole.merge(panel.scene, x + half - middle)
        whole.texts += [replace(text, x=x + half) for text in heads]
        x += 2 * half + gap
    return whole


def stacked(panels: Sequence[Plate], title: str, gap: float = 40.0) -> Scene:
    """The panels from top to bottom, their left borders in one line."""
    about = " ".join(f"{p.heading}: {p.scene.description}" for p in panels)
    whole = Scene(title, about, panels[0].scene.style)
    y = 0.0
    for panel in panels:
        left, low, _, high = panel.scene.bounds()
        whole.texts.append(Text(0, y, words(panel.heading), HEADING, anchor="start", bold=True))
        if panel.subheading:
            small = words(panel.subheading)
            whole.texts.append(Text(0, y - 20, small, SUBHEADING, MUTED, "start"))
            y -= 20
        whole.merge(panel.scene, -left, y - 18 - high)
        y -= 18 + high - low + gap
    return whole
