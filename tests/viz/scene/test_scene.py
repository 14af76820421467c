"""Laws of geometry, for every kind of picture of every cell."""

import itertools
from dataclasses import replace
from random import Random

import pytest

import viz
from minigrad.folded import folded_adjoint
from rnn.testing.networks import draw_cell
from tests.viz.geometry import LAWS, SOLID, bordered, covered, crossed, detached, overlaps, pierced
from viz.scene.curve import line
from viz.scene.label import words
from viz.scene.scene import Scene, Shape, Text, Wire, identifier


def test_no_two_nodes_overlap(pictures):
    assert {name: overlaps(d.scene) for name, d in pictures.items() if overlaps(d.scene)} == {}


def test_no_edge_runs_through_a_node_that_is_not_its_end(pictures):
    assert {name: pierced(d.scene) for name, d in pictures.items() if pierced(d.scene)} == {}


def test_no_text_covers_another_text_or_a_node(pictures):
    assert {name: covered(d.scene) for name, d in pictures.items() if covered(d.scene)} == {}


def test_edges_begin_and_end_at_the_borders_of_their_nodes(pictures):
    assert {name: detached(d.scene) for name, d in pictures.items() if detached(d.scene)} == {}


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


@pytest.mark.parametrize("seed", range(25))
def test_random_networks_and_their_adjoints_are_legible(seed):
    """Delays up to 3 in both directions, up to three states; the same networks in every run."""
    cell = draw_cell(Random(seed))
    for folded in (cell.folded(), folded_adjoint(cell.folded()).backward):
        for drawing in (viz.draw(folded), viz.draw(folded, "unfolded", 3, "gate", force=True)):
            assert {law.__name__: law(drawing.scene) for law in LAWS if law(drawing.scene)} == {}


@pytest.mark.parametrize("law", [overlaps, pierced])
def test_the_laws_notice_a_planted_error(law):
    scene = Scene()
    for name, x in (("a", 0), ("b", 100), ("c", 50)):
        scene.add(Shape(name, x, 0, 60, 60, "circle", "hidden"))
    scene.wires.append(Wire("a", "b", line((30, 0), (70, 0))))
    assert law(scene)


def test_an_edge_through_the_letters_of_a_text_is_noticed():
    scene = Scene(texts=[Text(0, 0, words("W_hh"), 13)])
    scene.wires.append(Wire("", "", line((-40, -30), (40, -30))))
    assert crossed(scene) == []
    scene.wires.append(Wire("a", "b", line((-400, -300), (400, 300))))
    assert crossed(scene) == [("a", "b", "W_hh")]


def test_a_text_on_a_border_and_one_that_is_too_long_for_its_node_are_noticed():
    scene = Scene(texts=[Text(-50, 0, words("1.23e−05"))])
    panel = Shape("cell", 0, 0, 200, 90, "panel", "panel")
    box = Shape("a", 0, 0, 30, 20, "box", "op")
    scene.shapes = {s.id: s for s in (panel, box)}
    assert bordered(scene) == []
    scene.texts[0] = replace(scene.texts[0], x=-90)
    scene.shapes["a"] = replace(box, lines=(words("NaN"), words("1.23e−05")), size=12)
    assert bordered(scene) == [("cell", "1.23e−05"), ("a", "1.23e−05"), ("a", "its lines")]


def test_no_text_stands_on_a_border(pictures):
    assert {name: bordered(d.scene) for name, d in pictures.items() if bordered(d.scene)} == {}


def test_no_edge_crosses_a_text(pictures):
    assert {name: crossed(d.scene) for name, d in pictures.items() if crossed(d.scene)} == {}


def test_a_taken_name_gets_a_number_that_no_other_name_can_have():
    scene = Scene()
    names = [scene.add(Shape("h", 0, 0, 1, 1, "box", "op")).id for _ in range(3)]
    assert names == ["h", "h__2", "h__3"]
    assert "__" not in identifier("h__2")
    assert identifier("_h") == "h"
