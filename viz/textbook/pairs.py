"""Two networks in one picture: forward and backward, encoder and decoder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from viz.quotients.quotient import Block, Link, Quotient
from viz.quotients.steps import Steps
from viz.scene.curve import Point, bow, join, line, rise
from viz.scene.label import Label, Run, plain, symbol, timed, width, words
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import CIRCLE, GREY, MUTED, PITCH, ROW, Style
from viz.textbook import network
from viz.textbook.grid import Grid, clear, edge
from viz.textbook.spots import shown_state

FED, SAVED = "fed back", "saved"
SUMMED = 13.0  # size of the names of gradients


def there_and_back(
    forward: Quotient, backward: Quotient, steps: Steps, style: Style,
    saved: Collection[tuple[str, str]] = (), gradients: Mapping[str, Label] = MappingProxyType({}),
) -> Scene:  # fmt: skip
    """The forward run below, backpropagation through time above it, between them the loss.

    Args:
        forward: circles of a cell.
        backward: circles of its adjoint.
        steps: the columns of both.
        style: of the picture.
        saved: circles of the forward run whose values circles of the backward run read.
        gradients: for circles of the backward run the gradients of weights that they give.
    """
    scene = Scene("Forward and backward through time", style=style)
    scene.description = (
        f"Below, forward: {network.describe(forward)}. Above, backward: "
        f"{network.describe(backward)}."
    )
    low, high = Grid(forward, scene), Grid(backward, Scene(style=style))
    low.pitch = high.pitch = max(low.pitch, high.pitch)
    network.columns(low, 0.0, steps, {})
    network.columns(high, 0.0, replace(steps, gaps=()), {})
    given = [b for b in backward.blocks if b.kind == "input"]
    loss = low.top + 62
    new = scene.merge(high.scene, 0.0, loss + 62 + ROW / 2)
    for t, place in zip(steps.shown, steps.places, strict=True):
        x = place * low.pitch
        label = timed(symbol("L"), steps.name(t))
        name = f"L_t{t}"
        box = Shape(name, x, loss, 46, 30, "box", "op", (label,), 17, f"loss at t = {t}", name)
        scene.add(box)
        for output in forward.outputs:
            shape = low.shapes[output, shown_state(forward[output]), t]
            # The arrow of a result that is a state already leads up to the loss.
            scene.wires = [
                w for w in scene.wires
                if w.source != shape.id or w.target or w.delay or w.path[0][0] != w.path[-1][0]
            ]  # fmt: skip
            ends = (shape.border((x, loss)), (x, loss - 15))
            scene.wires.append(Wire(shape.id, name, line(*ends), width=1.5))
        for block in given:
            target = scene.shapes[new[high.shapes[block.id, "", t].id]]
            ends = ((x, loss + 15), target.border((x, loss)))
            scene.wires.append(Wire(name, target.id, line(*ends), width=1.5))
    above = {key: scene.shapes[new[s.id]] for key, s in high.shapes.items() if s.id}
    for a, b in saved:
        for t in steps.shown:
            shape = low.shapes[a, shown_state(forward[a]), t]
            _around(scene, shape, above[b, "", t], GREY, True, SAVED)
    if gradients:
        _sums(scene, gradients, steps.places[-1] * low.pitch + CIRCLE)
    for name in gradients:
        for t in steps.shown:
            colour = scene.style.look("weight").line
            _around(scene, above[name, "", t], scene.shapes["_sums"], colour)
    if saved:
        left, low_, _, _ = scene.bounds()
        told = words("dashed: values that the backward run reads again")
        scene.texts.append(Text(left + 4, low_ - 14, told, 12, MUTED, "start"))
    return scene


def _sums(scene: Scene, gradients: Mapping[str, Label], wide: float) -> None:
    """A box above all columns with the gradients of weights, which are sums over all steps."""
    lines: list[list[Run]] = []
    for label in gradients.values():
        lines.append([])
        for names in _parted(label):
            if width((*lines[-1], *names), SUMMED) > wide - 16:
                lines.append([])
            lines[-1] += names
    _, _, _, top = scene.bounds()
    high, x = 20.0 * len(lines) + 8, (wide - CIRCLE) / 2
    told = "; ".join(plain(label) for label in gradients.values())
    scene.add(Shape("_sums", x, top + 26 + high / 2, wide, high, "panel", "weight",
                    title=f"sums over all steps: {told}"))  # fmt: skip
    for n, line_ in enumerate(lines):
        y = top + 26 + high - 14 - 20 * n
        scene.texts.append(Text(x, y, tuple(line_), SUMMED))


def _parted(label: Label) -> list[list[Run]]:
    """A list of names, each with the comma behind it."""
    found: list[list[Run]] = [[]]
    for run in label:
        found[-1].append(run)
        if run.text == ", ":
            found.append([])
    return found


def _around(
    scene: Scene, a: Shape, b: Shape, colour: str, dashed: bool = False, name: str = ""
) -> None:
    """An edge up from a to b, past what stands between them."""
    wide = b.w > 2 * CIRCLE

    def arrive(side: float) -> Point:
        if not wide:
            return edge(b, -90 + side * 60) if side else b.border((a.x, a.y))
        return (min(max(a.x + side * 18, b.x - b.w / 2 + 6), b.x + b.w / 2 - 6), b.y - b.h / 2)

    candidates = [line(a.border(arrive(0)), arrive(0))]
    for pull in (36, 52, 70, 90, 112, 140, 170, 204, 240, 280, 330):
        for side in (1, -1):
            candidates.append(bow(edge(a, 90 - side * 60), arrive(side), (side * pull, 0)))
    for pull in range(44, 140, 12):  # straight up between two columns
        for side in (1, -1):
            low, high, x = edge(a, 90 - side * 60), arrive(side), a.x + side * pull
            way = [(x, low[1] + ROW / 4), (x, high[1] - ROW / 4)]
            candidates.append(join(rise(low, way[0]), line(*way), rise(way[1], high)))
    solid = [s for s in scene.shapes.values() if s.form != "panel" and s.id not in (a.id, b.id)]
    solid += [_room(text) for text in scene.texts]
    # These are long: their points are to be closer together than circles are wide.
    path = clear(candidates, [s for s in solid if abs(s.x - a.x) < 400 + s.w / 2], 40)
    scene.wires.append(Wire(a.id, b.id, path, colour, 1.2, dashed, head=0.8, name=name))


def _room(text: Text) -> Shape:
    """A text as a shape that edges stay clear of."""
    left, low, right, high = text.box()
    middle = ((left + right) / 2, (low + high) / 2)
    return Shape("", *middle, right - left, high - low, "box", "op")


def handed_over(
    encoder: Quotient,
    decoder: Quotient,
    handed: tuple[Sequence[str], Sequence[str]],
    inputs: int,
    outputs: int,
    style: Style,
) -> Scene:
    """An encoder that reads, and a decoder that starts from its last state and writes.

    Args:
        encoder: circles of the cell that reads.
        decoder: circles of the cell that writes; its outputs become its inputs.
        handed: the recurrent values that the one leaves and the other takes, by name and in order;
            all others are masks, which each has from outside.
        inputs: the number of steps that are read.
        outputs: the number of steps that are written.
        style: of the picture.
    """
    scene = Scene("Encoder and decoder", style=style)
    scene.description = (
        f"The encoder reads {inputs} steps: {network.describe(encoder)}. From its last state the "
        f"decoder writes {outputs} steps: {network.describe(decoder)}."
    )
    below, above = Grid(encoder, scene), Grid(_fed_back(_with_result(decoder)), scene)
    # Both stand on the rows of the encoder: its states and those of the decoder are one row.
    lift = min(s.y for s in below.spots if s.block.kind != "input") - above.spots[0].y
    above.spots = [replace(s, y=s.y + lift) for s in above.spots]
    pitch = max(below.pitch, above.pitch, PITCH)
    mine, theirs = handed
    for n in range(inputs):
        _step(below, n * pitch, n + 1, pitch, mine)
    states, taken = (
        {k.name: k for k in grid.view.links if k.delay and k.name in names}.values()
        for grid, names in ((below, mine), (above, theirs))
    )
    for state, link in zip(states, taken, strict=False):
        for t in range(1, inputs + 1):  # the steps of the encoder are those before the decoder's
            above.shapes[link.source, above.state(link), t - inputs] = below.source(state, t)
    for n in range(outputs):
        _step(above, (inputs + n) * pitch, n + 1, pitch, (*theirs, FED))
    left, low, _, high = scene.bounds()
    for name, first, count in (("encoder", 0, inputs), ("decoder", inputs, outputs)):
        x, wide = (first + (count - 1) / 2) * pitch, count * pitch - 14
        more = max(0.0, x - wide / 2 - left + 6) if not first else 0.0  # for names of masks
        x, wide = x - more / 2, wide + more
        frame = Shape(f"_{name}", x, (low + high) / 2, wide, high - low + 28, "panel", "panel")
        scene.shapes = {frame.id: frame, **scene.shapes}
        scene.texts.append(Text(x, high + 30, words(name), 15, bold=True))
    return scene


def _step(grid: Grid, x: float, t: int, pitch: float, handed: Collection[str]) -> None:
    """One column with the edges that arrive at it; of start values only masks are shown."""
    grid.column(x, str(t), t)
    for link in grid.view.links:
        if not link.delay:
            grid.up(link, t)
            continue
        before = (link.source, grid.state(link), t - link.delay)
        is_shown = before in grid.shapes and bool(grid.shapes[before].id)
        is_shown &= link.name != FED or t > link.delay
        if is_shown or link.name not in handed:
            if not is_shown:
                standing = dict(grid.shapes)
                grid.column(x - link.delay * pitch, "", t - link.delay, shown=False)
                grid.shapes |= standing
            colour = network.colour(grid.view, grid.scene.style, link)
            grid.across(link, t, (is_shown, True), colour, given=True)


def _with_result(view: Quotient) -> Quotient:
    """The view with a circle for what a network gives where that is one of its states."""
    (given,) = view.outputs[:1]
    if view[given].kind == "output":
        return view
    ids = {block.id for block in view.blocks}
    name = next(n for n in ("y", *(f"y_{k}" for k in range(len(ids) + 1))) if n not in ids)
    shown = Block(name, symbol("y"), "output", ())
    links = (*view.links, Link(given, name))
    return replace(view, blocks=(*view.blocks, shown), links=links, outputs=(name,))


def _fed_back(view: Quotient) -> Quotient:
    """The view of a network that reads what it wrote: in place of its inputs its own outputs."""
    gone = {b.id for b in view.blocks if b.kind == "input"}
    kept = [k for k in view.links if k.source not in gone]
    known = {(k.source, k.target, k.delay) for k in kept}
    fed = [
        replace(k, source=view.outputs[0], delay=1, name=FED)
        for k in view.links
        if k.source in gone and (view.outputs[0], k.target, 1) not in known
    ]
    blocks = tuple(b for b in view.blocks if b.id not in gone)
    return replace(view, blocks=blocks, links=(*kept, *fed))
