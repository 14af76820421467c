"""Programs: a folded graph compiled to NumPy calls on fixed buffers.

The schedule says what runs when, `storage` where every value lives; here each operation becomes one
call that writes there, before the loops (`straight`), in them (`nests`) and in sums over steps
(`totals`). A graph without a loop is a folded step without recurrence, all of it before the loops.
The generated source can be read: `print(program.source)`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES, Array
from minigrad.engines.numpy.alarms import quiet, watched
from minigrad.engines.numpy.naming import Naming
from minigrad.engines.numpy.needs import WHOLE
from minigrad.engines.numpy.nests import NestWriter
from minigrad.engines.numpy.source import Buffers, Lines, Scope, kernel
from minigrad.engines.numpy.storage import Storage
from minigrad.engines.numpy.totals import Totals
from minigrad.folded import EVERY, ONCE, SUM, Folded, by_step, run_folded
from minigrad.graph import Graph
from minigrad.lower.nodes import lifted
from minigrad.lower.passes import LATE, PASSES, Pass
from minigrad.lower.pipeline import as_folded, planned
from minigrad.lower.scale import sigmoids
from minigrad.lower.schedule import Nest, Schedule


class Program:
    """A folded graph for T steps on fixed buffers.

    Call it with one array for each input of the folded graph: a value (static), all steps
    `(T, ...)` (sequence), or start values (state; `(d, ...)` for a delay of d > 1 steps). It
    gives `(outputs, last)`: for each "every" output `(T, ...)` and for each "sum" its value, then
    for each recurrence its last values.

    One thread runs it at a time, and the results are the caller's. `run` leaves both to whoever
    calls it: its results are the program's own buffers. Inputs that are always in the same array
    can be given as `known`, by number; calls then leave them out.

    Attributes:
        plan: the schedule it was made from.
        run: the compiled source: the outputs and the last values in one list.
        results: the arrays in that list that are known before any call, None for the others.
        source: the generated Python.
        nbytes: the size of all buffers.

    >>> import numpy as np, rnn
    >>> from minigrad.engines.numpy.program import Program
    >>> cell = rnn.RNNCell(3, 5)
    >>> p = cell.init(0)
    >>> run = Program(cell.folded(batch=2), steps=7)
    >>> (ys,), (h,) = run(p.W_xh, p.W_hh, p.b_h, np.ones((7, 2, 3)), np.zeros((2, 5)))
    >>> ys.shape, h.shape
    ((7, 2, 5), (2, 5))
    """

    def __init__(
        self,
        folded: Folded,
        steps: int,
        passes: Sequence[Pass] = PASSES,
        known: Mapping[int, Array] | None = None,
    ) -> None:
        self.T = steps
        self._lock = threading.Lock()
        self.plan: Schedule = planned(folded, passes)
        self.nodes = self.plan.folded.step.nodes
        scope, loops = Scope(), list[Program]()

        def nested(folded: Folded, steps: int, known: Mapping[int, Array]) -> Program:
            loops.append(Program(folded, steps, LATE, known))
            return loops[-1]

        self.storage = Storage(self.plan, steps, known or {}, scope, Buffers(), nested)
        self.results: list[Array | None] = []
        self.names = Naming(self.storage, scope)
        self.totals = Totals(self.names)
        lines = [*self._inputs(), *self.storage.straight.lines]
        for block in self.plan.blocks:
            if isinstance(block, Nest):
                lines += NestWriter(block, self.names, self.totals).lines()
            else:
                lines += self._batch(block)
        lines += self._results()
        if sigmoids(folded):
            lines = [f"with {self.names.bind('quiet', quiet)}():", *(f"    {x}" for x in lines)]
        given = (k for k in range(len(folded.inputs)) if k not in (known or {}))
        parameters = ", ".join(f"x{k}" for k in given)
        body = "\n".join(f"    {line}" for line in lines)
        source = f"def program({parameters}):\n{body}\n"
        self.source = "\n".join([*self.storage.straight.loops, source])
        self.nbytes: int = self.storage.buffers.nbytes + sum(inner.nbytes for inner in loops)
        exec(compile(source, "<minigrad program>", "exec"), scope.names)
        self.run: Callable[..., list[Array]] = watched(
            scope.names.pop("program"), partial(_one_by_one, folded, steps, known or {})
        )

    def __call__(self, *inputs: Any) -> tuple[list[Array], list[Array]]:
        """Run; see the class."""
        with self._lock:
            results = [np.array(x) for x in self.run(*inputs)]
        plain = len(self.plan.folded.plain)
        return results[:plain], results[plain:]

    def _inputs(self) -> Lines:
        """Start values go into the buffers of their recurrences."""
        lines = []
        for r in self.plan.folded.recurrences:
            history, d = self.storage.history[r.input], r.delay
            if self.storage.is_ring(r):
                first = 0 if d > 0 else self.T % 2
                start = history[first : first + 1]
            else:
                start = history[:d] if d > 0 else history[self.T :]
            lines.append(f"{self.names.bind('start', start)}[...] = x{r.input}")
        return lines

    def _batch(self, k: int) -> Lines:
        """One call on whole sequences."""
        node, out = self.nodes[k], self.storage.values[k]
        operands = [self.storage.values[i] for i in node.inputs]
        if out.is_view:
            return []
        assert out.array is not None  # what is computed has a buffer
        target = self.names.bind(node.op, out.array)
        if node.op == "matmul" and operands[0].level == WHOLE and operands[1].level != WHOLE:
            flat = out.array.reshape(-1, out.array.shape[-1])
            if np.may_share_memory(flat, out.array):
                rows, weight = (
                    self.names.rows(node.inputs[0]),
                    self.names.of(node.inputs[1]),
                )
                return [f"{self.names.matmul}({rows}, {weight}, {self.names.bind('rows', flat)})"]
        if node.lowering.joins:
            return self.names.copies(k, range(len(node.inputs)))
        if node.op == "lookup":
            names = ", ".join(map(self.names.of, node.inputs))
            return [f"{target}[...] = {self.names.plain(node)}({names})"]
        align, attrs = PRIMITIVES[node.op].lift == "align", lifted(node, self.T)
        names = ", ".join(self.names.aligned(k, i, align) for i in node.inputs)
        if kernel(node):
            return [f"{self.names.bind(node.op, kernel(node))}({names}, {target})"]
        return [f"{target}[...] = {self.names.plain(node, attrs)}({names})"]

    def _results(self) -> Lines:
        folded = self.plan.folded
        lines: Lines = []
        outputs = []
        for role, i in zip(folded.outputs, folded.step.outputs, strict=True):
            if role == EVERY:
                value = self.storage.values[i]
                outputs.append(self.names.whole(i))
                self.results.append(value.array if value.level == WHOLE else None)
            elif role == SUM:
                name, array = self.totals.total(i, lines)
                outputs.append(name)
                self.results.append(array)
            elif role == ONCE:
                outputs.append(self.names.of(i))
                self.results.append(self.storage.values[i].array)
        for r in folded.recurrences:
            history, d = self.storage.history[r.input], r.delay
            if self.storage.is_ring(r):
                last = history[self.T % 2 if d > 0 else 0, ...]
            else:
                ends = history[self.T :] if d > 0 else history[:-d]
                last = ends if abs(d) > 1 else ends[0, ...]
            outputs.append(self.names.bind("last", last))
            self.results.append(last)
        return [*lines, f"return [{', '.join(outputs)}]"]


def program_of(graph: Graph) -> Program:
    """The program of a graph, as one step of nothing that recurs."""
    return Program(as_folded(graph), 1)


def _one_by_one(folded: Folded, steps: int, known: Mapping[int, Array], *inputs: Any) -> None:
    """Run operation by operation, so that one that fails is told."""
    given = iter(inputs)
    values = [known[k] if k in known else next(given) for k in range(len(folded.inputs))]
    run_folded(folded, steps, by_step(folded, values))
