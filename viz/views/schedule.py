"""The schedule of a folded graph as columns: what runs before, in and after each loop over time.

A column is a stage: what parameters alone decide, operations on whole sequences, the two parts of
a loop in a frame of their own, and sums over steps. Time runs to the right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from minigrad.lower.schedule import Nest, Schedule
from viz.columns.boxes import box, shaped
from viz.columns.channels import MEDIUM, Signal
from viz.columns.diagram import colours, results
from viz.columns.rows import arrange
from viz.columns.strips import Strip
from viz.quotients.operations import operations
from viz.quotients.quotient import Quotient
from viz.scene.scene import Scene
from viz.scene.style import WIRE


@dataclass(frozen=True)
class Phase:
    """Nodes that run together: `title` says how often, `frame` in which loop, by number."""

    title: str
    nodes: tuple[int, ...]
    frame: tuple[int, str] | None = None


def phases(plan: Schedule) -> list[Phase]:
    """The stages of a schedule, in order.

    >>> import rnn
    >>> from minigrad.lower.pipeline import planned
    >>> phases(planned(rnn.RNNCell(3, 5, 2).folded()))[0].title
    'once, from parameters'
    """
    found: list[Phase] = []
    if plan.static:
        found.append(Phase("once, from parameters", plan.static))
    for block in plan.blocks:
        if not isinstance(block, Nest):
            if found and found[-1].title == WHOLE:
                found[-1] = replace(found[-1], nodes=(*found[-1].nodes, block))
            else:
                found.append(Phase(WHOLE, (block,)))
            continue
        loop = f"loop over t = {'1 … T' if block.direction > 0 else 'T … 1'}"
        frame = (len(found), loop) if block.looped else None
        if block.batched:
            found.append(Phase(CHUNKS, block.batched, frame))
        if block.looped:
            found.append(Phase(STEPS, block.looped, frame))
    if plan.summed:
        found.append(Phase("sums over all steps", tuple(sorted(plan.summed))))
    return found


WHOLE, CHUNKS, STEPS = "once, on all steps", "for many steps at once", "step by step"


def placed(view: Quotient, plan: Schedule) -> list[tuple[Phase, list[str]]]:
    """The blocks of each stage; an input is where it is first read."""
    order = phases(plan)
    of = {k: n for n, stage in enumerate(order) for k in stage.nodes}
    where = {b.id: max((of[k] for k in b.nodes if k in of), default=-1) for b in view.blocks}
    for a, b in reversed(view.inside()):
        if where[a] < 0 or view[a].kind == "input":
            where[a] = where[b] if where[a] < 0 else min(where[a], where[b])
    last = len(order) - 1
    blocks: list[list[str]] = [[] for _ in order]
    for name, n in where.items():
        blocks[n if n >= 0 else last].append(name)
    return list(zip(order, blocks, strict=True))


def boxes(plan: Schedule) -> Quotient:
    """The operations of a schedule; what becomes of a parameter by itself is one box."""
    static = set(plan.static)
    joined = {k for k in static if len(plan.users[k]) == 1 and static.issuperset(plan.users[k])}
    return operations(plan.folded, "op", joined)


def draw(view: Quotient, plan: Schedule, scene: Scene) -> None:
    """Put the columns of a schedule into a scene."""
    nodes, tints = plan.folded.step.nodes, colours(view, scene)
    order = [(stage, names) for stage, names in placed(view, plan) if names]
    column = {name: n for n, (_, names) in enumerate(order) for name in names}
    strips = []
    for n, (stage, names) in enumerate(order):
        inside = tuple(box(view[name], nodes, "t", dress=shaped(nodes)) for name in names)
        edges = tuple((a, b) for a, b in view.inside() if column[a] == column[b] == n)
        strips.append(Strip(stage.title, inside, edges, stage.frame))
    arrange(scene, strips, list(_signals(view, column, tints)))


def _signals(view: Quotient, column: dict[str, int], tints: dict[str, str]) -> Iterator[Signal]:
    for k in view.links:
        a, b = column[k.source], column[k.target]
        if k.delay:
            yield Signal(k.source, k.target, a, b, tints[k.name], (), k.name, k.delay, is_loop=True)
        elif a != b:
            yield Signal(k.source, k.target, a, b, WIRE, pen=MEDIUM)
    for name in view.outputs:
        yield from results(replace(view, outputs=(name,)), "t", "", column[name], tints)
