"""A loop on its way out of the graph: what is wanted of its steps, and the folded graph of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from minigrad.folded import EVERY, SEQUENCE, STATE, STATIC, Folded, Recurrence
from minigrad.graph import Node, prune
from minigrad.loops.steps import INNER, Source, Steps


class Cut:
    """Steps of which outputs are wanted, one after the other.

    Attributes:
        steps: those of the loop.
        outputs: what the step gives at every step or summed up: a class, or a source.
        unused: inputs of the graph that nothing reads: the step does not, either.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.outputs: list[tuple[str, int | Source]] = []
        self.unused: list[int] = []
        self._every: dict[int | Source, int] = {}
        self._delayed: dict[int, list[Source]] = defaultdict(list)
        for source in steps.ports.values():
            if source.role == STATE:
                self._delayed[source.at].append(source)

    def want(self, role: str, value: int | Source) -> int:
        """One output more; gives its number."""
        if isinstance(value, Source) and value.role == STATE:
            self._delayed[value.at].append(value)
        self.outputs.append((role, value))
        if role == EVERY:
            self._every.setdefault(value, len(self.outputs) - 1)
        return len(self.outputs) - 1

    def every(self, c: int) -> int:
        """The output that gives a class at every step."""
        return self._every[c] if c in self._every else self.want(EVERY, c)

    def whole(self, results: Sequence[int]) -> Source | None:
        """What T results are at every step, if they are one thing: an input, a delayed value."""
        steps, nodes = self.steps, self.steps.graph.nodes
        known = all(k in steps.place or not nodes[k].inputs for k in results)
        if len(results) != steps.T or not known:
            return None
        source, cuts = steps.source(results, "a result")
        return source if not cuts and source.role != INNER else None

    def carried(self, c: int, places: range) -> Source | None:
        """The state that ends with these values of a class, which are not those of all steps."""
        T, low, high = self.steps.T, min(places), max(places)
        if len(places) == T:
            return None
        for s in self._delayed.get(c, ()):
            if (low > T - s.delay) if s.delay > 0 else (high <= -s.delay):
                return s
        return None

    # --- the step ---------------------------------------------------------------------------------

    def _sources(self) -> list[Source]:
        """All that is read in the loop, as a walk from its outputs to their operands comes to it.

        The order of the operations says less: unfolding loops of both directions changes it.
        """
        ports, row, nodes = self.steps.ports, self.steps.rows[0], self.steps.graph.nodes
        outputs = [s if isinstance(s, Source) else Source(INNER, s) for _, s in self.outputs]
        found: list[Source] = []
        seen: set[int] = set()
        walk = [*outputs, *ports.values()][::-1]
        while walk:
            found.append(source := walk.pop())
            if source.at >= 0 and source.at not in seen:
                seen.add(source.at)
                count = len(nodes[row[source.at]].inputs)
                walk += [ports[source.at, n] for n in reversed(range(count))]
        return found

    def inputs(self) -> list[Source]:
        """The inputs of the step: the graph's in its order, then the others as they are read.

        States that come from later steps stand behind the rest.
        """
        graph = self.steps.graph
        order = {i: n for n, i in enumerate(graph.inputs)}
        distinct = dict.fromkeys(
            s for s in self._sources()
            if s.role in (SEQUENCE, STATE)
            or (s.role == STATIC and graph.nodes[s.given[0]].op != "constant")
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
        known, row = self.steps.graph.nodes, self.steps.rows[0]
        nodes: list[Node] = []
        where: dict[object, int] = {}

        def add(key: object, node: Node, operands: tuple[int, ...] = ()) -> int:
            where[key] = len(nodes)
            nodes.append(Node(node.op, operands, node.attrs, node.shape, node.dtype, node.value,
                              node.name, node.scope))  # fmt: skip
            return len(nodes) - 1

        inputs = self.inputs()
        for source in inputs:
            given = known[source.given[0]]
            made = known[row[source.at]] if source.role == STATE else given
            add(source, Node("input", (), {}, made.shape, made.dtype, None,
                             given.name or made.name, made.scope))  # fmt: skip
        for c, k in enumerate(row):
            operands = []
            for port in range(len(known[k].inputs)):
                source = self.steps.ports[c, port]
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
            Recurrence(len(self.outputs) + n, inputs.index(s), s.delay, known[row[s.at]].name or "")
            for n, s in enumerate(states)
        ]
        return Folded(step, tuple(s.role for s in inputs), tuple(roles), tuple(edges))
