"""Programs: a folded graph compiled to NumPy calls on fixed buffers.

The schedule says what runs when, `storage` where every value lives; here each operation becomes one
instruction that writes there, outside of loops (`calls`), in them (`nests`) and in sums over steps
(`totals`). A graph without a loop is a folded step without recurrence, all of it before the loops.
The generated source can be read: `print(program.source)`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.engines.numpy.alarms import watched
from minigrad.engines.numpy.buffers import Buffers
from minigrad.engines.numpy.calls import on_all_steps, once
from minigrad.engines.numpy.instructions import Body, Copy, Given, Listing, Operand
from minigrad.engines.numpy.nests import in_steps
from minigrad.engines.numpy.operands import Operands
from minigrad.engines.numpy.source import Source
from minigrad.engines.numpy.storage import Storage
from minigrad.engines.numpy.totals import Totals
from minigrad.folded import EVERY, ONCE, SUM, Folded, by_step, run_folded
from minigrad.graph import Graph
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
    can be given as `known`, by number; calls then leave them out. It is one of `buffers`, or is
    never written to again.

    Attributes:
        plan: the schedule it was made from.
        run: the compiled source: the outputs and the last values in one list.
        results: the arrays in that list that are known before any call, None for the others.
        instructions: what it does, as a list.
        source: the list as Python.
        names: what has a name in it.
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
        buffers: Buffers | None = None,
    ) -> None:
        self.T = steps
        self._lock = threading.Lock()
        self.plan: Schedule = planned(folded, passes)
        self.nodes = self.plan.folded.step.nodes
        buffers = buffers or Buffers()

        def nested(folded: Folded, steps: int, known: Mapping[int, Array]) -> Program:
            return Program(folded, steps, LATE, known, buffers)

        self.storage = Storage(self.plan, steps, known or {}, buffers, nested)
        self.operands = Operands(self.storage)
        self.totals = Totals(self.operands)
        body = self._inputs()
        for k in self.plan.static:
            body += once(self.operands, k)
        for block in self.plan.blocks:
            if isinstance(block, Nest):
                body += in_steps(self.operands, block)
            else:
                body += on_all_steps(self.operands, block)
        results = tuple(self._results(body))
        given = tuple(f"x{k}" for k in range(len(folded.inputs)) if k not in (known or {}))
        copied, quiet = tuple(self.operands.once), bool(sigmoids(folded))
        self.instructions = Listing(given, copied, tuple(body), results, quiet)
        source = Source(self.instructions, buffers)
        self.source = "\n".join([*source.before, source.text])
        self.results, self.names = source.results, source.names
        self.nbytes = buffers.nbytes
        self.run: Callable[..., list[Array]] = watched(
            source.compiled(), partial(_one_by_one, folded, steps, known or {})
        )

    def __call__(self, *inputs: Any) -> tuple[list[Array], list[Array]]:
        """Run; see the class."""
        with self._lock:
            results = [np.array(x) for x in self.run(*inputs)]
        plain = len(self.plan.folded.plain)
        return results[:plain], results[plain:]

    def _inputs(self) -> Body:
        """Start values go into the buffers of their recurrences."""
        copies = Body()
        for r in self.plan.folded.recurrences:
            history, d = self.storage.history[r.input], r.delay
            if self.storage.is_ring(r):
                first = 0 if d > 0 else self.T % 2
                start = history[first : first + 1]
            else:
                start = history[:d] if d > 0 else history[self.T :]
            copies.append(Copy(Given(f"x{r.input}"), self.operands.place(start, "start")))
        return copies

    def _results(self, body: Body) -> Iterator[Operand]:
        """What is given back; sums over steps that it needs are computed at the end."""
        for role, i in zip(self.plan.folded.outputs, self.plan.folded.step.outputs, strict=True):
            if role == EVERY:
                yield self.operands.whole(i, body)
            elif role == SUM:
                yield self.totals.total(i, body)
            elif role == ONCE:
                yield self.operands.of(i)
        for r in self.plan.folded.recurrences:
            history, d = self.storage.history[r.input], r.delay
            if self.storage.is_ring(r):
                last = history[self.T % 2 if d > 0 else 0, ...]
            else:
                ends = history[self.T :] if d > 0 else history[:-d]
                last = ends if abs(d) > 1 else ends[0, ...]
            yield self.operands.view(last, "last")


def program_of(graph: Graph) -> Program:
    """The program of a graph, as one step of nothing that recurs."""
    return Program(as_folded(graph), 1)


def _one_by_one(folded: Folded, steps: int, known: Mapping[int, Array], *inputs: Any) -> None:
    """Run operation by operation, so that one that fails is told."""
    given = iter(inputs)
    values = [known[k] if k in known else next(given) for k in range(len(folded.inputs))]
    run_folded(folded, steps, by_step(folded, values))
