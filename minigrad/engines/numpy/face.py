"""The face of the NumPy engine: a whole graph as a program whose results are the caller's."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.captured import Same
from minigrad.engines import Way
from minigrad.engines.numpy.program import Program, program_of
from minigrad.folded import Folded
from minigrad.graph import Graph
from minigrad.lower.passes import LATE


class Fresh:
    """A program that one thread runs at a time, and what of its results is to be copied.

    Attributes:
        program: the graph as NumPy calls.
    """

    def __init__(self, graph: Graph, reuse: bool) -> None:
        self.program, self.reuse, self._lock = program_of(graph), reuse, threading.Lock()
        outputs, nodes = self.program.plan.folded.step.outputs, self.program.nodes
        times = Counter(outputs)
        fresh = [times[k] == 1 and self.program.storage.is_fresh(k) for k in outputs]
        # What is an argument or a constant is never lent.
        self._own = fresh if not reuse else [
            is_fresh or nodes[k].op not in ("input", "constant")
            for k, is_fresh in zip(outputs, fresh, strict=True)
        ]  # fmt: skip
        self._lent: set[Same] = set()

    @property
    def source(self) -> str:
        """The generated Python."""
        return self.program.source

    @property
    def nbytes(self) -> int:
        """The size of its buffers."""
        return self.program.nbytes

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The results, in arrays of their own; with `reuse` in the program's buffers."""
        with self._lock:
            if not self.reuse:
                found = self.program.run(*values)
                return [x if own else np.array(x) for x, own in zip(found, self._own, strict=True)]
            # What is fed back must not be overwritten while it is read.
            found = self.program.run(*[x.copy() if Same(x) in self._lent else x for x in values])
            self._lent = set(map(Same, found))
            return [x if own else np.array(x) for x, own in zip(found, self._own, strict=True)]


class NumPyEngine:
    """NumPy calls on fixed buffers: the default, and what other engines are compared with."""

    arrays: tuple[type, ...] = ()

    def program(self, graph: Graph, reuse: bool, donated: frozenset[int]) -> Fresh:
        """The graph as NumPy calls; nothing is won by overwriting an argument."""
        return Fresh(graph, reuse)

    def way(self, folded: Folded, steps: int) -> Way:
        """How it runs a folded graph for so many steps."""
        program = Program(folded, steps, LATE)
        places = program.storage.values
        free = frozenset(k for k, place in places.items() if place.is_view)
        cost = f"buffers: {program.nbytes / 1e6:.1f} MB for {steps} steps"
        return Way(program.plan, free, program.storage.needs.chunk, cost)


ENGINE = NumPyEngine()
