r"""Scene to TikZ: a `tikzpicture` for `\input`, set in the fonts of the text around it.

It compiles with plain pdflatex and `\usepackage{tikz}`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from viz.output.svg import line_height, stroke_width
from viz.output.tex import tex
from viz.scene.curve import Path, arrow
from viz.scene.label import Label, clean
from viz.scene.scene import Scene, Shape, Wire
from viz.scene.style import GROUND, INK, MARK, RING


def tikz(scene: Scene, width: float | None = None) -> str:
    r"""The scene as a `tikzpicture`, as wide as it is, or `width` points.

    >>> from viz.scene.scene import Scene, Shape
    >>> scene = Scene(title="one unit")
    >>> unit = scene.add(Shape("h", 0, 0, 54, 54, "circle", "hidden"))
    >>> tikz(scene).splitlines()[1]
    '\\begin{tikzpicture}[x=1bp,y=1bp]'
    """
    left, _, right, _ = scene.bounds()
    shapes = list(scene.shapes.values())
    pen = _Pen(scene, width / (right - left) if width else 1.0)
    for s in shapes:
        if s.form == "panel":
            pen.shape(s)
    for wire in scene.wires:
        pen.wire(wire)
    for s in shapes:
        if s.form != "panel":
            pen.shape(s)
    for t in scene.texts:
        pen.text(t.x, t.y, t.label, t.size, t.colour, t.anchor, t.bold)
    return pen.whole()


class _Pen:
    """Lines of a picture, and the colours that they name."""

    def __init__(self, scene: Scene, scale: float) -> None:
        self.scene, self.scale = scene, scale
        self.colours: dict[str, str] = {}
        self.lines: list[str] = []

    def whole(self) -> str:
        known = [
            rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}%"
            for colour, name in self.colours.items() if colour.startswith("#")
        ]  # fmt: skip
        ground, lines = self.scene.style.paint(GROUND), self.lines
        if ground not in ("none", "white"):
            left, low, right, top = self.scene.bounds()
            ends = self.at((left - 12, low - 12)), self.at((right + 12, top + 12))
            corners = " rectangle ".join(ends)
            lines = [rf"\fill[{self.colour(ground)}] {corners};", *lines]
            known.append(rf"\definecolor{{{self.colour(ground)}}}{{HTML}}{{{ground[1:].upper()}}}%")
        title = "".join(c if c.isascii() else "?" for c in clean(self.scene.title, 120))
        begin = r"\begin{tikzpicture}[x=1bp,y=1bp]"
        return "\n".join(
            [f"% {title}", begin, *dict.fromkeys(known), *lines, r"\end{tikzpicture}", ""]
        )

    def colour(self, ink: str) -> str:
        painted = self.scene.style.paint(ink)
        return self.colours.setdefault(painted, f"mg{len(self.colours)}" if painted != "white" else
                                       painted)  # fmt: skip

    def at(self, point: tuple[float, float]) -> str:
        return f"({self.n(point[0])},{self.n(point[1])})"

    def n(self, value: float) -> str:
        text = f"{value * self.scale:.2f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    def dashes(self, lengths: Iterable[float]) -> str:
        steps = itertools.cycle(("on", "off"))
        return " ".join(f"{next(steps)} {self.n(length)}bp" for length in lengths)

    def shape(self, s: Shape) -> None:
        look = self.scene.style.look(s.kind)
        line = MARK if s.is_marked else s.line or look.line
        pen = f"draw={self.colour(line)},line width={self.n(stroke_width(s, look))}bp"
        if look.dash:
            pen += f",dash pattern={self.dashes(map(float, look.dash.split()))}"
        fill = self.colour(s.fill or look.fill)
        self.lines.append(rf"\path[fill={fill},{pen}] {self.outline(s)};")
        if s.is_marked:
            self.lines.append(rf"\path[{pen}] {self.outline(s, RING)};")
        for k, (label, size) in enumerate(zip(s.lines, s.sizes(), strict=True)):
            size *= 0.9 if s.form == "circle" else 1.0  # formulas of LaTeX are wider
            self.text(s.x, line_height(s, k), label, size, INK, "middle", s.bold)
        if s.is_fraction:
            half = s.size * 0.9
            ends = f"{self.at((s.x - half, s.y))} -- {self.at((s.x + half, s.y))}"
            self.lines.append(rf"\draw[{self.colour(INK)},line width={self.n(0.8)}bp] {ends};")

    def outline(self, s: Shape, away: float = 0.0) -> str:
        if s.form == "circle":
            return f"{self.at((s.x, s.y))} circle[radius={self.n(s.w / 2 + away)}bp]"
        w, h = s.w / 2 + away, s.h / 2 + away
        low, high = self.at((s.x - w, s.y - h)), self.at((s.x + w, s.y + h))
        round_ = {"box": 5.0, "panel": 12.0}.get(s.form, 0.0)
        corners = f"[rounded corners={self.n(round_)}bp] " if round_ else ""
        return f"{corners}{low} rectangle {high}"

    def wire(self, wire: Wire) -> None:
        path, tip = arrow(wire.path, wire.reach) if wire.head else (wire.path, None)
        dash = f",dash pattern={self.dashes((5, 4))}" if wire.dashed else ""
        colour = self.colour(wire.colour)
        pen = f"{colour},line width={self.n(wire.width)}bp{dash}"
        self.lines.append(rf"\draw[{pen}] {self.curve(path)};")
        if tip:
            base = path[-1]
            dx, dy = (tip[0] - base[0]) * 0.37, (tip[1] - base[1]) * 0.37
            corners = [tip, (base[0] - dy, base[1] + dx), (base[0] + dy, base[1] - dx)]
            self.lines.append(rf"\fill[{colour}] {' -- '.join(map(self.at, corners))} -- cycle;")

    def curve(self, path: Path) -> str:
        parts = [self.at(path[0])]
        for k in range(1, len(path) - 1, 3):
            a, b, end = map(self.at, path[k : k + 3])
            parts.append(f".. controls {a} and {b} .. {end}")
        return " ".join(parts)

    def text(
        self, x: float, y: float, label: Label, size: float, colour: str, anchor: str,
        bold: bool = False,
    ) -> None:  # fmt: skip
        """Every label stands on one line, as high as its letters, whatever hangs from them."""
        # Scaled from 10 pt: in small sizes letters of TeX are wider, scripts at least 5 pt.
        face = r"\fontsize{10}{12}\selectfont"
        face += r"\sffamily\bfseries " if bold else r"\sffamily "
        side = {"start": "base west", "middle": "base", "end": "base east"}[anchor]
        place = self.at((x, y - size * 0.34))
        scale = f"scale={max(size * self.scale, 1.0) / 10:.3f}"
        options = f"anchor={side},inner sep=0pt,{scale},text={self.colour(colour)}"
        self.lines.append(rf"\node[{options}] at {place} {{{face}{tex(label)}}};")
