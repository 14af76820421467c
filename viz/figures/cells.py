"""Memory cells as block diagrams, and with the numbers of one step on their wires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.folded import STATE, Folded
from minigrad.graph import replay
from minigrad.tree import flatten, tree_map
from rnn.cell import Cell
from rnn.compose import Stack
from rnn.edge import Edge, taken
from rnn.run import run
from viz.given import Styled, styled
from viz.given import cell as as_cell
from viz.memory.block_diagram import block_diagram
from viz.memory.memory import WANTED, memory
from viz.memory.parts import Memory
from viz.output.drawing import Drawing
from viz.scene.label import words
from viz.scene.plates import Plate, stacked
from viz.scene.scene import Text
from viz.scene.style import MUTED
from viz.views.draw import draw
from viz.views.numbers import summary


def memory_cell(cell: Cell, style: Styled = "print") -> Drawing:
    """The block diagram of a gated cell, its carried state a straight line.

    What a gate reads of another is by way of a reset gate, before or after the product. A cell
    whose states all pass through weights or activations has no such line; it is drawn gate by
    gate, and says so. A stack has a diagram for each layer, the last on top.

    >>> import rnn
    >>> memory_cell(rnn.LSTMCell(3, 5, peepholes=True))
    <Drawing: LSTMCell>
    >>> memory_cell(rnn.GRUCell(3, 5, reset="before"))
    <Drawing: GRUCell>
    >>> memory_cell(rnn.RNNCell(3, 5))
    <Drawing: RNNCell, one step, gates>
    """
    look = styled("memory_cell", style)
    found = memory(as_cell("memory_cell", cell).folded())
    if found is not None:
        scene = block_diagram(found, look)
        scene.title = cell.label
        return Drawing(scene)
    if isinstance(cell, Stack) and any(memory(part.folded()) for part in cell.layers):
        plates = [
            Plate(memory_cell(part, style).scene, f"Layer {n}: {part.label}")
            for n, part in enumerate(cell.layers, 1)
        ]
        return Drawing(stacked(plates[::-1], f"{cell.label}, layer by layer"))
    drawing = draw(cell, view="folded", level="gate", style=style)
    if any(r.name for r in cell.folded().recurrences):
        left, low, right, _ = drawing.scene.bounds()
        at = ((left + right) / 2, low - 14)
        told = words("no line of × and + that is fed by gates that read the same: gate by gate")
        drawing.scene.texts.append(Text(*at, told, 12, MUTED))
    return drawing


def stages(
    cell: Cell, params: Mapping[str, Any], x: Any, state: Any = None, style: Styled = "print"
) -> Drawing:
    """A memory cell computing: a panel for each stage, with the numbers on its wires.

    Args:
        cell: with a straight line, as `memory_cell` draws it; one with a reset gate begins with
            what is read of the past.
        params: of the cell.
        x: one input, `(X,)` or `(1, X)`.
        state: as in `rnn.run` for one row, which chooses it if None.
        style: as `viz.draw` takes it.

    Raises:
        ValueError: the cell has no straight line.

    >>> import rnn
    >>> cell = rnn.LSTMCell(inputs=1, hidden=1)
    >>> stages(cell, cell.init(0), [1.0])
    <Drawing: LSTMCell, stage by stage>
    """
    look, folded = styled("stages", style), as_cell("stages", cell).folded()
    found = memory(folded)
    if found is None:
        raise ValueError(f"stages: {cell!r} has no stages; {WANTED}")
    numbers = _numbers(cell, folded, found, params, x, state)
    panels = []
    for k, told in enumerate(_stages(found), 1):
        panels.append(Plate(block_diagram(found, look, numbers, k), f"Stage {k}: {told}"))
    return Drawing(stacked(panels, f"{cell.label}, stage by stage"))


def _stages(found: Memory) -> list[str]:
    """What happens in each stage, by its operation on the line."""
    name = found.state.rpartition(".")[2]
    told = [f"the percent of {name} to read"] if found.reset else []
    told += [
        f"the percent of {name} to remember"
        if found.ops[block] == "multiply"
        else f"updating {name}"
        for block in found.line
    ]
    return [*told, "what is shown"] if found.shows else told


def _numbers(
    cell: Cell, folded: Folded, found: Memory, params: Any, x: Any, state: Any
) -> dict[str, str]:
    """The value of every block of a memory cell at one step, as text."""
    step = folded.step
    x = _row("x", x, cell.inputs)
    params = tree_map(lambda w: w.data if isinstance(w, Tensor) else w, params)
    start = None if state is None else _rows(cell.edges(), state)
    run(cell, params, x[None], start)  # refuses other parameters
    start = cell.start(1, params=params) if start is None else start
    leaves, tree = flatten(params)
    named = dict(zip(tree.paths(), leaves, strict=True))
    wanted = [named[path] for path in cell.init(0).named()]
    given = iter([*wanted, x])
    states = iter(flatten(taken(cell.edges(), start))[0])
    values = [next(states) if role == STATE else next(given) for role in folded.inputs]
    everything = replace(step, outputs=tuple(range(len(step.nodes))))
    made = [np.asarray(value) for value in replay(everything, values)]
    numbers = {block.id: summary(made[block.nodes[-1]]) for block in found.view.blocks}
    for gate in found.gates:
        nodes = found.view[gate].nodes
        main = max(k for k in nodes if not step.nodes[k].is_alias)
        numbers[f"z {gate}"] = summary(made[step.nodes[main].inputs[0]])
    for r in (r for r in folded.recurrences if r.delay == found.back.delay):
        numbers[f"old {r.name}"] = summary(made[step.inputs[r.input]])
    return numbers


def _rows(edges: Any, state: Any) -> Any:
    """A start state as rows, in tuples as the edges are."""
    if isinstance(edges, Edge):
        return _row(f"the state {edges.name}", state, edges.size, abs(edges.delay))
    if not isinstance(state, tuple | list) or len(state) != len(edges):
        names = ", ".join(edge.name for edge in flatten(edges)[0])
        raise ValueError(f"stages: the state must be a tuple of {names}, got {state!r:.60}")
    return tuple(_rows(e, s) for e, s in zip(edges, state, strict=True))


def _row(what: str, given: Any, size: int, steps: int = 1) -> Any:
    lead = (steps,) if steps > 1 else ()
    try:
        return np.asarray(given, float).reshape(*lead, 1, size)
    except (ValueError, TypeError):
        told = f"{size} numbers" + (f" for each of {steps} steps" if lead else "")
        raise ValueError(f"stages: {what} must be {told}, got {given!r:.60}") from None
