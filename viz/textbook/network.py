"""Textbook figures of a quotient: folded, unfolded in time, or both side by side."""

from __future__ import annotations

from collections.abc import Mapping

from viz.quotients.quotient import Link, Quotient
from viz.quotients.steps import Steps, told
from viz.scene.curve import line
from viz.scene.label import Label, plain, words
from viz.scene.scene import Scene, Text, Wire
from viz.scene.style import CIRCLE, GREY, MUTED, ROW, Style
from viz.textbook import weights
from viz.textbook.grid import STUB, Grid

Weights = Mapping[int, Label]
"""Labels of the parameters that are written on edges, by node number."""


def folded(view: Quotient, style: Style, on_edges: Weights | None = None) -> Scene:
    """One step, its recurrent edges as loops."""
    scene = Scene(f"{names(view)}, folded", f"One time step: {describe(view)}.", style)
    _folded(view, scene, on_edges or {})
    return scene


def unfolded(view: Quotient, steps: Steps, style: Style, on_edges: Weights | None = None) -> Scene:
    """A column for every step; recurrent edges run from column to column."""
    title = f"{names(view)}, unfolded over {steps.total} steps"
    span = f"{steps.name(1)} to {steps.name(steps.total)}"
    scene = Scene(title, f"Time steps {span}: {describe(view)}.", style)
    grid = Grid(view, scene)
    columns(grid, 0.0, steps, on_edges or {})
    grid.name_bows()
    return scene


def both(
    view: Quotient,
    steps: Steps,
    style: Style,
    on_edges: Weights | None = None,
    headings: bool = True,
) -> Scene:
    """The folded figure, an arrow, and the unfolded one on the same rows."""
    title = f"{names(view)}, folded and unfolded over {steps.total} steps"
    span = f"{steps.name(1)} to {steps.name(steps.total)}"
    left = Scene(title, f"One time step, and steps {span}: {describe(view)}.", style)
    right = Scene(style=style)
    grid = _folded(view, left, on_edges or {}, tell=False)
    other = Grid(view, right)
    columns(other, 0.0, steps, on_edges or {})
    other.name_bows()
    arrow = left.bounds()[2] + 22
    # Short stubs take the room of long ones, so that figures below each other have equal columns.
    x = arrow + 66 + 22 + max(-right.bounds()[0], CIRCLE / 2 + STUB + 2)
    y = grid.top / 2 - 10
    middle = x + steps.places[-1] * other.pitch / 2
    left.merge(right, x)
    left.wires.append(Wire("", "", line((arrow, y), (arrow + 66, y)), GREY, 5.0, head=2.0))
    left.texts.append(Text(arrow + 27, y + 17, words("unfold"), 13, MUTED))
    _, low, _, high = left.bounds()
    if not headings:
        return left
    left.texts += [
        Text(0, high + 22, words("folded"), 15, bold=True),
        Text(middle, high + 22, words("unfolded in time"), 15, bold=True),
        Text(middle, low - 16, words("the same weights are used at every step"), 12, MUTED),
    ]
    return left


def names(view: Quotient) -> str:
    """The labels of a view's blocks."""
    return ", ".join(plain(block.label) for block in view.blocks)


def describe(view: Quotient) -> str:
    """Blocks and recurrent edges in a sentence, for readers who cannot see the picture."""
    edges = [
        f"{plain(view[k.source].label)} to {plain(view[k.target].label)} with delay {k.delay}"
        for k in view.links
        if k.delay
    ]
    return f"{names(view)}; recurrent edges: {', '.join(edges) or 'none'}"


def _folded(view: Quotient, scene: Scene, on_edges: Weights, tell: bool = True) -> Grid:
    grid = Grid(view, scene)
    grid.column(0.0, "t" if any(link.delay for link in view.links) else "", 0)
    for link in view.links:
        if not link.delay:
            grid.up(link, 0)
    _leave(grid, 0)
    for link in view.links:
        if link.delay:
            grid.back(link, colour(view, scene.style, link))
    weights.write(scene, grid.drawn, on_edges, tell)
    return grid


def columns(grid: Grid, x: float, steps: Steps, on_edges: Weights) -> None:
    """The steps as columns, the first at x."""
    view, scene = grid.view, grid.scene
    place = dict(zip(steps.shown, steps.places, strict=True))
    for t in steps.shown:
        grid.column(x + place[t] * grid.pitch, steps.name(t), t)
    for t in steps.shown:
        for link in view.links:
            if link.delay == 0:
                grid.up(link, t)
        _leave(grid, t)
    for link in view.links:
        for t in steps.shown if link.delay else ():
            # A step that is not shown lends its place, so many pitches away, to a dashed edge.
            for source, target in ((t - link.delay, t), (t, t + link.delay)):
                shown = (source in place, target in place)
                if all(shown) and t == source:
                    continue  # drawn when t is the target
                other = target if t == source else source
                if not all(shown):
                    grid.column(x + (place[t] + other - t) * grid.pitch, "", other, shown=False)
                tint = colour(view, scene.style, link)
                grid.across(link, target, shown, tint, steps.given(source))
    for gap, first, last in steps.gaps:
        middle = x + gap * grid.pitch
        for y in sorted({s.y for s in grid.spots}):
            scene.texts.append(Text(middle, y, words("⋯"), 22, MUTED))
        scene.texts.append(Text(middle, -ROW / 2 - 2, words(told(first, last)), 12, MUTED))
    weights.write(scene, grid.drawn, on_edges)


def _leave(grid: Grid, step: int) -> None:
    """An arrow out of a result that is a state, and so has no circle for outputs above it."""
    for name in grid.view.outputs:
        if grid.view[name].kind not in ("input", "output"):
            grid.leave(name, step)


def colour(view: Quotient, style: Style, link: Link) -> str:
    """The colour of a recurrent edge: that of memories, of what a unit shows, or of all others."""
    if link.name in view.memories:
        return style.carry(0, is_memory=True)
    return style.carry(0) if link.name in view[link.source].states else style.recurrent
