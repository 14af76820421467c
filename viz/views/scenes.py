"""What `draw` can make a scene of: a folded graph, a schedule, a graph as it was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from minigrad.folded import Folded
from minigrad.lower.schedule import Schedule
from viz.columns import diagram
from viz.memory.block_diagram import block_diagram
from viz.memory.memory import WANTED, memory
from viz.quotients.circles import circles
from viz.quotients.elided import elided, short
from viz.quotients.operations import operations, quotient
from viz.quotients.quotient import Quotient
from viz.quotients.recorded import Record
from viz.quotients.steps import Steps, choose
from viz.scene.label import words
from viz.scene.scene import Scene, Text
from viz.scene.style import MUTED, Style
from viz.textbook import network, weights
from viz.views import schedule
from viz.views.marks import Marked, numbered, point_out
from viz.views.numbers import Numbers

LIMIT = 2000
"""More boxes than this are not drawn unless `force=True`."""


@dataclass(frozen=True)
class Asked:
    """What `draw` was asked for; its arguments by their names."""

    view: str | None
    steps: int | str | Iterable[int] | None
    level: str | None
    on_edges: bool
    values: bool
    gradients: bool
    marked: Marked
    params: str
    style: Style
    force: bool
    others: str = ""
    """How steps after the first are drawn: "" in full, "short", or as a "gap"."""
    told: tuple[str, ...] = ()
    """Written below the picture: what is not shown."""


def narrower(asked: Asked, is_recorded: bool) -> list[Asked]:
    """What takes less room on paper than what was asked for, the most like it first."""
    level = asked.level or ("op" if is_recorded else "cell")
    if level == "cell" or not (is_recorded or asked.view == "unfolded"):
        return []
    fewer = "⋯ and a number: operations left out to fit the width"
    found = [replace(asked, others="short", told=(fewer,)), replace(asked, others="gap")]
    if level == "op":
        gates = "a gate in one box, to fit the width"
        found += [replace(a, level="gate", told=(*a.told, gates)) for a in (asked, *found)]
    return found


def folded(given: Folded, asked: Asked) -> Scene:
    """A folded graph: circles, gates or operations, one step or many."""
    _no_numbers(asked)
    level, view, nodes = asked.level or "cell", asked.view, given.step.nodes
    steps = _shown(choose(4 if asked.steps is None else asked.steps), asked)
    is_shared = asked.params == "shared"
    if is_shared and level == "cell":
        raise ValueError(
            "draw: circles have no parameters to share; level='gate' or 'op' draws them, "
            "on_edges=True writes them on the edges of circles"
        )
    made = circles(given) if level == "cell" else operations(given, level, shared=is_shared)
    _small_enough(len(made.blocks) * (len(steps.shown) if view != "folded" else 1), asked)
    if level == "cell":
        named = weights.labels(given) if asked.on_edges else {}
        if view is None:
            scene = network.both(made, steps, asked.style, named)
        elif view == "folded":
            scene = network.folded(made, asked.style, named)
        else:
            scene = network.unfolded(made, steps, asked.style, named)
    else:
        amount = {"op": "every operation", "gate": "gates"}[level]
        count = "one step" if view != "unfolded" else f"{steps.total} steps"
        description = f"{count}: {network.describe(made)}."
        scene = Scene(f"{count}, {amount}", description, asked.style)
        if view == "unfolded":
            later = short(made, nodes) if asked.others == "short" else None
            diagram.unfolded(made, nodes, steps, scene, level == "op", later)
            _tell(scene, asked)
        else:
            diagram.folded(made, nodes, scene, tags=level == "op")
    point_out(scene, made, nodes, numbered(asked.marked, nodes, {}))
    return scene


def block(given: Folded, asked: Asked) -> Scene:
    """The block diagram of a gated cell."""
    _no_numbers(asked)
    if asked.level not in (None, "gate") or asked.on_edges or asked.params != "tags":
        raise ValueError(
            "draw: a block diagram has a box for each gate, its weights are not drawn; level=, "
            "on_edges= and params= are for the other views"
        )
    found = memory(given)
    if found is None:
        raise ValueError(f"draw: {WANTED}; view='folded', level='gate' draws any cell")
    scene = block_diagram(found, asked.style)
    point_out(scene, found.view, given.step.nodes, numbered(asked.marked, given.step.nodes, {}))
    return scene


def scheduled(plan: Schedule, asked: Asked) -> Scene:
    """A schedule: what runs once, and what in loops over time."""
    _no_numbers(asked)
    if asked.view not in (None, "schedule") or asked.level not in (None, "op"):
        raise ValueError(
            "draw: a schedule is drawn with every operation, not with "
            f"view={asked.view!r}, level={asked.level!r}; those are for its folded graph"
        )
    nodes, made = plan.folded.step.nodes, schedule.boxes(plan)
    _small_enough(len(made.blocks), asked)
    order = [f"{s.frame[1]}, {s.title}" if s.frame else s.title for s in schedule.phases(plan)]
    scene = Scene("schedule", f"What runs, in order: {'; '.join(order)}.", asked.style)
    schedule.draw(made, plan, scene)
    point_out(scene, made, nodes, numbered(asked.marked, nodes, {}))
    return scene


def recorded(record: Record, asked: Asked) -> Scene:
    """A graph as it was recorded: every operation that happened."""
    if asked.view in ("folded", "block", "schedule") or asked.level == "cell":
        what = f"view={asked.view!r}" if asked.view else f"level={asked.level!r}"
        raise ValueError(
            f"draw: a tensor is drawn as it was computed, not with {what}; draw the cell, or "
            "minigrad.fold(minigrad.trace(f, ...))"
        )
    level, nodes, times = asked.level or "op", record.nodes, record.times
    notes = numbered(asked.marked, nodes, record.serials)
    shown = choose(times[-1] if asked.steps is None else asked.steps, times[-1]) if times else None
    shown = shown and _shown(shown, asked)
    if shown and (asked.steps is None or asked.others) and shown.gaps:
        marked = (t for k in notes if (t := nodes[k].t))  # what is marked is not left out
        shown = choose({*shown.shown, *marked}, times[-1])
    visible = {None, *shown.shown} if shown else {None}
    if level != "gate":  # told before the work is done
        drawn = (n for n in nodes if n.op != "constant" and not n.is_alias and n.t in visible)
        _small_enough(sum(bool(n.inputs) for n in drawn), asked)
    free = record.free() if asked.params == "tags" else set()
    states = record.carried()
    made = quotient(
        nodes, free, level, None, record.results, states, memory=record.memories(states)
    )
    _small_enough(sum(block.step in visible for block in made.blocks), asked)
    what, count = nodes[record.results[0]].name or "a graph", len(made.blocks)
    for t in shown.shown[1:] if shown and asked.others == "short" else ():
        made = elided(made, {block.id for block in made.blocks if block.step == t})
    scene = Scene(f"{what}, made by {count} operations", style=asked.style)
    scene.description = _told(made, times)
    numbers = Numbers(record, asked.values, asked.gradients)
    diagram.recorded(made, nodes, shown, scene, numbers, tags=level != "gate")
    _tell(scene, asked)
    numbers.legend(scene)
    point_out(scene, made, nodes, notes)
    return scene


def _shown(steps: Steps, asked: Asked) -> Steps:
    """The steps, or the first of them if the others are a gap."""
    return choose(steps.shown[:1], steps.total) if asked.others == "gap" else steps


def _tell(scene: Scene, asked: Asked) -> None:
    """What is not shown, below the picture."""
    for told in asked.told:
        left, low, _, _ = scene.bounds()
        scene.texts.append(Text(left + 12, low - 14, words(told), 12, MUTED, "start"))


def _told(made: Quotient, times: list[int]) -> str:
    span = f" over the steps {times[0]} to {times[-1]}" if times else ""
    return f"A recorded graph of {len(made.blocks)} boxes and {len(made.links)} edges{span}."


def _no_numbers(asked: Asked) -> None:
    if asked.values or asked.gradients:
        raise ValueError(
            "draw: a network holds no numbers; values= and gradients= are for a tensor, such as "
            "the loss of rnn.run(..., unfolded=True)"
        )


def _small_enough(count: int, asked: Asked) -> None:
    if count > LIMIT and not asked.force:
        raise ValueError(
            f"draw: {count:,} boxes are too many to look at (limit {LIMIT:,}); level='cell' or "
            "'gate' draws fewer, steps= chooses time steps, force=True draws them all"
        )
