"""Laws of geometry: functions that find what breaks them in a scene."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from viz.scene.curve import flat
from viz.scene.label import plain, width
from viz.scene.scene import Scene, Shape, Wire

SOLID = ("circle", "box", "tag")


def overlaps(scene: Scene) -> list[Any]:
    """Pairs of nodes whose boxes overlap."""
    solid = [s for s in scene.shapes.values() if s.form in SOLID]
    return [
        (a.id, b.id)
        for a, b in itertools.combinations(solid, 2)
        if abs(a.x - b.x) < (a.w + b.w) / 2 - 0.1 and abs(a.y - b.y) < (a.h + b.h) / 2 - 0.1
    ]


def pierced(scene: Scene) -> list[Any]:
    """Pairs of an edge and a node that it runs through without ending there."""
    solid = [s for s in scene.shapes.values() if s.form in SOLID]
    found = []
    for wire in scene.wires:
        points = flat(wire.path, 8)
        xs, ys = zip(*points, strict=True)
        left, right, low, high = min(xs), max(xs), min(ys), max(ys)
        for s in solid:
            if abs(2 * s.x - left - right) > s.w + right - left:
                continue
            if abs(2 * s.y - low - high) > s.h + high - low:
                continue
            is_end = s.id in (wire.source, wire.target) or wire.target == s.inside != ""
            if not is_end and any(s.distance(p) < -0.5 for p in points):
                found.append((wire.source, wire.target, s.id))
    return found


def covered(scene: Scene) -> list[Any]:
    """Pairs of a text and another text or a node that it covers."""
    boxes: list[tuple[Any, Any]] = [(text.box(), text) for text in scene.texts]
    boxes += [(_box(s), s.id) for s in scene.shapes.values() if s.form in SOLID]
    return [
        (left, right)
        for (a, left), (b, right) in itertools.combinations(boxes, 2)
        if not isinstance(left, str)
        and not (a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1)
    ]


def crossed(scene: Scene) -> list[Any]:
    """Pairs of a text and an edge that runs through its letters."""
    found = []
    for wire in scene.wires:
        points = flat(wire.path, 90)  # closer together than letters are high
        xs, ys = zip(*points, strict=True)
        for text in scene.texts:
            left, low, right, high = text.box()
            low, high = low + text.size * 0.25, high - text.size * 0.2
            if max(xs) < left or min(xs) > right or max(ys) < low or min(ys) > high:
                continue
            if any(left < x < right and low < y < high for x, y in points):
                found.append((wire.source, wire.target, plain(text.label)))
    return found


def bordered(scene: Scene) -> list[Any]:
    """Texts that stand across the border of a panel, or do not fit into their own node."""
    found: list[Any] = []
    for s in (s for s in scene.shapes.values() if s.form == "panel"):
        left, low, right, high = _box(s)
        for text in scene.texts:
            a = text.box()
            outside = a[2] <= left + 1 or right - 1 <= a[0] or a[3] <= low + 1 or high - 1 <= a[1]
            inside = left <= a[0] and a[2] <= right and low <= a[1] and a[3] <= high
            if not (inside or outside):
                found.append((s.id, plain(text.label)))
    for s in (s for s in scene.shapes.values() if s.form in SOLID):
        sizes = s.sizes()
        room = s.w if s.form != "circle" else s.w - 4
        found += [(s.id, plain(x)) for x, size in zip(s.lines, sizes, strict=True)
                  if width(x, size) > room]  # fmt: skip
        if sum(sizes) > s.h:
            found.append((s.id, "its lines"))
    return found


def detached(scene: Scene) -> list[Any]:
    """Wires that do not begin and end at the borders of their nodes."""
    return [
        (wire.source, wire.target)
        for wire in scene.wires
        for end, point in ((wire.source, wire.path[0]), (wire.target, wire.path[-1]))
        if end and abs(scene.shapes[end].distance(point)) >= 1.0
    ]


def confused(scene: Scene) -> list[Any]:
    """Wires of different values, to different nodes, that run on the same line for a while."""
    found, lines = [], dict[tuple[bool, float], list[tuple[float, float, Wire]]]()
    for wire in scene.wires:
        for across, at, start, stop in _straight(wire):
            beside = lines.setdefault((across, at), [])
            for low, high, other in beside:
                same = wire.source == other.source != "" or wire.target == other.target != ""
                same = (
                    same
                    or wire.name == other.name != ""
                    or bool(set(wire.carries) & set(other.carries))
                )
                if not same and min(high, stop) - max(low, start) > 12:
                    found.append((wire.source, wire.target, other.source, other.target))
            beside.append((start, stop, wire))
    return found


def _straight(wire: Wire) -> Iterator[tuple[bool, float, float, float]]:
    """The horizontal and vertical pieces of a wire."""
    for k in range(0, len(wire.path) - 1, 3):
        xs, ys = zip(*wire.path[k : k + 4], strict=True)
        for across, there, along in ((True, ys, xs), (False, xs, ys)):
            if max(there) - min(there) < 0.01 and max(along) - min(along) > 12:
                yield across, round(there[0], 1), min(along), max(along)


def _box(s: Shape) -> tuple[float, float, float, float]:
    return (s.x - s.w / 2, s.y - s.h / 2, s.x + s.w / 2, s.y + s.h / 2)


LAWS: tuple[Callable[[Scene], list[Any]], ...] = (
    overlaps, pierced, covered, crossed, bordered, detached, confused,
)  # fmt: skip
