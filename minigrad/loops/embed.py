"""Folding: from a graph of T tagged steps back to one step with delayed edges.

`embed` finds all loops of a graph and what is around them, `fold` gives the one loop alone. The
certificate is for the whole: put together again, the parts give the graph, node by node. So a fold
is never wrong: what does not give the graph again is refused, in words that say where.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from minigrad.errors import FoldError
from minigrad.folded import EVERY, SEQUENCE, SUM, Folded
from minigrad.graph import Graph, difference
from minigrad.loops.cut import Cut
from minigrad.loops.embedded import Embedded, Line, Loop, Operand, Run, straight
from minigrad.loops.find import find_loops
from minigrad.loops.order import Dependence
from minigrad.loops.steps import HINT, Source


def fold(graph: Graph) -> Folded:
    """The folded graph of the loop in a graph.

    The operations of the loop must be tagged with their step, as `rnn.run` and
    `minigrad.scope(name, t=t)` do. `embed` tells what is around the loop, a first step that
    differs included.

    Raises:
        FoldError: no step is tagged, steps differ, or there are several loops; the message says
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
        raise FoldError(
            f"fold: the graph has {len(loops)} loops ({spans}); minigrad.embed(graph).loops "
            "gives them"
        )
    return loops[0].folded


def embed(graph: Graph) -> Embedded:
    """The loops in a graph, and the graph around them.

    Raises:
        FoldError: steps differ, or a loop cannot be cut out; the message says where.

    >>> import minigrad as mg, numpy as np
    >>> def loss(w, xs):
    ...     h, hs = 0.0, []
    ...     for t in range(1, len(xs) + 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(xs[t - 1] + h * w))
    ...             hs.append(h)
    ...     return mg.sum(mg.stack(hs))
    >>> mg.embed(mg.trace(loss, 0.5, np.ones(7)))
    <Embedded: <Folded step of 6 nodes, recurrences: h delay 1>, 7 steps>
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"embed and fold take a graph, got {graph!r:.60}; trace(f, ...) gives one")
    found = _Surroundings(graph).embedded()
    off = difference(graph, found.unfolded())
    if off is not None:
        raise FoldError(f"fold: unfolding does not give the graph again: {off}")
    return found


@dataclass(frozen=True)
class _Values:
    """Values of a loop, until all of its outputs are known: then they are a `Run`.

    Attributes:
        loop: the number of the loop, as it was found; output: which of its outputs, or the state.
        places: which of them.
    """

    loop: int
    output: int | Source
    places: range


class _Surroundings:
    """What is around the loops of a graph: what it reads of them decides on their outputs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        loops = find_loops(graph)
        self.cuts = [Cut(steps) for steps in loops]
        self.depends = Dependence(graph, loops)
        self._sums: dict[int, _Values] = {}
        self._alone: dict[tuple[int, int], set[int]] = defaultdict(set)

    def embedded(self) -> Embedded:
        """Everything in an order in which it can run."""
        graph, order, loop = self.graph, self.depends.order, self.depends.loop
        results = self._results()
        outside = [k for k, node in enumerate(graph.nodes)
                   if k not in loop and node.op != "input" and not self._is_sum(k)]  # fmt: skip
        read = {k: self._read(graph.nodes[k].inputs, k) for k in outside}
        if len(self.cuts) == 1:
            used = {i for node in graph.nodes for i in node.inputs} | set(graph.outputs)
            self.cuts[0].unused = [i for i in graph.inputs if i not in used]
        # Readers first: what they read of a loop are its outputs, and these order its inputs.
        given = {
            j: [self._given(j, source) for source in self.cuts[j].inputs()] for j in reversed(order)
        }
        needed = {x for x in (*results, *(x for j in order for operands in given[j]
                                          for x in operands)) if isinstance(x, int)}  # fmt: skip
        for k in reversed(outside):  # Not needed: a constant that is part of a step.
            if k in needed:
                needed.update(x for x in read[k] if isinstance(x, int))
        rank = {j: n for n, j in enumerate(order)}
        states = [{s: len(cut.outputs) + n for n, s in enumerate(cut.states())}
                  for cut in self.cuts]  # fmt: skip

        def told(operands: Sequence[int | _Values]) -> tuple[Operand, ...]:
            return tuple(
                x if isinstance(x, int) else Run(
                    rank[x.loop],
                    x.output if isinstance(x.output, int) else states[x.loop][x.output],
                    x.places,
                )
                for x in operands
            )  # fmt: skip

        lines: list[list[Line | Loop]] = [[] for _ in range(len(order) + 1)]
        for n, j in enumerate(order, 1):
            steps = self.cuts[j].steps
            inputs = tuple(map(told, given[j]))
            lines[n].append(Loop(self.cuts[j].folded(), steps.first, steps.T, inputs))
        for k in outside:
            if k in needed:
                lines[self.depends.turn(k)].append(Line(k, told(read[k])))
        return Embedded(graph, tuple(line for part in lines for line in part), told(results))

    # --- what is read -----------------------------------------------------------------------------

    def _run(self, operands: Sequence[int], n: int) -> tuple[int, int, range] | None:
        """The loop and the class of which operands from the n-th on are values, and which ones."""
        j = self.depends.loop.get(operands[n])
        if j is None:
            return None
        place = self.cuts[j].steps.place
        c = place[operands[n]][0]
        found = (place.get(operands[m], (-1, 0)) for m in range(n, len(operands)))
        return j, c, straight(t if of == c else None for of, t in found)

    def _all_steps(self, operands: Sequence[int], n: int) -> tuple[int, int] | None:
        """The loop and the class of which the operands from the n-th on are all values in order."""
        run = self._run(operands, n)
        if run is None or run[2] != range(1, self.cuts[run[0]].steps.T + 1):
            return None
        return run[:2]

    def _results(self) -> list[int | _Values]:
        """The results: each one that is of every step is an output of its own."""
        found: list[int | _Values] = []
        n, results = 0, self.graph.outputs
        while n < len(results):
            of: tuple[int, int | Source] | None = self._all_steps(results, n) or self._whole(n)
            if of is None:
                part, n = self._next(results, n)
            else:
                cut = self.cuts[of[0]]
                T = cut.steps.T
                part, n = _Values(of[0], cut.want(EVERY, of[1]), range(1, T + 1)), n + T
            found.append(part)
        return found

    def _whole(self, n: int) -> tuple[int, Source] | None:
        """Whether results from the n-th on are, one for each step, inputs or delayed values."""
        if len(self.cuts) > 1:
            return None
        cut, run = self.cuts[0], self._run(self.graph.outputs, n)
        if run is not None and cut.carried(*run[1:]):
            return None
        source = cut.whole(self.graph.outputs[n : n + cut.steps.T])
        return (0, source) if source else None

    def _is_sum(self, k: int) -> bool:
        """Whether a node is the sum of one value over all steps of a loop, which then has it."""
        if k in self._sums:
            return True
        node = self.graph.nodes[k]
        of = self._all_steps(node.inputs, 0) if node.op == "add_n" and node.t is None else None
        if of is None or len(node.inputs) != self.cuts[of[0]].steps.T:
            return False
        self._sums[k] = _Values(of[0], self.cuts[of[0]].want(SUM, of[1]), range(1, 2))
        return True

    def _next(
        self, operands: Sequence[int], n: int, reader: int | None = None
    ) -> tuple[int | _Values, int]:
        """The operand that begins at the n-th node, and where the next one begins."""
        run = self._run(operands, n)
        if run is None:
            k = operands[n]
            return (self._sums[k] if self._is_sum(k) else k), n + 1
        j, c, places = run
        if len(places) == 1 and reader is not None:
            self._note_alone(j, c, places[0], reader)
        cut, end = self.cuts[j], n + len(places)
        state = cut.carried(c, places)
        if state is None:
            return _Values(j, cut.every(c), places), end
        before = cut.steps.T - state.delay if state.delay > 0 else 0
        first, stride = places.start - before, places.step
        return _Values(j, state, range(first, first + stride * len(places), stride)), end

    def _read(self, operands: Sequence[int], reader: int | None = None) -> list[int | _Values]:
        """Operands, with values of loops as runs."""
        found: list[int | _Values] = []
        n = 0
        while n < len(operands):
            part, n = self._next(operands, n, reader)
            found.append(part)
        return found

    def _note_alone(self, j: int, c: int, t: int, reader: int) -> None:
        """Refuse what reads every step by itself: it belongs to the steps."""
        T, steps = self.cuts[j].steps.T, self._alone[j, c]
        steps.add(t)
        if len(steps) == T > 3:
            raise FoldError(
                f"fold: {self.graph.nodes[reader].op} (%{reader}) and others read each of {T} "
                f"steps alone; stack the values and read that, or {HINT}"
            )

    def _given(self, j: int, source: Source) -> list[int | _Values]:
        """What an input of a loop is given."""
        if source.role != SEQUENCE:
            row = self.cuts[j].steps.rows[0 if source.delay >= 0 else -1]
            return self._read(source.given, row[0])
        nodes, given = self.graph.nodes, source.given
        k = given[0]
        if len({nodes[i].inputs for i in given}) > 1 and all(
            nodes[i].inputs and nodes[i].t is None and i not in self.depends.loop for i in given
        ):
            raise FoldError(
                f"fold: {nodes[k].op} (%{k}) is computed outside of any step but read inside; "
                f"{HINT}"
            )
        return self._read(given)
