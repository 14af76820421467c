"""Folding: from a graph of T tagged steps back to one step with delayed edges.

`embed` finds all loops of a graph and what is around them, `fold` gives the one loop alone. The
certificate is for the whole: put together again, the parts give the graph, node by node. So a fold
is never wrong: what does not give the graph again is refused, in words that say where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minigrad.dependence import Dependence
from minigrad.embedded import Column, Embedded, Line, Loop, Operand, Rows, Run
from minigrad.folded import EVERY, SEQUENCE, SUM, Folded
from minigrad.graph import Graph, difference
from minigrad.parts import find_loops
from minigrad.sequences import Sequences, anchored
from minigrad.steps import HINT, Source, Steps


def fold(graph: Graph) -> Folded:
    """The folded graph of the loop in a graph.

    The operations of the loop must be tagged with their step, as `rnn.run` and
    `minigrad.scope(name, t=t)` do. `embed` tells what is around the loop, a first step that
    differs included.

    Raises:
        ValueError: no step is tagged, steps differ, or there are several loops; the message says
            where.

    >>> import minigrad as mg, numpy as np
    >>> def loop(w, xs, h):
    ...     for t, x in enumerate(xs, 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(x + h * w))
    ...     return h
    >>> mg.fold(mg.trace(loop, 0.5, [1.0] * 7, 0.0)).recurrences
    (Recurrence(output=0, input=2, delay=1, name='h'),)
    """
    loops = embed(graph).loops
    if len(loops) > 1:
        spans = ", ".join(f"t = {loop.first} … {loop.first + loop.T - 1}" for loop in loops)
        raise ValueError(
            f"fold: the graph has {len(loops)} loops ({spans}); minigrad.embed(graph).loops "
            "gives them"
        )
    return loops[0].folded


def embed(graph: Graph) -> Embedded:
    """The loops in a graph, and the graph around them.

    Raises:
        ValueError: steps differ, a loop cannot be cut out, or its values are read in a way that
            says nothing about other numbers of steps; the message says where.

    >>> import minigrad as mg, numpy as np
    >>> def loss(w, xs):
    ...     h, hs = 0.0, []
    ...     for t in range(1, len(xs) + 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(xs[t - 1] + h * w))
    ...             hs.append(h)
    ...     return mg.sum(mg.stack(hs))
    >>> found = mg.embed(mg.trace(loss, 0.5, np.ones(7)))
    >>> found, len(found.unfold(100))
    (<Embedded: <Folded step of 6 nodes, recurrences: h delay 1>, 7 steps>, 405)
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"fold takes a graph, got {graph!r:.60}; trace(f, ...) gives one")
    found = _Embedding(graph).embedded()
    off = difference(graph, found.again())
    if off is not None:
        raise ValueError(f"fold: unfolding does not give the graph again: {off}")
    return found


@dataclass(frozen=True)
class _Values:
    """A run of values of a class, until the outputs of its loop are all known.

    Attributes:
        loop: the number of the loop.
        output: which of its outputs, or the class that is one of its states.
        ends: of the run.
    """

    loop: int
    output: int
    ends: tuple[int, int]
    state: bool = False


class _Embedding:
    """A graph on its way to be one that holds loops."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.loops = find_loops(graph)
        self.depends = Dependence(graph, self.loops)
        self.whole = self._whole()
        self.sequences = Sequences(graph, self.loops, self.depends, self.whole.values())
        self.rank = {j: n for n, j in enumerate(self.depends.order)}
        self.group = {graph.nodes[k].scope: s.group for s in self.loops for k in s.rows[0]}
        self.sums: dict[int, _Values] = {}
        self.alone: dict[tuple[int, int], set[int]] = {}

    def embedded(self) -> Embedded:
        """Everything in an order in which it can run."""
        graph, depends, clock = self.graph, self.depends, self.sequences.clock
        results = self._results()
        outside = [
            k for k, node in enumerate(graph.nodes)
            if k not in depends.loop and k not in self.sequences.element and node.op != "input"
            and not self._is_sum(k)
        ]  # fmt: skip
        read = {k: self._read(graph.nodes[k].inputs, k) for k in outside}
        if len(self.loops) == 1:
            used = {i for node in graph.nodes for i in node.inputs} | set(graph.outputs)
            self.loops[0].unused = [i for i in graph.inputs if i not in used]
        given = [
            [self._given(j, source) for source in steps.inputs()]
            for j, steps in enumerate(self.loops)
        ]
        lines: list[list[Line | Loop]] = [[] for _ in range(len(self.loops) + 1)]
        for n, j in enumerate(depends.order):
            steps = self.loops[j]
            lines[n + 1].append(
                Loop(steps.folded(), steps.first, steps.T, clock[j],
                     tuple(map(self._told, given[j])), self._behind(steps.group, steps.first))
            )  # fmt: skip
        needed = _nodes(results, *(operands for inputs in given for operands in inputs))
        for k in reversed(outside):
            if k in needed:
                needed |= _nodes(read[k])
        for k, operands in read.items():
            if k not in needed:
                continue  # A constant that is part of a step.
            node = graph.nodes[k]
            behind = self._behind(self.group.get(node.scope), node.t)
            lines[depends.turn(k)].append(Line(k, self._told(operands), behind))
        return Embedded(graph, tuple(line for part in lines for line in part),
                        self._told(results), self.sequences.T, self.sequences.grown)  # fmt: skip

    def _behind(self, group: int | None, t: int | None) -> tuple[int, ...]:
        """The clocks of the loops of a group of which a step is at the end, or after it."""
        if t is None:
            return ()
        found = {s.first: self.sequences.clock[j] for j, s in enumerate(self.loops)
                 if s.group == group and 2 * (t - s.first + 1) > s.T + 1}  # fmt: skip
        return tuple(found.values())

    # --- what is read -----------------------------------------------------------------------------

    def _whole(self) -> dict[int, Source]:
        """Results that are, one for each step, inputs or delayed values of the only loop."""
        found: dict[int, Source] = {}
        if len(self.loops) == 1:
            steps, results, n = self.loops[0], self.graph.outputs, 0
            while n < len(results):
                count, recurs = self._stretch(results, n)
                if not count or (count < steps.T and not recurs):
                    source = steps.whole(results[n : n + steps.T])
                    if source is not None:
                        found[n] = source
                        count = steps.T
                n += count or 1
        return found

    def _stretch(self, operands: Sequence[int], n: int) -> tuple[int, int]:
        """The length of a run of steps, and whether it is the last values of a recurrence."""
        run = self._run(operands, n)
        if run is None:
            return 0, 0
        j, c, first, last = run
        return abs(last - first) + 1, self._is_last(j, c, first, last)

    def _run(self, operands: Sequence[int], n: int) -> tuple[int, int, int, int] | None:
        """Values of one class from the n-th operand on: loop, class, first and last step."""
        loop = self.depends.loop
        j = loop.get(operands[n])
        if j is None:
            return None
        place = self.loops[j].place
        c, first = place[operands[n]]
        last, stride = first, 0
        for k in operands[n + 1 :]:
            if loop.get(k) != j or place[k][0] != c:
                break
            step = place[k][1] - last
            if abs(step) != 1 or stride not in (0, step):
                break
            last, stride = place[k][1], step
        return j, c, first, last

    def _is_last(self, j: int, c: int, first: int, last: int) -> int:
        """Whether the steps are among those that a recurrence hands on: +1 at the end, −1, or 0."""
        low, high = sorted((first, last))
        T, delays = self.loops[j].T, self.loops[j].recurrent(c)
        if high - low + 1 == T:
            return 0
        return any(low > T - d for d in delays if d > 0) - any(high <= -d for d in delays if d < 0)

    def _results(self) -> list[Operand | _Values]:
        """The results: each one that is of every step is an output of its own."""
        found: list[Operand | _Values] = []
        n, results = 0, self.graph.outputs
        while n < len(results):
            source = self.whole.get(n)
            run = None if source else self._run(results, n)
            if source is not None or (run and abs(run[3] - run[2]) + 1 == self.loops[run[0]].T
                                      and run[2] <= run[3]):  # fmt: skip
                j, c = (0, source) if source is not None else run[:2]  # type: ignore[index]
                self.loops[j].outputs.append((EVERY, c))
                found.append(_Values(j, len(self.loops[j].outputs) - 1, (1, -1)))
                n += self.loops[j].T
                continue
            part, n = self._next(results, n, None)
            found.append(part)
        return found

    def _is_sum(self, k: int) -> bool:
        """Whether a node is the sum of one value over all steps of a loop, which then has it."""
        if k in self.sums:
            return True
        node = self.graph.nodes[k]
        if node.op != "add_n" or node.t is not None:
            return False
        run = self._run(node.inputs, 0)
        if run is None or run[2:] != (1, len(node.inputs)) or run[3] != self.loops[run[0]].T:
            return False
        outputs = self.loops[run[0]].outputs
        outputs.append((SUM, run[1]))
        self.sums[k] = _Values(run[0], len(outputs) - 1, (1, 1))
        return True

    def _next(
        self, operands: Sequence[int], n: int, reader: int | None, grows: bool = False
    ) -> tuple[Operand | _Values, int]:
        """The operand that begins at the n-th node, and where the next one begins."""
        k = operands[n]
        run = self._run(operands, n)
        if run is not None:
            j, c, first, last = run
            steps = self.loops[j]
            handed_on = self._is_last(j, c, first, last)
            side = self._side(reader, steps) or handed_on
            ends = anchored(first, last, steps.T, side=side)
            part = _Values(j, c if handed_on else steps.every(c), ends, handed_on != 0)
            if first == last and reader is not None:
                self._note_alone(j, c, first, reader)
            return part, n + abs(last - first) + 1
        if self._is_sum(k):
            return self.sums[k], n + 1
        if k not in self.sequences.element:
            return k, n + 1
        of, first = self.sequences.element[k]
        last, stride, n = first, 0, n + 1
        while n < len(operands):
            other, place = self.sequences.element.get(operands[n], (None, 0))
            if other is not of or abs(place - last) != 1 or stride not in (0, place - last):
                break
            last, stride, n = place, place - last, n + 1
        return Run(of, *anchored(first, last, len(of), grows)), n

    def _side(self, reader: int | None, steps: Steps) -> int:
        """Whether what reads a loop is an earlier step of the same scope (−1), or a later one."""
        if reader is None:
            return 0
        scope, t = self.graph.nodes[reader].scope, self.graph.nodes[reader].t
        if t is None or self.group.get(scope) != steps.group:
            return 0
        return (t >= steps.first + steps.T) - (t < steps.first)

    def _read(
        self, operands: Sequence[int], reader: int | None = None, grows: bool = False
    ) -> list[Operand | _Values]:
        """Operands, with runs of sequences told by their ends."""
        found: list[Operand | _Values] = []
        n = 0
        while n < len(operands):
            part, n = self._next(operands, n, reader, grows)
            found.append(part)
        return found

    def _note_alone(self, j: int, c: int, t: int, reader: int) -> None:
        """Refuse what reads every step alone: it says nothing of other numbers of steps."""
        T, steps = self.loops[j].T, self.alone.setdefault((j, c), set())
        steps.add(t)
        if len(steps) == T > 3:
            op = self.graph.nodes[reader].op
            raise ValueError(
                f"fold: {op} (%{reader}) and others read each of {T} steps alone, which tells "
                f"nothing of other numbers of steps; stack the values and read that, or {HINT}"
            )

    def _given(self, j: int, source: Source) -> list[Operand | _Values]:
        """What an input of a loop is given."""
        if source.role != SEQUENCE:
            row = self.loops[j].rows[0 if source.delay >= 0 else -1]
            return self._read(source.given, row[0])
        spans, n = [], 0
        while n < len(source.given):
            begin, n = n, self._next(source.given, n, None)[1]
            spans.append((n - begin, begin, n))
        length, begin, end = max(spans, key=lambda span: span[0])
        if length < 2 <= len(source.given):
            self._check_fixed(source.given)
            return self._read(source.given)
        return [
            *self._read(source.given[:begin]),
            *self._read(source.given[begin:end], grows=True),
            *self._read(source.given[end:]),
        ]

    def _check_fixed(self, given: Sequence[int]) -> None:
        """A sequence that is no run of anything must be constants, or inputs."""
        nodes = self.graph.nodes
        if all(nodes[k].op == "index" for k in given):
            tables = ", ".join(str(nodes[k].attrs["position"]) for k in given[:4])
            raise ValueError(
                "fold: the positions at which a sequence is read do not go up or down by one from "
                f"step to step: {tables}"
            )
        for k in given:
            if nodes[k].inputs and nodes[k].t is None:
                raise ValueError(
                    f"fold: {nodes[k].op} (%{k}) is computed outside of any step but read inside; "
                    f"{HINT}"
                )

    def _told(self, operands: Sequence[Operand | _Values]) -> tuple[Operand, ...]:
        """The operands, with the outputs of loops by their numbers."""
        return tuple(self._column(x) if isinstance(x, _Values) else x for x in operands)

    def _column(self, values: _Values) -> Run:
        steps = self.loops[values.loop]
        output = values.output
        if values.state:
            states = [s.at for s in steps.states()]
            output = len(steps.outputs) + states.index(values.output)
        return Run(Column(self.rank[values.loop], output), *values.ends)


def _nodes(*groups: Sequence[Operand | _Values]) -> set[int]:
    """The nodes outside of loops that operands are, or are rows of."""
    found: set[int] = set()
    for operand in (x for group in groups for x in group):
        if isinstance(operand, int):
            found.add(operand)
        elif isinstance(operand, Run) and isinstance(operand.of, Rows):
            found.add(operand.of.source)
    return found


__all__ = ["embed", "fold"]
