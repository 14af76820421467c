"""Backpropagation through time as a folded graph: roles become their duals, delays flip.

Folded graphs are closed under it, because the roles come in dual pairs: a static input is read at
every step, so its cotangent is a SUM over steps; a sequence input's cotangent is a sequence; a
state's is a state.
Source: Wan and Beaufays, Neural Computation 8(1), 1996: BPTT is the transposed signal-flow graph.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.folded.program import DUAL, EVERY, SEQUENCE, STATIC, Folded, Recurrence
from minigrad.graph import Graph, GraphAdjoint, graph_adjoint


@dataclass(frozen=True, eq=False)
class FoldedAdjoint:
    """A folded graph made to emit what backward will read, and the one that reads it.

    Attributes:
        forward: the original with further "every" outputs, the residuals.
        backward: its inputs are the static residuals, the residual sequences, then a cotangent
            for each differentiable output of the original, in the dual role; its outputs are
            the cotangents of the original's differentiable inputs, in the dual role.
        step: the adjoint of the step.
        static, emitted: positions, in the residuals of the step, of those that are static inputs
            (as input numbers of the original) and of those emitted at every step.
    """

    forward: Folded
    backward: Folded
    step: GraphAdjoint
    static: tuple[int, ...]
    emitted: tuple[int, ...]

    @cached_property
    def static_places(self) -> frozenset[int]:
        """Positions, in the residuals of the step, of those that are static inputs."""
        return frozenset(range(len(self.step.residuals))) - {*self.emitted}

    def __iter__(self) -> Iterator[Folded]:
        return iter((self.forward, self.backward))

    def residuals(self, inputs: Sequence[Any], emitted: Iterable[Any]) -> list[Any]:
        """What backward reads of a run, in its order: static inputs, and what forward emitted."""
        static, rest = iter(self.static), iter(emitted)
        places = range(len(self.step.residuals))
        return [inputs[next(static)] if k in self.static_places else next(rest) for k in places]


def no_cotangent(folded: Folded, k: int, *lead: int) -> Array:
    """The cotangent of a state's last values that nobody uses, of output k: zeros.

    `(*lead, ...)`, or `(d, *lead, ...)` for a delay of d > 1 steps.
    """
    node = folded.output_node(k)
    d = next(abs(r.delay) for r in folded.recurrences if r.output == k)
    return np.zeros((*[d] * (d > 1), *lead, *node.shape), node.dtype)


def folded_adjoint(
    folded: Folded, silent: Collection[int] = (), fixed: Collection[int] = ()
) -> FoldedAdjoint:
    """Backpropagation through time as a folded graph: roles become their duals, delays flip.

    Outputs in `silent` and inputs in `fixed` (not states) have no cotangent: the backward graph
    does without.
    """
    pair = graph_adjoint(folded.step, silent, fixed)
    number = {i: k for k, i in enumerate(folded.step.inputs)}
    residuals = pair.residuals
    is_static = [folded.inputs[number[i]] == STATIC if i in number else False for i in residuals]
    static = tuple(k for k, yes in enumerate(is_static) if yes)
    emitted = tuple(k for k, yes in enumerate(is_static) if not yes)
    every = tuple(residuals[k] for k in emitted)
    step = folded.step.giving((*folded.step.outputs, *every))
    forward = replace(folded, step=step, outputs=(*folded.outputs, *[EVERY] * len(every)))
    # Inputs of the backward step: residuals in their old order, then the cotangents.
    seeds = len(residuals)
    roles = [STATIC if yes else SEQUENCE for yes in is_static]
    roles += [DUAL[folded.outputs[k]] for k in pair.seeded]
    wrt = {k: n for n, k in enumerate(pair.wrt)}
    seeded = {k: n for n, k in enumerate(pair.seeded)}
    edges = tuple(
        Recurrence(
            output=wrt[r.input],
            input=seeds + seeded[r.output],
            delay=-r.delay,
            name=f"∂{r.name}" if r.name else "",
        )
        for r in folded.recurrences
        if r.input in wrt
    )
    backward = Folded(
        pair.backward, tuple(roles), tuple(DUAL[folded.inputs[k]] for k in pair.wrt), edges
    )
    return FoldedAdjoint(
        forward, backward, pair, tuple(number[residuals[k]] for k in static), emitted
    )


def adjoint(x: Graph | Folded) -> GraphAdjoint | FoldedAdjoint:
    """The pair (forward that keeps what backward reads, backward) of a graph or folded graph.

    >>> import minigrad as mg, numpy as np
    >>> forward, backward = mg.adjoint(mg.trace(mg.tanh, np.ones(2)))
    >>> print(backward)
    graph(%0: float64[2], %1: float64[2])
      %0 = input: float64[2]
      %1 = input: float64[2]
      %2 = multiply(%0, %0): float64[2]
      %3 = constant 1.0: number
      %4 = subtract(%3, %2): float64[2]
      %5 = multiply(%1, %4): float64[2]
      return %5
    """
    if not isinstance(x, Folded | Graph):
        raise TypeError(
            f"adjoint takes a graph or a folded graph, got {x!r:.60}; "
            "trace(f, ...) and cell.folded() give them"
        )
    return folded_adjoint(x) if isinstance(x, Folded) else graph_adjoint(x)
