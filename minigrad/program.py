"""Programs: a folded graph compiled to NumPy calls on fixed buffers.

The schedule says what runs when, `minigrad.codegen.storage` where every value lives; here each
operation becomes one call that writes there, and in loops (`codegen.nests`) and sums over steps
(`codegen.totals`). The generated source can be read: `print(program.source)`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.codegen.alarms import quiet, watched
from minigrad.codegen.naming import Lines, Naming, kernel
from minigrad.codegen.needs import WHOLE
from minigrad.codegen.nests import NestWriter
from minigrad.codegen.source import call, lifted
from minigrad.codegen.storage import Array, Storage
from minigrad.codegen.totals import Totals
from minigrad.core import PRIMITIVES
from minigrad.folded import EVERY, SEQUENCE, STATE, SUM, Folded, run_folded
from minigrad.passes import PASSES, Pass
from minigrad.passes.scale import sigmoids
from minigrad.schedule import Nest, Schedule, schedule


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
    >>> from minigrad.program import Program
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
        self.plan: Schedule = schedule(folded, passes)
        self.nodes = self.plan.folded.step.nodes
        self.storage = Storage(self.plan, steps, known or {})
        self.results: list[Array | None] = []
        self.names = Naming(self.storage)
        self.totals = Totals(self.names)
        nests = NestWriter(self.names, self.totals)
        lines = self._inputs()
        for k in self.plan.static:
            node, operands = (
                self.nodes[k],
                [self.names.operand(k, i) for i in self.nodes[k].inputs],
            )
            if self.storage.values[k].array is None:
                lines.append(f"{self.names.of(k)} = {call(node, operands, self.names.bind)}")
            else:
                names = ", ".join([*operands, self.names.of(k)])
                lines.append(f"{self.names.bind(node.op, kernel(node))}({names})")
        for block in self.plan.blocks:
            lines += nests.nest(block) if isinstance(block, Nest) else self._batch(block)
        lines += self._results()
        if sigmoids(folded):
            lines = [f"with {self.names.bind('quiet', quiet)}():", *(f"    {x}" for x in lines)]
        given = (k for k in range(len(folded.inputs)) if k not in (known or {}))
        parameters = ", ".join(f"x{k}" for k in given)
        body = "\n".join(f"    {line}" for line in lines)
        self.source = f"def program({parameters}):\n{body}\n"
        self.nbytes = self.storage.nbytes
        exec(compile(self.source, "<minigrad program>", "exec"), self.names.scope)
        self.run: Callable[..., list[Array]] = watched(
            self.names.scope.pop("program"), partial(_one_by_one, folded, steps, known or {})
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
        if node.op == "concatenate":
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


def _one_by_one(folded: Folded, steps: int, known: Mapping[int, Array], *inputs: Any) -> None:
    """Run operation by operation, so that one that fails is told."""
    given, single = iter(inputs), {r.input for r in folded.recurrences if abs(r.delay) == 1}
    values: list[Any] = []
    for k, role in enumerate(folded.inputs):
        value = known[k] if k in known else next(given)
        if role == STATE and k in single:
            value = [value]
        elif role in (SEQUENCE, STATE):
            value = [value[t, ...] for t in range(len(value))]
        values.append(value)
    run_folded(folded, steps, values)
