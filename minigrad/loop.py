"""Loops: a graph of T tagged steps seen as T copies of one step.

Operations carry the step they were made in, so nothing is guessed from shapes or names: the steps
are laid over each other, and an operand that comes from d steps before becomes an edge of delay d.
The result is accepted only with a certificate: unfolding it gives the graph again, node by node.
Source: Parhi, VLSI Digital Signal Processing Systems (1999), chapter 5, read backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from minigrad.folded import (
    EVERY,
    SEQUENCE,
    STATE,
    STATIC,
    SUM,
    Folded,
    Recurrence,
    unfold,
)
from minigrad.graph import Graph, Node, difference, prune, same_node

HINT = (
    'tag the body of the loop with the step it computes: `with minigrad.scope("rnn", t=t):`, '
    "t = 1 … T"
)


def regular(graph: Graph, certified: bool = True) -> tuple[Loop, Folded]:
    """A graph that is a loop and nothing else, as steps that are alike, and folded.

    Args:
        graph: what is folded.
        certified: unfold again and compare; False for a caller who does so with the whole graph.

    Raises:
        ValueError: no step is tagged, or steps differ; the message says where.
    """
    steps = _steps(graph)
    loop = Loop(graph, min(steps), len(steps), [steps[t] for t in sorted(steps)])
    loop.read_ports()
    loop.read_outputs()
    folded = loop.folded()
    if certified:
        _certify(graph, loop, folded)
    return loop, folded


def _steps(graph: Graph) -> dict[int, list[int]]:
    """The operations of each step, in order; all steps must consist of the same ones."""
    steps: dict[int, list[int]] = {}
    for k, node in enumerate(graph.nodes):
        if node.t is not None and node.op not in ("input", "constant"):
            steps.setdefault(node.t, []).append(k)
    if not steps:
        raise ValueError(f"fold: no operation is tagged with a time step; {HINT}")
    times = sorted(steps)
    if times != list(range(times[0], times[0] + len(times))):
        raise ValueError(f"fold: steps are missing between t = {times[0]} and t = {times[-1]}")
    model = steps[times[len(times) // 2]]
    for t in times:
        for a, b in zip(model, steps[t], strict=False):
            if not same_node(graph.nodes[a], graph.nodes[b]):
                was, now = graph.nodes[a], graph.nodes[b]
                raise ValueError(
                    f"fold: steps differ at t = {t}: {was.op}{list(was.shape)} became "
                    f"{now.op}{list(now.shape)}"
                )
        if len(steps[t]) != len(model):
            raise ValueError(
                f"fold: steps differ at t = {t}: {len(steps[t])} operations instead of {len(model)}"
            )
    return steps


@dataclass(frozen=True)
class Source:
    """Where an operand comes from over all steps.

    Attributes:
        role: "inner" (the same step), or the role of an input of the step.
        at: the class it comes from (inner and state).
        delay: of a state.
        given: nodes of the graph from outside the loop: one (static), T (sequence), |delay|
            start values (state).
    """

    role: str
    at: int = -1
    delay: int = 0
    given: tuple[int, ...] = ()


@dataclass
class Loop:
    """A graph seen as T copies of the same classes of operations.

    Attributes:
        graph: what is folded.
        first: the first step t, T: their number.
        rows: `rows[t - first][c]` is the node of class c at step t.
    """

    graph: Graph
    first: int
    T: int
    rows: list[list[int]]
    ports: dict[tuple[int, int], Source] = field(default_factory=dict)
    outputs: list[tuple[str, int | Source]] = field(default_factory=list)
    finals: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place = {k: (c, t) for t, row in enumerate(self.rows, 1) for c, k in enumerate(row)}

    def read_ports(self) -> None:
        """Find the source of every operand of every class."""
        for c, k in enumerate(self.rows[0]):
            for port in range(len(self.graph.nodes[k].inputs)):
                sources = [self.graph.nodes[row[c]].inputs[port] for row in self.rows]
                self.ports[c, port] = self._source(sources, self.graph.nodes[k].op)

    def _source(self, sources: Sequence[int], reader: str) -> Source:
        """Where the values that something reads at steps 1 … T come from."""
        inside = {t: self.place[s] for t, s in enumerate(sources, 1) if s in self.place}
        outside = {t: s for t, s in enumerate(sources, 1) if s not in self.place}
        for s in outside.values():
            self._must_be_given(s)
        if not inside:
            alike = len(set(sources)) == 1 or all(
                self.graph.nodes[s].op == "constant"
                and same_node(self.graph.nodes[s], self.graph.nodes[sources[0]])
                for s in sources
            )
            given = self.graph.nodes[sources[0]]
            if alike and (self.T > 1 or given.t is None or given.op == "constant"):
                return Source(STATIC, given=(sources[0],))
            return Source(SEQUENCE, given=tuple(sources))
        edges = {(at, t - then) for t, (at, then) in inside.items()}
        if len(edges) > 1:
            raise ValueError(
                f"fold: an operand of {reader} comes from {len(edges)} different places at "
                "different steps, so steps differ"
            )
        ((at, delay),) = edges
        if delay == 0 and not outside:
            return Source("inner", at)
        edge = range(1, delay + 1) if delay > 0 else range(self.T + delay + 1, self.T + 1)
        if delay == 0 or set(outside) != set(edge):
            t = min(outside, default=1) + self.first - 1
            raise ValueError(
                f"fold: steps differ at t = {t}: an operand of {reader} comes from outside of "
                "the loop there, and from a step elsewhere"
            )
        return Source(STATE, at, delay, tuple(outside[t] for t in edge))

    def _run(self, results: Sequence[int]) -> Source | None:
        """What T outputs are at every step, if they are one thing: an input, or a delayed value."""
        if len(results) < self.T:
            return None
        try:
            return self._source(results, "an output")
        except ValueError:
            return None

    def _must_be_given(self, k: int) -> None:
        node = self.graph.nodes[k]
        if node.op not in ("input", "constant"):
            raise ValueError(
                f"fold: {node.op} (%{k}) is computed outside of any step but read inside; {HINT}"
            )

    def read_outputs(self) -> None:
        """Sort the outputs into whole sequences, sums over steps, and last values of states."""
        results, k = list(self.graph.outputs), 0
        recurrences = {(s.at, s.delay) for s in self._sources() if s.role == STATE}
        while k < len(results):
            places = [self.place.get(i, (-1, -1)) for i in results[k:]]
            c, t = places[0]
            node = self.graph.nodes[results[k]]
            if places[: self.T] == [(c, step) for step in range(1, self.T + 1)]:
                self.outputs.append((EVERY, c))
                k += self.T
                continue
            if node.op == "add_n" and node.t is None:
                terms = [self.place.get(i, (-1, -1)) for i in node.inputs]
                if terms == [(terms[0][0], step) for step in range(1, self.T + 1)]:
                    self.outputs.append((SUM, terms[0][0]))
                    k += 1
                    continue
            for at, delay in sorted(recurrences):
                count = abs(delay)
                begin = self.T - count + 1 if delay > 0 else 1
                if places[:count] == [(at, step) for step in range(begin, begin + count)]:
                    self.finals.append((at, delay))
                    k += count
                    break
            else:
                source = self._run(results[k : k + self.T])
                if source is not None:
                    self.outputs.append((EVERY, source))
                    k += self.T
                    continue
                what = f"step {t + self.first - 1} alone" if c >= 0 else "outside of all steps"
                raise ValueError(
                    f"fold: output {k + 1} ({node.op}) is a value of {what}; a loop gives the "
                    "values of every step, their sum, or the last values of what recurs"
                )

    def _sources(self) -> list[Source]:
        """All that is read in the loop, by operations and as outputs."""
        return [*self.ports.values(), *(s for _, s in self.outputs if isinstance(s, Source))]

    def inputs(self) -> list[Source]:
        """The inputs of the step, in the order in which the graph has theirs."""
        order = {i: n for n, i in enumerate(self.graph.inputs)}
        distinct = {
            s: None
            for s in self._sources()
            if s.role in (SEQUENCE, STATE)
            or (s.role == STATIC and self.graph.nodes[s.given[0]].op == "input")
        }
        used = {i for s in distinct for i in s.given}
        for i in self.graph.inputs:
            if i not in used:
                distinct[Source(STATIC, given=(i,))] = None
        return sorted(distinct, key=lambda s: min(order.get(i, len(order)) for i in s.given))

    def folded(self) -> Folded:
        """The step with its roles and delayed edges."""
        nodes: list[Node] = []
        where: dict[object, int] = {}

        def add(key: object, node: Node) -> int:
            where[key] = len(nodes)
            nodes.append(node)
            return len(nodes) - 1

        inputs = self.inputs()
        for source in inputs:
            about = self.graph.nodes[source.given[0]]
            if source.role == STATE:
                made = self.graph.nodes[self.rows[0][source.at]]
                name = about.name or made.name
                about = replace(made, name=name, attrs={}, inputs=())
            add(source, replace(about, op="input", inputs=(), value=None, t=None))
        for c, k in enumerate(self.rows[0]):
            operands = []
            for port in range(len(self.graph.nodes[k].inputs)):
                source = self.ports[c, port]
                if source.role == "inner":
                    operands.append(where[source.at])
                elif source in where:
                    operands.append(where[source])
                else:
                    operands.append(add(source, self.graph.nodes[source.given[0]]))
            add(c, replace(self.graph.nodes[k], inputs=tuple(operands), t=None))
        states = [s for s in inputs if s.role == STATE]
        results: list[object] = [*(c for _, c in self.outputs), *(s.at for s in states)]
        roles = [role for role, _ in self.outputs] + [STATE] * len(states)
        step = prune(nodes, [where[s] for s in inputs], [where[c] for c in results])
        edges = [
            Recurrence(
                len(self.outputs) + n,
                inputs.index(s),
                s.delay,
                self.graph.nodes[self.rows[0][s.at]].name or "",
            )
            for n, s in enumerate(states)
        ]
        return Folded(step, tuple(s.role for s in inputs), tuple(roles), tuple(edges))


def _certify(graph: Graph, loop: Loop, folded: Folded) -> None:
    """Unfold again and compare: the same program, node by node, or an error."""
    again = unfold(folded, loop.T)
    # The unfolded inputs stand for these nodes of the graph, which may be constants.
    stands_for = [i for source in loop.inputs() for i in source.given]
    nodes = list(again.nodes)
    for k, i in zip(again.inputs, stands_for, strict=True):
        if graph.nodes[i].op == "constant":
            nodes[k] = graph.nodes[i]
    place = dict(zip(stands_for, again.inputs, strict=True))
    whole = sum(loop.T if role == EVERY else 1 for role, _ in loop.outputs)
    results, last = list(again.outputs[:whole]), list(again.outputs[whole:])
    tails: dict[tuple[int, int], list[int]] = {}
    for source in (s for s in loop.inputs() if s.role == STATE):
        tails[source.at, source.delay] = [last.pop(0) for _ in range(abs(source.delay))]
    for edge in loop.finals:
        results += tails[edge]
    copy = prune(nodes, [place[i] for i in graph.inputs], results, graph.in_tree, graph.out_tree)
    off = difference(graph, copy)
    if off is not None:
        raise ValueError(f"fold: unfolding does not give the graph again: {off}")
