"""Scene to SVG, by string formatting: no program needed, and the same bytes everywhere.

Sub- and superscripts are tspans with `dy`, which every browser shows alike; `baseline-shift` is
not. Every text goes through `escape`, every name is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape

from viz.scene.curve import Path, Point, arrow
from viz.scene.label import Label, Run, clean
from viz.scene.label import width as text_width
from viz.scene.scene import Scene, Shape, Wire
from viz.scene.style import (
    GROUND,
    INK,
    LOWER,
    MARK,
    RAISE,
    RING,
    SCRIPT,
    SLANTED,
    Look,
    Style,
)

MARGIN = 13.0
SLIM = 0.37  # half the width of an arrowhead, to its length
LEAN, FAR = 0.1, 0.17  # from a slanted letter, and from an f, to what stands above it, in ems
LONG = 600  # of a title or description


def svg(scene: Scene, width: float | None = None) -> str:
    """The scene as a standalone SVG document with title and description.

    Args:
        scene: what is written.
        width: of the picture in points, if it is not to be as large as the scene.

    >>> from viz.scene.scene import Scene, Shape
    >>> scene = Scene(title="one unit")
    >>> unit = scene.add(Shape("h", 0, 0, 54, 54, "circle", "hidden"))
    >>> svg(scene).splitlines()[1]
    '<title id="title">one unit</title>'
    """
    left, low, right, top = scene.bounds()
    left, low, right, top = left - MARGIN, low - MARGIN, right + MARGIN, top + MARGIN
    w, h = _n(right - left), _n(top - low)
    scale = width / (right - left) if width else 1.0
    size = f'width="{_n(scale * (right - left))}pt" height="{_n(scale * (top - low))}pt"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" '
        f'{size} viewBox="{_n(left)} {_n(-top)} {w} {h}">',
        f'<title id="title">{_text(scene.title)}</title>',
        f'<desc id="desc">{_text(scene.description)}</desc>',
    ]
    if (ground := scene.style.paint(GROUND)) != "none":
        place = f'x="{_n(left)}" y="{_n(-top)}" width="{w}" height="{h}"'
        out.append(f'<rect {place} fill="{ground}"/>')
    shapes = list(scene.shapes.values())
    out += [_shape(scene, s) for s in shapes if s.form == "panel"]
    out += [_wire(wire, scene.style) for wire in scene.wires]
    out += [_shape(scene, s) for s in shapes if s.form != "panel"]
    out += [
        _label(scene.style, (t.x, t.y), t.label, t.size, t.colour, t.anchor, t.bold)
        for t in scene.texts
    ]
    return "\n".join([*out, "</svg>", ""])


def _shape(scene: Scene, s: Shape) -> str:
    look = scene.style.look(s.kind)
    paint = scene.style.paint
    fill = paint(s.fill or look.fill)
    stroke = paint(MARK if s.is_marked else s.line or look.line)
    kinds = f"{s.form} {s.kind.partition(':')[0]}{' marked' if s.is_marked else ''}"
    parts = [f'<g id="{s.id}" class="{escape(kinds)}">']
    if s.title:
        parts.append(f"<title>{_text(s.title)}</title>")
    dashes = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    pen = f'stroke="{stroke}" stroke-width="{_n(stroke_width(s, look))}"{dashes}'
    parts.append(_outline(s, 0.0, f'fill="{fill}" {pen}'))
    if s.is_marked:
        parts.append(_outline(s, RING, f'fill="none" {pen}'))
    for k, (label, size) in enumerate(zip(s.lines, s.sizes(), strict=True)):
        at = (s.x, line_height(s, k))
        parts.append(_label(scene.style, at, label, size, INK, "middle", s.bold))
    if s.is_fraction:
        half = max(text_width(label, s.size) for label in s.lines) / 2
        bar = f"M{_n(s.x - half)},{_n(-s.y)}H{_n(s.x + half)}"
        parts.append(f'<path d="{bar}" fill="none" stroke="{paint(INK)}" stroke-width="0.8"/>')
    return "".join([*parts, "</g>"])


def stroke_width(s: Shape, look: Look) -> float:
    """The width of a shape's border."""
    if s.is_marked:
        return 2.0
    return look.pen or {"panel": 1.0, "box": 1.1, "tag": 1.1}.get(s.form, 1.6)


def _outline(s: Shape, away: float, paint: str) -> str:
    """The border of a shape, or a line around it."""
    if s.form == "circle":
        return f'<circle cx="{_n(s.x)}" cy="{_n(-s.y)}" r="{_n(s.w / 2 + away)}" {paint}/>'
    w, h = s.w + 2 * away, s.h + 2 * away
    round_ = {"box": 5.0, "panel": 12.0}.get(s.form, 0.0) + (away if s.form != "tag" else 0.0)
    return (
        f'<rect x="{_n(s.x - w / 2)}" y="{_n(-s.y - h / 2)}" width="{_n(w)}" '
        f'height="{_n(h)}" rx="{_n(round_)}" {paint}/>'
    )


def line_height(s: Shape, k: int) -> float:
    """The height of the middle of the k-th line."""
    if s.is_fraction:  # a superscript below the bar needs room
        return s.y + (0.56, -0.78)[k] * s.size
    sizes = [size * 1.2 for size in s.sizes()]
    if len(sizes) > 1:
        sizes[0] += 3  # room for a subscript
    return s.y + sum(sizes) / 2 - sum(sizes[:k]) - sizes[k] / 2


def _wire(wire: Wire, style: Style) -> str:
    path, tip = arrow(wire.path, wire.reach) if wire.head else (wire.path, None)
    dashes = ' stroke-dasharray="5 4"' if wire.dashed else ""
    colour = style.paint(wire.colour)
    about = f' data-from="{wire.source}" data-to="{wire.target}"'
    parts = [
        f'<path class="edge"{about} d="{_path(path)}" fill="none" stroke="{colour}" '
        f'stroke-width="{_n(wire.width)}"{dashes}/>'
    ]
    if tip:
        base = path[-1]
        dx, dy = (tip[0] - base[0]) * SLIM, (tip[1] - base[1]) * SLIM
        corners = [tip, (base[0] - dy, base[1] + dx), (base[0] + dy, base[1] - dx)]
        points = " ".join(f"{_n(x)},{_n(-y)}" for x, y in corners)
        parts.append(f'<polygon points="{points}" fill="{colour}"/>')
    return "".join(parts)


def _path(path: Path) -> str:
    pairs = [f"{_n(x)},{_n(-y)}" for x, y in path]
    return f"M{pairs[0]}C{' '.join(pairs[1:])}"


def _label(
    style: Style, at: Point, label: Label, size: float, colour: str, anchor: str, bold: bool = False
) -> str:
    x, y = at
    weight = ' font-weight="bold"' if bold else ""
    fill = style.paint(colour)
    return (
        f'<text x="{_n(x)}" y="{_n(-y + size * 0.34)}" text-anchor="{anchor}" fill="{fill}" '
        f'font-size="{_n(size)}"{weight}>{_runs(style, label, size)}</text>'
    )


def _runs(style: Style, label: Sequence[Run], size: float) -> str:
    parts, level, lean = [], 0.0, 0.0
    for run in label:
        wanted = {0: 0.0, 1: -RAISE, -1: -LOWER}[run.script]
        shift = f' dy="{_n((wanted - level) * size)}"' if wanted != level else ""
        if lean and run.script > 0:  # a slanted letter reaches over what stands above it
            shift += f' dx="{_n(lean * size)}"'
        far = FAR if run.text.endswith("f") else LEAN
        level, lean = wanted, far if run.role == SLANTED and not run.script else 0.0
        slant = ' font-style="italic"' if run.role == SLANTED else ""
        small = f' font-size="{_n(size * SCRIPT)}"' if run.script else ""
        parts.append(
            f'<tspan font-family="{family(style, run.role)}"{slant}{small}{shift}>'
            f"{_text(run.text)}</tspan>"
        )
    return "".join(parts)


BEHIND = {
    "Arial": "'Liberation Sans', Helvetica, sans-serif",
    "Times": "'Liberation Serif', 'Times New Roman', serif",
}
"""What stands in for a family that a reader has not."""


def family(style: Style, role: str) -> str:
    """The families of fonts of a role of text, the wanted one first."""
    name = style.faces[role]
    shown = name if name.isalpha() else f"'{name}'"
    return f"{shown}, {BEHIND.get(name, 'sans-serif' if role == 'word' else 'serif')}"


def _text(text: str) -> str:
    return escape(clean(text, LONG))


@lru_cache(4096)  # most numbers of a picture are in it more than once
def _n(value: float) -> str:
    """A number with at most two decimals, without a trailing zero or a negative zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
