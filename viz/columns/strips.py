"""A column with what stands behind and around it, before its place is known and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from viz.columns.boxes import TAG, Box
from viz.columns.channels import Channels, Signal, entry
from viz.columns.column import Column
from viz.scene.curve import line
from viz.scene.label import words
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import MUTED, WIRE

GAP = 76.0  # width of a column that stands for steps left out
EDGE = 26.0  # around a frame
THIN = 1.1


@dataclass(frozen=True)
class Strip:
    """What a column is made of, before it is known what enters and leaves.

    Neighbours of the same frame, a number and a title, have it drawn around them. A gap stands for
    steps that are left out.
    """

    title: str
    boxes: tuple[Box, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    frame: tuple[int, str] | None = None
    is_gap: bool = False


def frames(
    scene: Scene, strips: Sequence[Strip], columns: Sequence[Column], channels: Channels, y: float
) -> None:
    """What stands around several columns, and its title at the height y."""
    for frame in dict.fromkeys(strip.frame for strip in strips):
        if frame is None:
            continue
        number, title = frame
        inside = [k for k, strip in enumerate(strips) if strip.frame == frame]
        left = columns[inside[0]].left - channels.depth - 12
        right = columns[inside[-1]].right + channels.beside(inside[-1]) + 12
        low, high = channels.low - 12, y + 16
        x, half = (left + right) / 2, (low + high) / 2
        name, size = f"_frame_{number}", (right - left, high - low)
        scene.add(Shape(name, x, half, *size, "panel", "panel:loop", title=title))
        scene.texts.append(Text(x, y, words(title), 14, bold=True))


def dots(scene: Scene, column: Column, channels: Channels) -> None:
    """In place of the boxes of steps that are left out."""
    x, y = (column.left + column.right) / 2, (channels.top + channels.bottom) / 2
    scene.texts.append(Text(x, y - 26, words(column.title), 12, MUTED))
    scene.texts.append(Text(x, y, words("⋯"), 26, MUTED))


def panel(scene: Scene, column: Column, channels: Channels, k: int) -> None:
    """What stands behind a column."""
    x, y = (column.left + column.right) / 2, (channels.top + channels.bottom) / 2
    size = (column.width, channels.top - channels.bottom)
    name = f"_column_{k + 1}"
    scene.add(Shape(name, x, y, *size, "panel", "panel", title=column.title))


def column(
    strip: Strip, near: Sequence[Signal], through: Sequence[Signal], k: int, end: float
) -> Column:
    """The column of a strip, the k-th.

    Args:
        strip: its boxes.
        near: signals that enter or leave it.
        through: signals that go up from a lower row, to a higher one, or both.
        k: its number.
        end: half the room of a value that enters or leaves.
    """
    entries: dict[str, list[str]] = {}
    exits: dict[str, None] = {}
    for s in near:
        if s.stop == k and s.target:
            entries.setdefault(entry(s), []).append(s.target)
        if s.start == k and s.source:
            exits[s.source] = None
    # In the order of the boxes, so that equal columns get equal layouts.
    number = {box.shape.id: n for n, box in enumerate(strip.boxes)}
    for s in through:
        readers = entries.setdefault(s.source, []) if s.source not in number else []
        readers += [s.target] if s.target in number else []
        exits |= {s.source: None} if s.target not in number else {}
    last = len(number)
    ordered = {
        name: sorted(set(readers), key=number.__getitem__)
        for name, readers in sorted(
            entries.items(), key=lambda e: min((number[b] for b in e[1]), default=-1)
        )
    }  # what only passes stands at the left, what is read too at the right
    leaving = sorted(exits, key=lambda name: number.get(name, last if ordered.get(name) else -1))
    return Column(strip.title, strip.boxes, strip.edges, ordered, leaving, end)


def boxes(scene: Scene, column: Column) -> None:
    """Boxes, their tags, and the wires between them."""
    for k, box in enumerate(column.boxes):
        x, y = column.at(k)
        shape = scene.add(replace(box.shape, x=x, y=y))
        for side, tag in zip((-1, 1), box.tags, strict=False):
            away = side * (shape.w / 2 + TAG + tag.w / 2)
            put = scene.add(replace(tag, x=x + away, y=y))
            path = line((put.x - side * put.w / 2, y), (x + side * shape.w / 2, y))
            colour = scene.style.look(put.kind).line
            scene.wires.append(Wire(put.id, shape.id, path, colour, THIN, head=0.6))
    ports = column.ports()
    for a, b in column.edges:
        if a < len(column.boxes) and b < len(column.boxes):
            ends = (column.boxes[a].shape.id, column.boxes[b].shape.id)
            path = column.climb(a, b, ports[a, b])
            scene.wires.append(Wire(*ends, path, WIRE, THIN, head=0.75))
