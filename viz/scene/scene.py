"""Scenes: everything that is drawn, with its place; points are 1/72 inch and y points up.

A scene knows nothing about networks or files. Views put shapes, wires and texts into it,
renderers write it down.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from dataclasses import dataclass, field, replace

from viz.scene.curve import Path, Point, flat
from viz.scene.label import Label, fit, plain, width
from viz.scene.style import ARROW, INK, MITRE, Style
from viz.scene.styles import PRINT


@dataclass(frozen=True)
class Shape:
    """A node: its centre, size, form and text.

    Attributes:
        id: the name in DOT and SVG, such as `h1_t3`.
        form: "circle", "box" (round corners), "tag" (square corners), "panel" (behind the rest),
            "square" (the mark of a delay).
        kind: what the style looks up; `fill` and `line` override it.
        lines: the label, one or more lines; the first is the large one.
        title: what is told when the mouse points at it.
        block: which block of the quotient it shows; "" for decoration.
        inside: the shape that contains this one.
        is_marked: pointed out, by a heavy double border.
        further: the size of the lines after the first, to that of the first.
        is_fraction: its two lines are of one size, with a bar between them.
    """

    id: str
    x: float
    y: float
    w: float
    h: float
    form: str
    kind: str
    lines: tuple[Label, ...] = ()
    size: float = 18.0
    title: str = ""
    block: str = ""
    inside: str = ""
    fill: str = ""
    line: str = ""
    bold: bool = False
    is_marked: bool = False
    further: float = 0.78
    is_fraction: bool = False

    def border(self, toward: Point) -> Point:
        """Where the straight line from the centre to a point leaves the shape."""
        dx, dy = toward[0] - self.x, toward[1] - self.y
        if self.form == "circle":
            scale = self.w / 2 / (math.hypot(dx, dy) or 1)
        else:
            scale = min(
                self.w / 2 / abs(dx) if dx else math.inf, self.h / 2 / abs(dy) if dy else math.inf
            )
        return (self.x + dx * scale, self.y + dy * scale)

    def sizes(self) -> list[float]:
        """Font sizes of the lines: the first in full, further ones small."""
        small = self.size if self.is_fraction else self.size * self.further
        return [small if k else self.size for k in range(len(self.lines))]

    def distance(self, point: Point) -> float:
        """How far outside of the shape a point lies; negative inside."""
        dx, dy = abs(point[0] - self.x), abs(point[1] - self.y)
        if self.form == "circle":
            return math.hypot(dx, dy) - self.w / 2
        dx, dy = dx - self.w / 2, dy - self.h / 2
        return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0)


@dataclass(frozen=True)
class Wire:
    """An edge from shape to shape; "" stands for an end in the open.

    Attributes:
        name, delay: of the recurrent edge that it is.
        carries: of a wire that comes from a bus, the blocks it brings to its target, each with
            the delay.
    """

    source: str
    target: str
    path: Path
    colour: str = INK
    width: float = 1.4
    dashed: bool = False
    head: float = 1.0
    name: str = ""
    delay: int = 0
    carries: tuple[tuple[str, int], ...] = ()

    @property
    def reach(self) -> float:
        """The length of the arrowhead with its outline."""
        return (ARROW * self.head + MITRE * self.width) if self.head else 0.0


@dataclass(frozen=True)
class Text:
    """Text on the canvas; `anchor` is "start", "middle" or "end"."""

    x: float
    y: float
    label: Label
    size: float = 13.0
    colour: str = INK
    anchor: str = "middle"
    bold: bool = False

    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        w = width(self.label, self.size)
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * w
        return (left, self.y - self.size * 0.6, left + w, self.y + self.size * 0.6)


@dataclass
class Scene:
    """A picture: shapes (those behind first), wires and texts."""

    title: str = ""
    description: str = ""
    style: Style = PRINT
    shapes: dict[str, Shape] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def add(self, shape: Shape) -> Shape:
        """Put a shape in; an id that is taken gets a number."""
        if shape.id in self.shapes:
            count = next(n for n in itertools.count(2) if f"{shape.id}__{n}" not in self.shapes)
            shape = replace(shape, id=f"{shape.id}__{count}")
        self.shapes[shape.id] = shape
        return shape

    def merge(self, other: Scene, dx: float, dy: float = 0.0) -> dict[str, str]:
        """Put another scene into this one, moved by (dx, dy); gives back its new ids by its old."""
        new: dict[str, str] = {}
        for s in other.shapes.values():
            new[s.id] = self.add(
                replace(s, x=s.x + dx, y=s.y + dy, inside=new.get(s.inside, ""))
            ).id
        for w in other.wires:
            path = tuple((x + dx, y + dy) for x, y in w.path)
            source, target = new.get(w.source, ""), new.get(w.target, "")
            self.wires.append(replace(w, path=path, source=source, target=target))
        self.texts += [replace(text, x=text.x + dx, y=text.y + dy) for text in other.texts]
        return new

    def said(self) -> Scene:
        """The same scene in the words of its style; text that gets too long for a shape shrinks."""
        say = self.style.say

        def told(label: Label) -> Label:
            return tuple(
                run._replace(text=f"{say(text)}{run.text[len(text):]}")
                if run.role == "word" and (text := run.text.rstrip())
                else run
                for run in label
            )

        def fitted(s: Shape) -> Shape:
            lines = tuple(map(told, s.lines))
            size = min((fit(new, s.size, max(width(old, s.size), s.w - 8))
                        for old, new in zip(s.lines, lines, strict=True) if new != old),
                       default=s.size)  # fmt: skip
            return replace(s, lines=lines, size=size, title=say(s.title))

        return Scene(
            say(self.title), say(self.description), self.style,
            {name: fitted(s) for name, s in self.shapes.items()}, list(self.wires),
            [replace(text, label=told(text.label)) for text in self.texts],
        )  # fmt: skip

    def words(self) -> list[str]:
        """What is written in words, and can be said otherwise by a style."""
        labels = [text.label for text in self.texts]
        labels += [line for s in self.shapes.values() for line in s.lines]
        found = {run.text.strip() for label in labels for run in label if run.role == "word"}
        return sorted(text for text in found if any(map(str.isalpha, text)))

    def smallest(self) -> tuple[float, str]:
        """The size of the smallest text, sub- and superscripts aside, and the text."""
        sizes = [(t.size, plain(t.label)) for t in self.texts]
        sizes += [(size, plain(line)) for s in self.shapes.values()
                  for line, size in zip(s.lines, s.sizes(), strict=True)]  # fmt: skip
        return min((pair for pair in sizes if pair[1]), default=(math.inf, ""))

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of everything."""
        boxes = [text.box() for text in self.texts]
        boxes += [
            (s.x - s.w / 2, s.y - s.h / 2, s.x + s.w / 2, s.y + s.h / 2)
            for s in self.shapes.values()
        ]
        for wire in self.wires:
            xs, ys = zip(*flat(wire.path, 4), strict=True)
            boxes.append((min(xs) - 2, min(ys) - 2, max(xs) + 2, max(ys) + 2))
        if not boxes:
            return (0.0, 0.0, 1.0, 1.0)
        lefts, lows, rights, tops = zip(*boxes, strict=True)
        return (min(lefts), min(lows), max(rights), max(tops))


def identifier(*parts: object) -> str:
    """A name that DOT and SVG take without quotes: letters of ASCII, digits and underscores.

    It does not begin with an underscore nor contain two in a row; such names are for helpers.

    >>> identifier("C̃", "layer1", "t3")
    'C_layer1_t3'
    """
    text = "_".join(str(part) for part in parts if str(part))
    letters = unicodedata.normalize("NFKD", text.replace("∂", "d"))[:80].encode("ascii", "ignore")
    name = re.sub(r"[\W_]+", "_", letters.decode(), flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() else f"n_{name}" if name else "n"
