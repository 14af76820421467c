"""Laws of geometry, for every kind of picture of every cell."""

import itertools

import pytest

from viz.curve import flat
from viz.scene import Scene, Shape, identifier

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


def test_no_two_nodes_overlap(pictures):
    assert {name: overlaps(d.scene) for name, d in pictures.items() if overlaps(d.scene)} == {}


def test_no_edge_runs_through_a_node_that_is_not_its_end(pictures):
    assert {name: pierced(d.scene) for name, d in pictures.items() if pierced(d.scene)} == {}


def test_no_text_covers_another_text_or_a_node(pictures):
    for name, drawing in pictures.items():
        scene = drawing.scene
        boxes = [(text.box(), text) for text in scene.texts]
        boxes += [
            ((s.x - s.w / 2, s.y - s.h / 2, s.x + s.w / 2, s.y + s.h / 2), s.id)
            for s in scene.shapes.values()
            if s.form in SOLID
        ]
        for (a, left), (b, right) in itertools.combinations(boxes, 2):
            if isinstance(left, str):
                continue
            apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
            assert apart, (name, left, right)


def test_edges_begin_and_end_at_the_borders_of_their_nodes(pictures):
    for name, drawing in pictures.items():
        shapes = drawing.scene.shapes
        for wire in drawing.scene.wires:
            for end, point in ((wire.source, wire.path[0]), (wire.target, wire.path[-1])):
                if end:
                    assert abs(shapes[end].distance(point)) < 1.0, (name, wire.source, wire.target)


def test_the_same_block_stands_at_the_same_height_in_every_column(pictures):
    for name in ("cell, 3 steps", "op, 9 steps", "gate, 3 steps"):
        heights, places = {}, {}
        for s in pictures[name].scene.shapes.values():
            stem, _, step = s.id.rpartition("_t")
            if s.form in SOLID and stem:
                heights.setdefault(stem, set()).add(round(s.y, 3))
                places.setdefault(stem, []).append((int(step.partition("__")[0]), s.x))
        assert all(len(found) == 1 for found in heights.values()), name
        gaps = {
            tuple(round(b[1] - a[1], 3) for a, b in itertools.pairwise(p)) for p in places.values()
        }
        assert len(gaps) == 1 or name.startswith("op"), name  # tags are named after their boxes


@pytest.mark.parametrize("law", [overlaps, pierced])
def test_the_laws_notice_a_planted_error(law):
    from viz.curve import line
    from viz.scene import Wire

    scene = Scene()
    for name, x in (("a", 0), ("b", 100), ("c", 50)):
        scene.add(Shape(name, x, 0, 60, 60, "circle", "hidden"))
    scene.wires.append(Wire("a", "b", line((30, 0), (70, 0))))
    assert law(scene)


def test_a_taken_name_gets_a_number_that_no_other_name_can_have():
    scene = Scene()
    names = [scene.add(Shape("h", 0, 0, 1, 1, "box", "op")).id for _ in range(3)]
    assert names == ["h", "h__2", "h__3"]
    assert "__" not in identifier("h__2")
    assert identifier("_h") == "h"
