"""The seed's figures, each made from a live cell or task of any sizes and names.

Every function gives a `Drawing`; none holds a picture of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.folded import STATE, Folded, folded_adjoint
from minigrad.graph import replay
from minigrad.lower.pipeline import prepared
from minigrad.tree import flatten
from rnn import RNNCell, tasks
from rnn.cell import Cell, Edge
from rnn.cells import RECURRENCES
from rnn.run import run
from rnn.tasks import Task
from viz import activation as rows_of_blocks
from viz import pairs, patterns, textbook, weights
from viz.blocks import blocks
from viz.cells import cells
from viz.draw import draw
from viz.drawing import Drawing
from viz.given import cell as as_cell
from viz.given import count, flags, refused, styled
from viz.given import folded as as_folded
from viz.memory import Memory, memory
from viz.numbers import summary
from viz.panels import Panel, beside, stacked
from viz.steps import choose
from viz.views import LIMIT

EXAMPLES: Mapping[str, str] = {
    "one-to-one": "image classification",
    "one-to-many": "image captioning",
    "many-to-one": "sentiment analysis",
    "many-to-many, delayed": "delayed: translation",
    "many-to-many, synchronised": "synchronised: labels of video frames",
}
"""What the seed's text names as an example of each task."""


def modelling_tasks(*given: Task, style: str = "print") -> Drawing:
    """The modelling tasks side by side; the five of the seed's text if none is given.

    >>> from rnn import many_to_one
    >>> modelling_tasks(many_to_one(steps=5))
    <Drawing: Modelling tasks: many-to-one>
    """
    chosen = given or (
        tasks.one_to_one(),
        tasks.one_to_many(3),
        tasks.many_to_one(3),
        tasks.many_to_many_delayed(3, 3),
        tasks.many_to_many_synchronised(3),
    )
    look, panels = styled("modelling_tasks", style), []
    for task in chosen:
        if not isinstance(task, Task):
            raise refused("modelling_tasks", "tasks, such as rnn.many_to_one(3)", task)
        kind, _, _ = task.name.partition(", ")
        scene = patterns.pattern(task, look)
        panels.append(Panel(scene, kind.replace("-", " "), EXAMPLES.get(task.name, "")))
    names = dict.fromkeys(task.name for task in chosen)
    scene = beside(panels, f"Modelling tasks: {'; '.join(names)}", 44)
    patterns.legend(scene)
    return Drawing(scene)


def feedforward(cell: Cell, recurrent: Cell, style: str = "print") -> Drawing:
    """A network without recurrent edges beside one that has them.

    >>> import rnn
    >>> plain = rnn.Stack([rnn.Dense(3, 5, "tanh"), rnn.Dense(5, 2)])
    >>> feedforward(plain, rnn.RNNCell(3, 5, 2))
    <Drawing: A feed-forward and a recurrent network>
    """
    pair = {"feed-forward network": cell, "recurrent network": recurrent}
    look = styled("feedforward", style)
    panels = [
        Panel(textbook.folded(cells(as_folded("feedforward", c)), look), name)
        for name, c in pair.items()
    ]
    return Drawing(beside(panels, "A feed-forward and a recurrent network"))


def unfolding(cell: Any, on_edges: bool = False, style: str = "print") -> Drawing:
    """A cell of any number of layers, folded, and unfolded around a step t.

    >>> import rnn
    >>> unfolding(rnn.Stack([rnn.RNNCell(3, 5), rnn.RNNCell(5, 5, 2)]))
    <Drawing: x, h_1, h_2, o, folded and unfolded over 3 steps>
    """
    return draw(cell, steps="t", on_edges=on_edges, style=style)


def recurrences(cell: RNNCell, style: str = "print") -> Drawing:
    """The three recurrences of a cell with an output layer, each folded and unfolded.

    >>> import rnn
    >>> recurrences(rnn.RNNCell(3, 5, 2))
    <Drawing: hidden-to-hidden, output-to-hidden, output-to-output>
    """
    if not isinstance(cell, RNNCell):
        raise refused("recurrences", "an RNNCell with outputs, such as RNNCell(3, 5, 2)", cell)
    look, panels = styled("recurrences", style), []
    for kind in RECURRENCES:
        folded = replace(cell, recurrence=kind).folded()
        view = cells(folded)
        recurrent = {k for link in view.links if link.delay for k in link.through}
        named = {k: label for k, label in weights.labels(folded).items() if k in recurrent}
        scene = textbook.both(view, choose("t"), look, named, headings=False)
        panels.append(Panel(scene, kind))
    return Drawing(stacked(panels, ", ".join(RECURRENCES)))


def activation(cell: Cell, concatenated: bool = True, style: str = "print") -> Drawing:
    """The activations of a cell as matrices and vectors, their sides to scale.

    Args:
        cell: any whose layers are activations of products and sums.
        concatenated: the weights side by side, inputs and states one above the other, as
            [W_xh W_hh] [x; h]; or one product for each.
        style: "print" or "seed".

    >>> import rnn
    >>> activation(rnn.RNNCell(3, 5, 2))
    <Drawing: Computing the activations of one time step>
    """
    flags("activation", concatenated=concatenated)
    look = styled("activation", style)
    found = rows_of_blocks.rows(as_folded("activation", cell))
    if not found:
        raise ValueError(f"activation: {cell!r} has no activation of products and sums")
    return Drawing(rows_of_blocks.activation(found, look, concatenated))


def memory_cell(cell: Cell, style: str = "print") -> Drawing:
    """The block diagram of a gated cell, its carried state a straight line.

    A cell whose states all pass through weights or activations has no such line; it is drawn gate
    by gate.

    >>> import rnn
    >>> memory_cell(rnn.LSTMCell(3, 5, peepholes=True))
    <Drawing: LSTMCell>
    >>> memory_cell(rnn.GRUCell(3, 5))
    <Drawing: GRUCell, one step, gates>
    """
    look = styled("memory_cell", style)
    found = memory(as_cell("memory_cell", cell).folded())
    if found is None:
        return draw(cell, view="folded", level="gate", style=style)
    scene = blocks(found, look)
    scene.title = cell.label
    return Drawing(scene)


def stages(
    cell: Cell, params: Mapping[str, Any], x: Any, state: Any = None, style: str = "print"
) -> Drawing:
    """A memory cell computing: a panel for each stage, with the numbers on its wires.

    Args:
        cell: with a straight line, as `memory_cell` draws it.
        params: of the cell.
        x: one input, `(X,)` or `(1, X)`.
        state: as in `rnn.run` for one row; zeros if None.
        style: "print" or "seed".

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
        raise ValueError(f"stages: {cell!r} has no state whose way is only × and +")
    numbers = _numbers(cell, folded, found, params, x, state)
    panels = []
    for k, told in enumerate(_stages(found), 1):
        panels.append(Panel(blocks(found, look, numbers, k), f"Stage {k}: {told}"))
    return Drawing(stacked(panels, f"{cell.label}, stage by stage"))


def _stages(found: Memory) -> list[str]:
    """What happens in each stage, by its operation on the line."""
    name = found.state.rpartition(".")[2]
    told = [
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
    start = cell.start(1) if state is None else _rows(cell.edges(), state)
    run(cell, params, x[None], start)  # refuses other parameters
    leaves, tree = flatten(params)
    named = dict(zip(tree.paths(), leaves, strict=True))
    wanted = [named[path] for path in cell.init(0).named()]
    given = iter([*(w.data if isinstance(w, Tensor) else w for w in wanted), x])
    states = iter(flatten(start)[0])
    values = [next(states) if role == STATE else next(given) for role in folded.inputs]
    everything = replace(step, outputs=tuple(range(len(step.nodes))))
    made = [np.asarray(value) for value in replay(everything, values)]
    numbers = {block.id: summary(made[block.nodes[-1]]) for block in found.view.blocks}
    for gate in found.gates:
        nodes = found.view[gate].nodes
        main = max(k for k in nodes if not step.nodes[k].is_alias)
        numbers[f"z {gate}"] = summary(made[step.nodes[main].inputs[0]])
    for r in folded.recurrences:
        numbers[f"old {r.name}"] = summary(made[step.inputs[r.input]])
    return numbers


def _rows(edges: Any, state: Any) -> Any:
    """A start state as rows, in tuples as the edges are."""
    if isinstance(edges, Edge):
        return _row(f"the state {edges.name}", state, edges.size)
    if not isinstance(state, tuple | list) or len(state) != len(edges):
        names = ", ".join(edge.name for edge in flatten(edges)[0])
        raise ValueError(f"stages: the state must be a tuple of {names}, got {state!r:.60}")
    return tuple(_rows(e, s) for e, s in zip(edges, state, strict=True))


def _row(what: str, given: Any, size: int) -> Any:
    try:
        row = np.asarray(given, float).reshape(1, size)
    except (ValueError, TypeError):
        raise ValueError(f"stages: {what} must be {size} numbers, got {given!r:.60}") from None
    return row


def encoder_decoder(
    encoder: Cell, decoder: Cell, inputs: int = 3, outputs: int = 3, style: str = "print"
) -> Drawing:
    """A cell that reads, and another that starts from its last state and reads what it wrote.

    >>> import rnn
    >>> encoder_decoder(rnn.GRUCell(3, 5), rnn.GRUCell(5, 5))
    <Drawing: Encoder and decoder>
    """
    where, look = "encoder_decoder", styled("encoder_decoder", style)
    inputs = count(where, "inputs", inputs, LIMIT)
    outputs = count(where, "outputs", outputs, LIMIT)
    both = [as_folded(where, c) for c in (encoder, decoder)]
    left, taken = ([r.name for r in f.recurrences] for f in both)
    if len(left) != len(taken):
        raise ValueError(
            f"{where}: the encoder leaves {', '.join(left) or 'nothing'}, but the decoder "
            f"starts from {', '.join(taken) or 'nothing'}"
        )
    return Drawing(pairs.handed_over(cells(both[0]), cells(both[1]), inputs, outputs, look))


def backward(cell: Any, steps: int | str = "t", style: str = "print") -> Drawing:
    """Backpropagation through time: the adjoint, folded and unfolded, running against time.

    >>> import rnn
    >>> backward(rnn.RNNCell(3, 5, 2))
    <Drawing: ∂o, ∂h, ∂x, folded and unfolded over 3 steps>
    """
    return draw(folded_adjoint(as_folded("backward", cell)).backward, steps=steps, style=style)


def forward_and_backward(cell: Any, steps: int | str = "t", style: str = "print") -> Drawing:
    """The forward run and, above it, the adjoint that runs back through the same steps.

    >>> import rnn
    >>> forward_and_backward(rnn.RNNCell(3, 5, 2), steps=3)
    <Drawing: Forward and backward through time>
    """
    look, folded = styled("forward_and_backward", style), as_folded("forward_and_backward", cell)
    views = cells(folded), cells(folded_adjoint(folded).backward)
    return Drawing(pairs.there_and_back(*views, choose(steps), look))


def schedule(cell: Any, backward: bool = False, style: str = "print") -> Drawing:
    """What runs once and what in loops over time, as `rnn.run` and its gradient run it.

    >>> import rnn
    >>> schedule(rnn.LSTMCell(3, 5))
    <Drawing: LSTMCell, schedule>
    """
    flags("schedule", backward=backward)
    if not backward:
        return draw(cell, "schedule", style=style)
    folded = prepared(as_folded("schedule", cell)).folded
    return draw(folded_adjoint(folded), "schedule", style=style)
