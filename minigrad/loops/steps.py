"""Steps laid over each other: T copies of the same operations, seen as one step.

Operations carry the step they were made in, so nothing is guessed from shapes or names: an operand
that comes from d steps before is an edge of delay d. Where an operand comes from somewhere else
from some step on, the steps must be cut: each part is a loop of its own.
Source: Parhi, VLSI Digital Signal Processing Systems (1999), chapter 5, read backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from minigrad.folded import SEQUENCE, STATE, STATIC
from minigrad.graph import Graph, same_node

INNER = "inner"
HINT = (
    'tag the body of the loop with the step it computes: `with minigrad.scope("rnn", t=t):`, '
    "t = 1 … T"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an operand comes from over all steps.

    Attributes:
        role: "inner" (the same step), or the role of an input of the step.
        at: the class it comes from (inner and state).
        delay: of a state.
        given: nodes of the graph from outside of the steps: one (static), T (sequence), |delay|
            start values (state).
    """

    role: str
    at: int = -1
    delay: int = 0
    given: tuple[int, ...] = ()


Edge = tuple[int, int] | None
"""The class an operand comes from, and from how many steps before; None from outside."""

Cuts = dict[int, str]
"""The places before which an operand comes from somewhere else, and why; 0 is the first step."""


class Steps:
    """T rows of like operations; the c-th of each row are a class. Nothing changes it.

    Attributes:
        graph: what is folded.
        first: the first step t.
        rows: `rows[t - first][c]` is the node of class c at step t.
        place: for each of these nodes its class, and which step it is of, the first as 1.
        ports: the source of every operand, by class and port.
        cuts: where the rows must be cut to be loops.
    """

    def __init__(self, graph: Graph, first: int, rows: list[list[int]]) -> None:
        self.graph, self.first, self.rows, self.T = graph, first, rows, len(rows)
        self.place = {k: (c, t) for t, row in enumerate(rows, 1) for c, k in enumerate(row)}
        self.ports: dict[tuple[int, int], Source] = {}
        self.cuts: Cuts = {}
        nodes = graph.nodes
        for c, column in enumerate(zip(*rows, strict=True)):
            operands = zip(*[nodes[k].inputs for k in column], strict=True)
            for port, values in enumerate(operands):
                self.ports[c, port], cuts = self.source(values, nodes[column[0]].op)
                self.cuts = cuts | self.cuts

    def source(self, values: Sequence[int], reader: str) -> tuple[Source, Cuts]:
        """Where what something reads at steps 1 … T comes from, and where that changes."""
        get = self.place.get
        places = [get(k) for k in values]
        edges = [None if p is None else (p[0], t - p[1]) for t, p in enumerate(places, 1)]
        kinds = set(edges)
        if kinds == {None}:
            return self._outside(values, reader)
        known = [edge for edge in kinds if edge is not None]
        at, delay = known[0]
        if len(kinds) == 1 and delay == 0:
            return Source(INNER, at), {}
        if len(kinds) == 2 and len(known) == 1 and delay != 0:
            start = range(delay) if delay > 0 else range(self.T + delay, self.T)
            if all((edge is None) == (t in start) for t, edge in enumerate(edges)):
                return Source(STATE, at, delay, tuple(values[t] for t in start)), {}
        return Source(INNER), _changes(edges, reader)

    def _outside(self, values: Sequence[int], reader: str) -> tuple[Source, Cuts]:
        """A static value, or a sequence; where its origin changes the steps are cut."""
        given = self.graph.nodes[values[0]]
        if len(set(values)) == 1 or self._equal(values):
            if self.T > 1 or given.t is None or given.op == "constant":
                return Source(STATIC, given=(values[0],)), {}
            return Source(SEQUENCE, given=tuple(values)), {}
        t, cuts = 0, Cuts()
        stretches = [list(group) for _, group in groupby(values, self._origin)]
        for before, after in pairwise(stretches):
            t += len(before)
            if len(before) > 1 < len(after):
                cuts[t] = f"an operand of {reader} is read from elsewhere from there on"
        return Source(SEQUENCE, given=tuple(values)), cuts

    def _equal(self, values: Sequence[int]) -> bool:
        """Whether all are constants of the same value."""
        nodes = self.graph.nodes
        model = nodes[values[0]]
        return model.op == "constant" and all(
            nodes[k].op == "constant" and same_node(nodes[k], model) for k in values
        )

    def _origin(self, k: int) -> object:
        """What a value is taken from: an array, the inputs, the constants, or operations."""
        node = self.graph.nodes[k]
        return node.inputs[0] if node.op == "index" else node.op if not node.inputs else ""


def _changes(edges: Sequence[Edge], reader: str) -> Cuts:
    """Where an operand comes from another place, or from outside and is no start value."""
    spans = [(edge, len(list(group))) for edge, group in groupby(edges)]
    t, cuts = 0, Cuts()
    for (edge, length), (other, beyond) in pairwise(spans):
        t += length
        start = edge is None and other is not None and length <= other[1]
        end = other is None and edge is not None and beyond <= -edge[1]
        if not start and not end:
            cuts[t] = (
                f"an operand of {reader} comes from {_told(other)}, until then from {_told(edge)}"
            )
    return cuts


def _told(edge: Edge) -> str:
    if edge is None:
        return "outside of the loop"
    delay = edge[1]
    if delay == 0:
        return "the same step"
    return f"{abs(delay)} step{'s' * (abs(delay) > 1)} {'before' if delay > 0 else 'after'}"
