"""The whole way from a folded graph to what an engine runs, written once.

    folded ─ early passes ─▶ front + step ─ adjoint ─▶ forward  ─ late passes ─▶ schedule ─▶ engine
                                                  └──▶ backward ─ early passes ─▶ front + step ─ …

1. `prepared`: the early passes make few large operations of many small ones. They come before the
   adjoint, so that it has few large ones too; and the adjoint is a folded graph like any other, so
   they run on it again. What depends on static inputs alone, such as the weights of all gates side
   by side, is taken out of the step: the front is computed once, and differentiated once.
2. `folded_adjoint` (`minigrad.folded`): two folded graphs, one that emits what backward will read.
3. `planned`: the late passes, on what is run and no longer differentiated, and the schedule.
4. An engine (`minigrad.engines`) runs the schedule.

`mg.scan` takes a graph this way step by step, as derivatives are asked for; `mg.compile` begins
with a traced graph whose loops are scans; `mg.explain` and the pictures show what `lowered` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minigrad.folded import ONCE, STATIC, Folded, folded_adjoint
from minigrad.graph import Graph, prune, replay
from minigrad.lower.nodes import static_nodes
from minigrad.lower.passes import EARLY, PASSES, Pass, changed
from minigrad.lower.schedule import Schedule, schedule


@dataclass(frozen=True, eq=False)
class Prepared:
    """A folded graph in two parts.

    Attributes:
        front: from the static inputs of the original, the static inputs of `folded`.
        folded: the rest, with the outputs of the original.
    """

    front: Graph
    folded: Folded

    def inputs(self, folded: Folded, values: Sequence[Any]) -> list[Any]:
        """The inputs of the rest from those of the original; recorded for tensors."""
        static = [x for x, role in zip(values, folded.inputs, strict=True) if role == STATIC]
        others = [x for x, role in zip(values, folded.inputs, strict=True) if role != STATIC]
        return [*replay(self.front, static), *others]


def prepared(folded: Folded) -> Prepared:
    """The two parts of a folded graph after the early passes, made once."""
    return folded.remembered(  # type: ignore[no-any-return]  # what is made
        "prepared", lambda: _parted(changed(folded, EARLY))
    )


def _parted(folded: Folded) -> Prepared:
    """Cut a folded graph where values that are the same at every step are read by others."""
    nodes, fixed = folded.step.nodes, static_nodes(folded)
    read = {i for k, node in enumerate(nodes) if k not in fixed for i in node.inputs}
    read.update(folded.step.outputs)
    edge = sorted(k for k in read & fixed if nodes[k].op != "constant")
    given = folded.with_role(STATIC)
    others = [k for k in range(len(folded.inputs)) if k not in given]
    front = prune(nodes, [folded.step.inputs[k] for k in given], edge)
    inputs = (*edge, *(folded.step.inputs[k] for k in others))
    rest = [replace(n, op="input", inputs=(), attrs={}) if k in edge else n
            for k, n in enumerate(nodes)]  # fmt: skip
    step = prune(rest, inputs, folded.step.outputs)
    place = {k: len(edge) + n for n, k in enumerate(others)}
    roles = (*[STATIC] * len(edge), *(folded.inputs[k] for k in others))
    edges = tuple(replace(r, input=place[r.input]) for r in folded.recurrences)
    return Prepared(front, Folded(step, roles, folded.outputs, edges))


def as_folded(graph: Graph) -> Folded:
    """A graph as a folded step that recurs in nothing: all of it runs once."""
    return Folded(graph, (STATIC,) * len(graph.inputs), (ONCE,) * len(graph.outputs))


def planned(folded: Folded, passes: Iterable[Pass] = PASSES) -> Schedule:
    """The schedule of a folded graph after the passes."""
    return schedule(changed(folded, passes))


@dataclass(frozen=True, eq=False)
class Lowered:
    """What is run in one direction.

    Attributes:
        given: the folded graph as it came: a cell's step, or the adjoint of what runs forward.
        front: what is computed once, from static inputs alone.
        folded: the rest, which `planned(folded, LATE)` puts in order.
    """

    given: Folded
    front: Graph
    folded: Folded


def lowered(folded: Folded) -> tuple[Lowered, Lowered]:
    """What runs forward, with residuals among its outputs, and what runs backward."""
    ready = prepared(folded)
    forward, backward = folded_adjoint(ready.folded)
    again = prepared(backward)
    return Lowered(folded, ready.front, forward), Lowered(backward, again.front, again.folded)
