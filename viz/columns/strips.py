"""Columns side by side, with their titles and frames, and channels for what passes between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from viz.columns.boxes import TAG, Box
from viz.columns.channels import Channels, Signal, entry
from viz.columns.column import Column
from viz.columns.router import Router
from viz.scene.curve import line
from viz.scene.label import words
from viz.scene.scene import Scene, Shape, Text, Wire
from viz.scene.style import INK, MUTED, WIRE

GAP = 76.0  # width of a column that stands for steps left out
EDGE = 26.0  # around a frame
THIN = 1.1


@dataclass(frozen=True)
class Strip:
    """What a column is made of, before it is known what enters and leaves.

    Neighbours of the same frame, a number and a title, have it drawn around them.
    """

    title: str
    boxes: tuple[Box, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    frame: tuple[int, str] | None = None


def arrange(scene: Scene, strips: Sequence[Strip], signals: Sequence[Signal]) -> None:
    """Put columns and signals into a scene."""
    columns = [_column(strip, signals, k) for k, strip in enumerate(strips)]
    channels = Channels.of(signals, columns)
    x = 0.0
    for k, column in enumerate(columns):
        column.move(x)
        if not column.boxes:
            column.right = column.left + GAP
        x = column.right + 19 + channels.depth
        if k + 1 < len(columns):
            is_edge = strips[k].frame != strips[k + 1].frame
            x += channels.beside(k) + (EDGE if is_edge else 0)
    head = channels.high + (48 if any(s.label and s.source for s in signals) else 16)
    _frames(scene, strips, columns, channels, head + 24)
    for k, column in enumerate(columns):
        _behind(scene, column, channels, head, k, len(columns) > 1 or bool(signals))
    for column in columns:
        _boxes(scene, column)
    router = Router(scene, columns, channels)
    for signal in signals:
        router.draw(signal)


def _frames(
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


def _behind(
    scene: Scene, column: Column, channels: Channels, head: float, k: int, framed: bool
) -> None:
    """What stands behind a column, and its title; or dots for steps left out."""
    x, y = (column.left + column.right) / 2, (channels.top + channels.bottom) / 2
    height = channels.top - channels.bottom
    if not column.boxes:
        scene.texts.append(Text(x, y - 26, words(column.title), 12, MUTED))
        scene.texts.append(Text(x, y, words("⋯"), 26, MUTED))
        return
    if framed:
        name = f"_column_{k + 1}"
        title = column.title
        scene.add(Shape(name, x, y, column.width, height, "panel", "panel", title=title))
    if column.title:
        scene.texts.append(Text(x, head, words(column.title), 13, INK, bold=True))


def _column(strip: Strip, signals: Sequence[Signal], k: int) -> Column:
    entries: dict[str, list[str]] = {}
    exits: dict[str, None] = {}
    for s in signals:
        if s.stop == k and s.target:
            entries.setdefault(entry(s), []).append(s.target)
        if s.start == k and s.source:
            exits[s.source] = None
    # In the order of the boxes, so that equal columns get equal layouts.
    number = {box.shape.id: n for n, box in enumerate(strip.boxes)}
    ordered = {
        name: sorted(set(readers), key=number.__getitem__)
        for name, readers in sorted(entries.items(), key=lambda e: min(number[b] for b in e[1]))
    }
    leaving = sorted(exits, key=number.__getitem__)
    return Column(strip.title, strip.boxes, strip.edges, ordered, leaving)


def _boxes(scene: Scene, column: Column) -> None:
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
