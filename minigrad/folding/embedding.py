"""From a graph and the loops in it to a straight-line program of both.

Whatever a line reads is told by where it lies in a sequence; what is read of a loop becomes an
output of its step, and a sum over all its steps becomes the loop's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minigrad.errors import FoldError
from minigrad.folded import EVERY, SEQUENCE, SUM
from minigrad.folding.dependence import Dependence
from minigrad.folding.embedded import Embedded, Line, Loop
from minigrad.folding.parts import find_loops
from minigrad.folding.runs import Column, Leaves, Operand, Rows, Run, anchored, straight
from minigrad.folding.sequences import Sequences
from minigrad.folding.steps import HINT, Source, Steps
from minigrad.graph import Graph

_Line = tuple[int, int] | Leaves | Rows
"""A class of a loop, or another sequence."""


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


class Embedding:
    """A graph on its way to be one that holds loops."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.loops = find_loops(graph)
        self.depends = Dependence(graph, self.loops)
        self.element: Mapping[int, tuple[Leaves | Rows, int]] = {}
        self.whole = self._whole()
        self.sequences = Sequences(graph, self.loops, self.depends, self.whole.values())
        self.element = self.sequences.element
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
            if k not in depends.loop and k not in self.element and node.op != "input"
            and not self._is_sum(k)
        ]  # fmt: skip
        read = {k: self._read(graph.nodes[k].inputs, k) for k in outside}
        if len(self.loops) == 1:
            used = {i for node in graph.nodes for i in node.inputs} | set(graph.outputs)
            self.loops[0].unused = [i for i in graph.inputs if i not in used]
        # Readers first: what they read of a loop are its outputs, and these order its inputs.
        given = {
            j: [self._given(j, source) for source in self.loops[j].inputs()]
            for j in reversed(depends.order)
        }
        lines: list[list[Line | Loop]] = [[] for _ in range(len(self.loops) + 1)]
        for n, j in enumerate(depends.order):
            steps = self.loops[j]
            lines[n + 1].append(
                Loop(steps.folded(), steps.first, steps.T, clock[j],
                     tuple(map(self._told, given[j])), self._behind(steps.group, steps.first))
            )  # fmt: skip
        needed = _nodes(results, *(operands for inputs in given.values() for operands in inputs))
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

    def _run(self, operands: Sequence[int], n: int) -> tuple[_Line, int, int, int] | None:
        """What the operands from the n-th on are a run of; its first and last place, and length."""
        spot = self._spot(operands[n])
        if spot is None:
            return None
        spots = (self._spot(operands[m]) for m in range(n, len(operands)))
        return spot[0], *straight(s[1] if s and s[0] == spot[0] else None for s in spots)

    def _spot(self, k: int) -> tuple[_Line, int] | None:
        """Which sequence a node belongs to, and its place: that of a loop's class, or another."""
        j = self.depends.loop.get(k)
        if j is None:
            return self.element.get(k)
        c, t = self.loops[j].place[k]
        return (j, c), t

    def _whole(self) -> dict[int, Source]:
        """Results that are, one for each step, inputs or delayed values of the only loop."""
        found: dict[int, Source] = {}
        steps, results, n = self.loops[0], self.graph.outputs, 0
        while n < len(results) and len(self.loops) == 1:
            run = self._run(results, n)
            count = run[3] if run else 0
            if run is None or (count < steps.T and not self._handed_on(*run[:3])):
                source = steps.whole(results[n : n + steps.T])
                if source is not None:
                    found[n], count = source, steps.T
            n += count or 1
        return found

    def _handed_on(self, line: _Line, first: int, last: int) -> int:
        """Whether these values are among the last of a recurrence: +1, or −1 if against time."""
        assert isinstance(line, tuple)
        steps, low, high = self.loops[line[0]], min(first, last), max(first, last)
        delays = steps.recurrent(line[1]) if high - low + 1 < steps.T else []
        return any(low > steps.T - d for d in delays if d > 0) - any(
            high <= -d for d in delays if d < 0
        )

    def _results(self) -> list[Operand | _Values]:
        """The results: each one that is of every step is an output of its own."""
        found: list[Operand | _Values] = []
        n, results = 0, self.graph.outputs
        while n < len(results):
            of = (0, self.whole[n]) if n in self.whole else self._all_steps(results, n)
            if of is None:
                part, n = self._next(results, n)
            else:
                outputs = self.loops[of[0]].outputs
                outputs.append((EVERY, of[1]))
                part, n = _Values(of[0], len(outputs) - 1, (1, -1)), n + self.loops[of[0]].T
            found.append(part)
        return found

    def _all_steps(self, operands: Sequence[int], n: int) -> tuple[int, int] | None:
        """The loop and the class of which the operands from the n-th on are all values in order."""
        run = self._run(operands, n)
        if run is None or not isinstance(run[0], tuple) or run[1] > run[2]:
            return None
        return run[0] if run[3] == self.loops[run[0][0]].T else None

    def _is_sum(self, k: int) -> bool:
        """Whether a node is the sum of one value over all steps of a loop, which then has it."""
        if k in self.sums:
            return True
        node = self.graph.nodes[k]
        of = self._all_steps(node.inputs, 0) if node.op == "add_n" and node.t is None else None
        if of is None or len(node.inputs) != self.loops[of[0]].T:
            return False
        outputs = self.loops[of[0]].outputs
        outputs.append((SUM, of[1]))
        self.sums[k] = _Values(of[0], len(outputs) - 1, (1, 1))
        return True

    def _next(
        self, operands: Sequence[int], n: int, reader: int | None = None, grows: bool = False
    ) -> tuple[Operand | _Values, int]:
        """The operand that begins at the n-th node, and where the next one begins."""
        run = self._run(operands, n)
        if run is None:
            k = operands[n]
            return (self.sums[k] if self._is_sum(k) else k), n + 1
        of, first, last, count = run
        if not isinstance(of, tuple):
            return Run(of, *anchored(first, last, len(of), grows)), n + count
        steps, handed_on = self.loops[of[0]], self._handed_on(*run[:3])
        side = self._side(reader, steps) or handed_on
        ends = anchored(first, last, steps.T, side=side)
        if count == 1 and reader is not None:
            self._note_alone(of, first, reader)
        output = of[1] if handed_on else steps.every(of[1])
        return _Values(of[0], output, ends, handed_on != 0), n + count

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

    def _note_alone(self, of: tuple[int, int], t: int, reader: int) -> None:
        """Refuse what reads every step alone: it says nothing of other numbers of steps."""
        T, steps = self.loops[of[0]].T, self.alone.setdefault(of, set())
        steps.add(t)
        if len(steps) == T > 3:
            op = self.graph.nodes[reader].op
            raise FoldError(
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
            begin, n = n, self._next(source.given, n)[1]
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
        if (
            all(nodes[k].op == "index" for k in given)
            and len({nodes[k].inputs for k in given}) == 1
        ):
            tables = ", ".join(str(nodes[k].attrs["position"]) for k in given[:4])
            raise FoldError(
                "fold: the positions at which a sequence is read do not go up or down by one from "
                f"step to step: {tables}"
            )
        for k in given:
            if nodes[k].inputs and nodes[k].t is None:
                raise FoldError(
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


__all__ = ["Embedding"]
