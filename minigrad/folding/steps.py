"""Steps laid over each other: T copies of the same operations, seen as one step.

Operations carry the step they were made in, so nothing is guessed from shapes or names: an operand
that comes from d steps before is an edge of delay d. Where an operand comes from somewhere else
from some step on, the steps are cut there: each part is a loop of its own.
Source: Parhi, VLSI Digital Signal Processing Systems (1999), chapter 5, read backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, Folded, Recurrence
from minigrad.graph import Graph, Node, prune, same_node

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


class Steps:
    """T rows of like operations; the c-th of each row are a class.

    Attributes:
        graph: what is folded.
        first: the first step t.
        rows: `rows[t - first][c]` is the node of class c at step t.
        count: the steps that are told by these, with those at the ends that differ from them.
        group: loops of one group were cut out of the same steps.
        ports: the source of every operand, by class and port.
        cuts: the places in `rows` before which an operand comes from somewhere else, and why.
        outputs: what the step gives at every step or summed up: a class, or a source.
        unused: inputs of the graph that nothing reads: the step does not, either.
    """

    def __init__(self, graph: Graph, first: int, rows: list[list[int]], group: int = 0) -> None:
        self.graph, self.first, self.rows, self.group = graph, first, rows, group
        self.T = self.count = len(rows)
        self.place = {k: (c, t) for t, row in enumerate(rows, 1) for c, k in enumerate(row)}
        self.ports: dict[tuple[int, int], Source] = {}
        self.cuts: dict[int, str] = {}
        self.outputs: list[tuple[str, int | Source]] = []
        self.unused: list[int] = []
        nodes = graph.nodes
        for c, column in enumerate(zip(*rows, strict=True)):
            operands = zip(*[nodes[k].inputs for k in column], strict=True)
            for port, sources in enumerate(operands):
                self.ports[c, port] = self._source(sources, nodes[column[0]].op)

    # --- where operands come from -----------------------------------------------------------------

    def _source(self, sources: Sequence[int], reader: str) -> Source:
        """Where the values that something reads at steps 1 … T come from."""
        get = self.place.get
        places = [get(s) for s in sources]
        edges = [None if p is None else (p[0], t - p[1]) for t, p in enumerate(places, 1)]
        kinds = set(edges)
        if kinds == {None}:
            return self._outside(sources, reader)
        known = [edge for edge in kinds if edge is not None]
        at, delay = known[0]
        if len(kinds) == 1 and delay == 0:
            return Source(INNER, at)
        if len(kinds) == 2 and len(known) == 1 and delay != 0:
            start = range(delay) if delay > 0 else range(self.T + delay, self.T)
            if all((edge is None) == (t in start) for t, edge in enumerate(edges)):
                return Source(STATE, at, delay, tuple(sources[t] for t in start))
        self._cut(edges, reader)
        return Source(INNER)

    def _outside(self, sources: Sequence[int], reader: str) -> Source:
        """A static value, or a sequence; where one becomes the other the steps are cut."""
        nodes = self.graph.nodes
        given = nodes[sources[0]]
        if len(set(sources)) == 1 or self._equal(sources):
            if self.T > 1 or given.t is None or given.op == "constant":
                return Source(STATIC, given=(sources[0],))
            return Source(SEQUENCE, given=tuple(sources))
        t = 0
        stretches = [list(group) for _, group in groupby(sources, self._origin)]
        for before, after in pairwise(stretches):
            t += len(before)
            if len(before) > 1 < len(after):
                self._cut_at(t, f"an operand of {reader} is read from elsewhere from there on")
        return Source(SEQUENCE, given=tuple(sources))

    def _equal(self, sources: Sequence[int]) -> bool:
        """Whether all are constants of the same value."""
        nodes = self.graph.nodes
        model = nodes[sources[0]]
        return model.op == "constant" and all(
            nodes[s].op == "constant" and same_node(nodes[s], model) for s in sources
        )

    def _origin(self, k: int) -> object:
        """What a value is taken from: an array, the inputs, the constants, or operations."""
        node = self.graph.nodes[k]
        return node.inputs[0] if node.op == "index" else node.op if not node.inputs else ""

    def _cut(self, edges: list[Edge], reader: str) -> None:
        """Cut where an operand comes from another place, or from outside and is no start value."""
        spans = [(edge, len(list(group))) for edge, group in groupby(edges)]
        t = 0
        for (edge, length), (other, beyond) in pairwise(spans):
            t += length
            start = edge is None and other is not None and length <= other[1]
            end = other is None and edge is not None and beyond <= -edge[1]
            if not start and not end:
                self._cut_at(
                    t, f"an operand of {reader} comes from {_told(other)}, until then from "
                    f"{_told(edge)}",
                )  # fmt: skip

    def _cut_at(self, t: int, why: str) -> None:
        self.cuts.setdefault(t, why)

    # --- the step -----------------------------------------------------------------------------

    def whole(self, results: Sequence[int]) -> Source | None:
        """What T results are at every step, if they are one thing: an input, a delayed value."""
        known = all(k in self.place or not self.graph.nodes[k].inputs for k in results)
        if len(results) != self.T or not known:
            return None
        cuts, self.cuts = self.cuts, {}
        source = self._source(results, "a result")
        clean, self.cuts = not self.cuts, cuts
        return source if clean and source.role != INNER else None

    def recurrent(self, at: int) -> list[int]:
        """The delays at which a class is read."""
        return [s.delay for s in self._sources() if s.role == STATE and s.at == at]

    def _sources(self) -> list[Source]:
        """All that is read in the loop, as a walk from its outputs to their operands comes to it.

        The order of the operations says less: unfolding loops of both directions changes it.
        """
        nodes, row = self.graph.nodes, self.rows[0]
        outputs = [s if isinstance(s, Source) else Source(INNER, s) for _, s in self.outputs]
        found: list[Source] = []
        seen: set[int] = set()
        walk = [*outputs, *self.ports.values()][::-1]
        while walk:
            found.append(source := walk.pop())
            if source.at >= 0 and source.at not in seen:
                seen.add(source.at)
                ports = range(len(nodes[row[source.at]].inputs))
                walk += [self.ports[source.at, n] for n in reversed(ports)]
        return found

    def inputs(self) -> list[Source]:
        """The inputs of the step: the graph's in its order, then the others as they are read.

        States that come from later steps stand behind the rest.
        """
        nodes = self.graph.nodes
        order = {i: n for n, i in enumerate(self.graph.inputs)}
        distinct = dict.fromkeys(
            s for s in self._sources()
            if s.role in (SEQUENCE, STATE)
            or (s.role == STATIC and nodes[s.given[0]].op != "constant")
        )  # fmt: skip
        distinct |= dict.fromkeys(Source(STATIC, given=(i,)) for i in self.unused)
        return sorted(
            distinct, key=lambda s: (min(order.get(i, len(order)) for i in s.given), s.delay < 0)
        )

    def states(self) -> list[Source]:
        """The inputs that come from other steps."""
        return [s for s in self.inputs() if s.role == STATE]

    def folded(self) -> Folded:
        """The step with its roles and delayed edges."""
        nodes: list[Node] = []
        where: dict[object, int] = {}

        def add(key: object, node: Node, operands: tuple[int, ...] = ()) -> int:
            where[key] = len(nodes)
            nodes.append(Node(node.op, operands, node.attrs, node.shape, node.dtype, node.value,
                              node.name, node.scope))  # fmt: skip
            return len(nodes) - 1

        known, inputs = self.graph.nodes, self.inputs()
        for source in inputs:
            about = known[source.given[0]]
            if source.role == STATE:
                made = known[self.rows[0][source.at]]
                about = Node("input", (), {}, made.shape, made.dtype, None,
                             about.name or made.name, made.scope)  # fmt: skip
            add(source, Node("input", (), {}, about.shape, about.dtype, None, about.name,
                             about.scope))  # fmt: skip
        for c, k in enumerate(self.rows[0]):
            operands = []
            for port in range(len(known[k].inputs)):
                source = self.ports[c, port]
                key: object = source.at if source.role == INNER else source
                operands.append(where[key] if key in where else add(key, known[source.given[0]]))
            add(c, known[k], tuple(operands))
        for _, value in self.outputs:
            if isinstance(value, Source) and value not in where:
                add(value, known[value.given[0]])
        states = [s for s in inputs if s.role == STATE]
        results: list[object] = [*(c for _, c in self.outputs), *(s.at for s in states)]
        roles = [role for role, _ in self.outputs] + [STATE] * len(states)
        step = prune(nodes, [where[s] for s in inputs], [where[c] for c in results])
        edges = [
            Recurrence(len(self.outputs) + n, inputs.index(s), s.delay,
                       known[self.rows[0][s.at]].name or "")
            for n, s in enumerate(states)
        ]  # fmt: skip
        return Folded(step, tuple(s.role for s in inputs), tuple(roles), tuple(edges))

    def every(self, c: int | Source) -> int:
        """The output that gives a class at every step."""
        if (EVERY, c) not in self.outputs:
            self.outputs.append((EVERY, c))
        return self.outputs.index((EVERY, c))


def _told(edge: Edge) -> str:
    if edge is None:
        return "outside of the loop"
    delay = edge[1]
    if delay == 0:
        return "the same step"
    return f"{abs(delay)} step{'s' * (abs(delay) > 1)} {'before' if delay > 0 else 'after'}"


__all__ = ["HINT", "INNER", "Source", "Steps"]
