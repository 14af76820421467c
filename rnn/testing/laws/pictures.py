"""Pictures: every use of a parameter is drawn, and every recurrent edge with its delay."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

from minigrad.testing.laws import Broken
from rnn.cell import Cell
from rnn.testing.laws.table import Law, entry
from rnn.testing.problem import DoesNotApply

LAWS: dict[str, Law] = {}
law = entry(LAWS)


@law("drawn as it is")
def drawn_as_it_is(cell: Cell, seed: int) -> None:
    """A parameter is drawn at every use of every step, in one colour; an edge has its delay."""
    try:
        draw = import_module("viz").draw
    except ImportError as error:
        raise DoesNotApply(f"pictures cannot be drawn here: {error}") from None
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
