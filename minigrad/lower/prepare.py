"""Preparing a folded graph: what is done before it is differentiated or compiled.

The early passes make few large operations of many small ones, so the adjoint has few large ones
too. What depends on static inputs alone, such as the weights of all gates side by side, is taken
out of the step and computed once, in front of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from minigrad.folded import STATIC, Folded
from minigrad.graph import Graph, prune, replay
from minigrad.lower.passes import EARLY
from minigrad.lower.rewrite import static_nodes


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

    def make() -> Prepared:
        changed = folded
        for change in EARLY:
            changed = change(changed)
        return _parted(changed)

    return folded.remembered("prepared", make)  # type: ignore[no-any-return]  # what `make` gives


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
