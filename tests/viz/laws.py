"""What a picture promises, as laws over cells: it is the graph, it is legible, it hides nothing.

Each law takes a cell and a number that stands for a draw, and raises `Broken`.
"""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import minigrad as mg
import rnn
from minigrad.folded import folded_adjoint
from minigrad.lower.pipeline import planned
from minigrad.testing.laws import Broken
from tests.viz import geometry, reading
from viz import figures
from viz.memory.memory import memory
from viz.output.drawing import Drawing
from viz.quotients.circles import circles
from viz.quotients.operations import operations
from viz.quotients.steps import choose
from viz.scene.style import HEAT
from viz.views.draw import draw
from viz.views.numbers import summary
from viz.views.schedule import boxes

Law = Callable[[rnn.Cell, int], None]
LAWS: dict[str, Law] = {}
LEVELS = ("cell", "gate", "op")
HOSTILE = ("<b>&", "\\N", 'a"b', "node:x")


def law(name: str) -> Callable[[Law], Law]:
    """Enter a law under a name."""

    def enter(check: Law) -> Law:
        LAWS[name] = check
        return check

    return enter


@law("a quotient has the graph's edges")
def quotient_has_the_edges(cell: rnn.Cell, seed: int) -> None:
    """Every operation is in one box, and boxes are joined as their operations are."""
    for folded in (cell.folded(), folded_adjoint(cell.folded()).backward):
        view, origins = operations(folded), folded.origins()
        wanted, every = set(), set()
        for k, node in enumerate(folded.step.nodes):
            if node.op not in ("input", "constant"):
                every.add(k)
            for i in node.inputs:
                source, delay = origins.get(i, (i, 0))
                if source in view.of and k in view.of:
                    a, b = view.of[source], view.of[k]
                    if a != b or delay:
                        wanted.add((a, b, delay))
        found = {(k.source, k.target, k.delay) for k in view.links}
        if found != wanted:
            raise Broken(f"links {sorted(found ^ wanted)} are drawn or there, not both")
        if not every <= set(view.of):
            raise Broken(f"operations {sorted(every - set(view.of))} have no box")


@law("drawn as it is")
def drawn_as_it_is(cell: rnn.Cell, seed: int) -> None:
    """A parameter is drawn at every use of every step, in one colour; an edge has its delay."""
    folded, steps = cell.folded(), 2 + seed % 3
    step = folded.step
    static = {step.inputs[k] for k in folded.with_role("static")}
    uses = sum(len(static.intersection(node.inputs)) for node in step.nodes)
    once = draw(cell, "folded", level="op", force=True).scene
    often = draw(cell, "unfolded", range(1, steps + 1), level="op", force=True).scene
    tags = _tags(once)
    if tags.total() != uses:
        raise Broken(f"the folded picture has {tags.total()} parameters, the step uses {uses}")
    found = _tags(often)
    for tag in sorted(tags.keys() | found.keys()):
        if found[tag] != steps * tags[tag]:
            raise Broken(
                f"over {steps} steps the parameter {tag[0]} is drawn {found[tag]} times, "
                f"wanted {steps * tags[tag]}"
            )
    edges = {(r.name, r.delay) for r in folded.recurrences if _is_read(folded, r.input)}
    for where, scene in (("folded", once), (f"over {steps} steps", often)):
        drawn = {(wire.name, wire.delay) for wire in scene.wires if wire.delay}
        if drawn != edges:
            raise Broken(
                f"{where}: recurrent edges are drawn as {sorted(drawn)}, wanted {sorted(edges)}"
            )


def _tags(scene: Any) -> Counter[tuple[str, ...]]:
    """Names and colours of the parameters in a picture."""
    shapes = [s for s in scene.shapes.values() if s.form == "tag" and s.kind == "weight"]
    names = ["".join(run.text for run in s.lines[0]) for s in shapes]
    return Counter((name, s.fill, s.line) for name, s in zip(names, shapes, strict=True))


def _is_read(folded: Any, k: int) -> bool:
    """Whether an input of the step takes part in it."""
    step = folded.step
    return step.inputs[k] in step.outputs or any(step.inputs[k] in n.inputs for n in step.nodes)


@law("DOT gives back the graph")
def dot_gives_back(cell: rnn.Cell, seed: int) -> None:
    """Parsed, every picture has the nodes and edges of the quotient that it shows."""
    steps = (3, 9)[seed % 2]
    for folded in (cell.folded(), folded_adjoint(cell.folded()).backward):
        for level in LEVELS:
            view = circles(folded) if level == "cell" else operations(folded, level)
            once = draw(folded, "folded", level=level)
            _same(once, reading.folded(view), f"folded, {level}")
            often = draw(folded, "unfolded", steps, level, force=True)
            _same(often, reading.unfolded(view, choose(steps)), f"{steps} steps, {level}")
        plan = planned(folded)
        _same(draw(plan), reading.folded(boxes(plan)), "schedule")
    found = memory(cell.folded())
    if found is not None:
        wanted = reading.folded(found.view)
        inputs = {(b.id, 0) for b in found.view.blocks if b.kind == "input"}
        _same(figures.memory_cell(cell), (wanted[0] - inputs, wanted[1]), "block diagram")


def _same(drawing: Drawing, wanted: reading.Read, what: str) -> None:
    found = reading.read_back(drawing)
    if not reading.same(found, wanted):
        nodes, edges = found[0] ^ wanted[0], (found[1] - wanted[1], wanted[1] - found[1])
        raise Broken(f"{what}: nodes {nodes} and edges {edges} are not in both")


def _legible(name: str, broken: Callable[[Any], list[Any]]) -> None:
    def check(cell: rnn.Cell, seed: int) -> None:
        found = {what: broken(d.scene) for what, d in _pictures(cell).items() if broken(d.scene)}
        if found:
            raise Broken(f"{name}: {str(found)[:200]}")

    LAWS[name] = check


def _pictures(cell: rnn.Cell) -> dict[str, Drawing]:
    made = {f"folded, {level}": draw(cell, "folded", level=level) for level in LEVELS}
    made |= {f"4 steps, {level}": draw(cell, "unfolded", 4, level) for level in LEVELS}
    made["9 steps"] = draw(cell, "unfolded", 9)
    made["schedule"] = draw(folded_adjoint(cell.folded()).backward, "schedule")
    if memory(cell.folded()) is not None:
        made["block diagram"] = figures.memory_cell(cell)
    return made


_legible("no two nodes overlap", geometry.overlaps)
_legible("no edge runs through a node", geometry.pierced)
_legible("no text covers anything", geometry.covered)
_legible("edges end at their nodes", geometry.detached)
_legible("no two values on one line", geometry.confused)


@law("a step looks the same at every t")
def columns_are_equal(cell: rnn.Cell, seed: int) -> None:
    """Boxes of one block have the same height at every step."""
    for level in LEVELS:
        heights: dict[str, set[float]] = {}
        for s in draw(cell, "unfolded", 4, level).scene.shapes.values():
            if s.block:
                heights.setdefault(s.block, set()).add(round(s.y, 3))
        if any(len(found) > 1 for found in heights.values()):
            raise Broken(f"columns of {level} differ: {heights}")


@law("what is left out is told")
def gaps_are_told(cell: rnn.Cell, seed: int) -> None:
    """Each step has a column, or is in the range written between columns."""
    total = 7 + seed
    shown = choose(total)
    told = [t for _, first, last in shown.gaps for t in range(first, last + 1)]
    if sorted([*shown.shown, *told]) != list(range(1, total + 1)):
        raise Broken(f"of {total} steps {shown.shown} are shown and {told} told to be left out")
    texts = _texts(draw(cell, "unfolded", total))
    for _, first, last in shown.gaps:
        if not any(f"{first} … {last}" in text for text in texts):
            raise Broken(f"steps {first} to {last} are left out without a word")


@law("SVG has it where the scene has it")
def svg_is_the_scene(cell: rnn.Cell, seed: int) -> None:
    """Every node and text of the SVG stands in its place and says what it is to say."""
    for level in LEVELS:
        drawing = draw(cell, "folded", level=level, title=HOSTILE[seed % len(HOSTILE)])
        root, scene = xml.fromstring(drawing.svg()), drawing.scene
        groups = {g.get("id"): g for g in root.iter("{http://www.w3.org/2000/svg}g")}
        for s in scene.shapes.values():
            box = groups[s.id].find("{*}rect")
            if box is None:
                box = groups[s.id].find("{*}circle")
                assert box is not None
                x, y = float(box.get("cx", "")), float(box.get("cy", ""))
            else:
                x = float(box.get("x", "")) + float(box.get("width", "")) / 2
                y = float(box.get("y", "")) + float(box.get("height", "")) / 2
            if abs(x - s.x) > 0.02 or abs(y + s.y) > 0.02:
                raise Broken(f"{s.id} is at {x, y} in the SVG, at {s.x, -s.y} in the scene")
            for text in groups[s.id].findall("{*}text"):
                if abs(float(text.get("y", "")) + s.y) > s.h / 2:
                    raise Broken(f"the text of {s.id} is {text.get('y')} high, its box {-s.y}")
            written = ["".join(t.itertext()) for t in groups[s.id].findall("{*}text")]
            wanted = ["".join(run.text for run in line) for line in s.lines]
            if written != wanted:
                raise Broken(f"{s.id} says {written}, wanted {wanted}")
        free = ["".join(t.itertext()) for t in root.findall("{*}text")]
        if free != ["".join(run.text for run in t.label) for t in scene.texts]:
            raise Broken(f"texts of the SVG are {free}")


@law("numbers are those of the tensors")
def numbers_are_true(cell: rnn.Cell, seed: int) -> None:
    """Values as they are, NaN in a look of its own, darker where a gradient is larger."""
    rng = np.random.default_rng(seed)
    big, small = mg.Tensor(rng.normal(size=3), "big"), mg.Tensor(rng.normal(size=3), "small")
    y = mg.named("y", mg.sum(1e4 * mg.sin(big) + mg.sin(small)))
    y.backward()
    scene = draw(y, values=True, gradients=True).scene
    texts = {s.id: ["".join(r.text for r in line) for line in s.lines] for s in
             scene.shapes.values()}  # fmt: skip
    for x in (big, small):
        if summary(x.data) not in texts[x.name or ""]:
            raise Broken(f"{x.name} is {summary(x.data)}, its box says {texts[x.name or '']}")
    dark = [HEAT.index(scene.shapes[name].fill) for name in ("small", "big")]
    if dark[0] >= dark[1]:
        raise Broken(f"the larger gradient is not the darker one: {dark}")
    bad = mg.Tensor(np.array([np.inf, 1.0]), "x")
    bad = mg.named("bad", bad * 2.0)
    if draw(bad, values=True).scene.shapes["bad"].kind != "invalid":
        raise Broken("a box with an infinite value looks like any other")


@law("a marked node is the one that is meant")
def marks_are_right(cell: rnn.Cell, seed: int) -> None:
    """Its box has the border, no other has, and what was said of it is written."""
    folded = cell.folded()
    view = operations(folded)
    own = [k for k in sorted(view.of) if folded.step.nodes[k].op != "input"]
    k = own[seed % len(own)]
    drawing = draw(cell, "folded", level="op", marked={k: "found here"})
    found = [s.block for s in drawing.scene.shapes.values() if s.is_marked]
    if found != [view.of[k]]:
        raise Broken(f"node {k} is in {view.of[k]}, marked are {found}")
    if not any(f"node {k}: found here" in text for text in _texts(drawing)):
        raise Broken(f"what was said of node {k} is not written")


@law("a schedule is drawn in its order")
def schedule_in_order(cell: rnn.Cell, seed: int) -> None:
    """Stages stand from left to right as they run, loops in a frame with their direction."""
    for folded in (cell.folded(), folded_adjoint(cell.folded()).backward):
        plan = planned(folded)
        scene, view = draw(plan).scene, boxes(plan)
        panels = [s for s in scene.shapes.values() if s.kind == "panel"]
        column = {
            s.block: next(n for n, p in enumerate(panels) if p.distance((s.x, s.y)) < 0)
            for s in scene.shapes.values() if s.block
        }  # fmt: skip
        order = [plan.static]
        for b in plan.blocks:
            order += [(b,)] if isinstance(b, int) else [b.batched, b.looped]
        order.append(tuple(plan.summed))
        placed = [{column[view.of[k]] for k in part if k in view.of} for part in order]
        if any(max(a) > min(b) for a, b in pairwise(filter(None, placed))):
            raise Broken("what runs first stands right of what runs later")
        wanted = [
            f"loop over t = {'1 … T' if b.direction > 0 else 'T … 1'}"
            for b in plan.blocks
            if not isinstance(b, int) and b.looped
        ]
        frames = sorted((s.x, s.title) for s in scene.shapes.values() if s.kind == "panel:loop")
        if [title for _, title in frames] != wanted:
            raise Broken(f"loops are {[title for _, title in frames]}, wanted {wanted}")


def _texts(drawing: Drawing) -> list[str]:
    return ["".join(run.text for run in text.label) for text in drawing.scene.texts]
