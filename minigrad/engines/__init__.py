"""What runs a schedule. An engine is one room with one face, and is found by name.

The passes, the schedule and the graph know none of them. A further engine is an object with this
face, given as `compile(f, engine=it)`; nothing else has to be touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from minigrad.extras import needed
from minigrad.folded import Folded
from minigrad.graph import Graph
from minigrad.lower.schedule import Nest, Schedule


class Executable(Protocol):
    """A graph that an engine can run, from any thread.

    Attributes:
        source: what it runs, to be read.
        nbytes: of the buffers that it keeps between calls.
    """

    @property
    def source(self) -> str:
        """What it runs, to be read."""

    @property
    def nbytes(self) -> int:
        """Of the buffers that it keeps between calls."""

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The outputs of the graph in arrays that are the caller's, for arrays as its inputs."""


@dataclass(frozen=True, eq=False)
class Way:
    """How an engine runs a folded graph: the schedule, and what only the engine knows.

    Attributes:
        plan: the schedule.
        free: nodes for which nothing has to be done, as they are only seen in another way.
        chunk: for each nest, how many steps of its batched part are done at once.
        cost: what it takes, in words.
    """

    plan: Schedule
    free: frozenset[int]
    chunk: Mapping[Nest, int]
    cost: str


class Engine(Protocol):
    """What makes programs of graphs.

    Attributes:
        arrays: the types of its arrays; those of NumPy are taken by every engine.
    """

    @property
    def arrays(self) -> tuple[type, ...]:
        """The types of its arrays."""

    def program(self, graph: Graph, reuse: bool, donated: frozenset[int]) -> Executable:
        """What runs a graph.

        Args:
            graph: all that is to be done, its loops as scans.
            reuse: results may stand in buffers that the next call overwrites.
            donated: the inputs, by number, whose arrays may be overwritten.

        Raises:
            TypeError: the engine has not what the graph needs.
        """

    def way(self, folded: Folded, steps: int) -> Way:
        """How it runs a folded graph for so many steps."""


def _numpy() -> Engine:
    from minigrad.engines.numpy.face import ENGINE

    return ENGINE


def _jax() -> Engine:
    needed("jax", "jax", "the engine 'jax'")
    from minigrad.engines.xla.face import ENGINE

    return ENGINE


ENGINES = {"numpy": _numpy, "jax": _jax}
"""By name what gives an engine; its room, and what it needs from outside, is imported then."""


def engine_of(which: str | Engine, what: str) -> Engine:
    """The engine of a name, or the engine itself.

    Raises:
        ValueError: there is none of that name.
        TypeError: it is neither a name nor an engine.
        ImportError: the package it needs is not installed.
    """
    if not isinstance(which, str):
        if not hasattr(which, "program"):
            names = " or ".join(map(repr, ENGINES))
            raise TypeError(f"{what}: engine is {names}, or an Engine, got {which!r:.60}")
        return which
    if which not in ENGINES:
        raise ValueError(f"{what}: unknown engine {which!r}; there are {', '.join(ENGINES)}")
    return ENGINES[which]()
