"""Laws of geometry: functions that find what breaks them in a scene."""

import itertools

from viz.curve import flat

SOLID = ("circle", "box", "tag")


def overlaps(scene):
    """Pairs of nodes whose boxes overlap."""
    solid = [s for s in scene.shapes.values() if s.form in SOLID]
    return [
        (a.id, b.id)
        for a, b in itertools.combinations(solid, 2)
        if abs(a.x - b.x) < (a.w + b.w) / 2 - 0.1 and abs(a.y - b.y) < (a.h + b.h) / 2 - 0.1
    ]


def pierced(scene):
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


def covered(scene):
    """Pairs of a text and another text or a node that it covers."""
    boxes = [(text.box(), text) for text in scene.texts]
    boxes += [
        ((s.x - s.w / 2, s.y - s.h / 2, s.x + s.w / 2, s.y + s.h / 2), s.id)
        for s in scene.shapes.values()
        if s.form in SOLID
    ]
    return [
        (left, right)
        for (a, left), (b, right) in itertools.combinations(boxes, 2)
        if not isinstance(left, str)
        and not (a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1)
    ]


def detached(scene):
    """Wires that do not begin and end at the borders of their nodes."""
    return [
        (wire.source, wire.target)
        for wire in scene.wires
        for end, point in ((wire.source, wire.path[0]), (wire.target, wire.path[-1]))
        if end and abs(scene.shapes[end].distance(point)) >= 1.0
    ]


LAWS = (overlaps, pierced, covered, detached)
