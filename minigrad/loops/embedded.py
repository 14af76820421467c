"""A graph that holds loops: a straight-line program whose lines are operations or whole loops.

That one form covers whatever stands at the ends of a loop. A first step without a start value, or
a last one with an output, is operations on lines of their own, before or after the loop; several
layers, two directions, encoder and decoder are several lines. Put together again it is the graph,
node by node: the certificate of everything that is done with loops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from minigrad.folded import STATIC, SUM, Folded, run_steps
from minigrad.graph import Graph, Node


@dataclass(frozen=True)
class Run:
    """Values of one output of a loop, one after the other.

    Attributes:
        loop: the number of the loop, in the order in which they run; output: which of its outputs.
        places: which of its values: of every step the first is 1, as of the last values of a
            state; a sum is a single one.
    """

    loop: int
    output: int
    places: range


Operand = int | Run
"""What is read: a node outside of the loops, or values of a loop."""


def straight(places: Iterable[int | None]) -> range:
    """The places at the start that go up or down one by one; None is no place."""
    rest = iter(places)
    first = last = next(rest) or 0
    stride = 0
    for place in rest:
        if place is None or place - last not in ((stride,) if stride else (1, -1)):
            break
        last, stride = place, place - last
    return range(first, last + (stride or 1), stride or 1)


@dataclass(frozen=True)
class Line:
    """An operation outside of the loops: its number in the graph, and what it reads."""

    node: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop in a graph.

    Attributes:
        folded: its step; its outputs are values of every step, sums, and states.
        first: the tag of its first step; T: how many there are.
        given: for each input of the step what it is given: one operand (static), T values
            (sequence), or start values (state).
    """

    folded: Folded
    first: int
    T: int
    given: tuple[tuple[Operand, ...], ...]


@dataclass(frozen=True, eq=False)
class Embedded:
    """A graph that holds loops: a straight-line program of operations and loops.

    Attributes:
        graph: what was folded.
        lines: the operations and the loops, in an order in which they can run.
        results: the operands that are results.
    """

    graph: Graph
    lines: tuple[Line | Loop, ...]
    results: tuple[Operand, ...]

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops, in the order in which they run."""
        return tuple(line for line in self.lines if isinstance(line, Loop))

    def unfolded(self) -> Graph:
        """The graph again, with all steps of every loop."""
        known, nodes = self.graph.nodes, [self.graph.nodes[k] for k in self.graph.inputs]
        made = {k: n for n, k in enumerate(self.graph.inputs)}
        columns: list[list[list[int]]] = []

        def read(operands: Iterable[Operand]) -> list[int]:
            found: list[int] = []
            for x in operands:
                if isinstance(x, int):
                    found.append(made[x])
                else:
                    values = columns[x.loop][x.output]
                    found += [values[n - 1] for n in x.places]
            return found

        for line in self.lines:
            if isinstance(line, Loop):
                columns.append(_steps(line, [read(given) for given in line.given], nodes))
            else:
                made[line.node] = len(nodes)
                nodes.append(replace(known[line.node], inputs=tuple(read(line.operands))))
        outputs = read(self.results)
        return Graph(tuple(nodes), tuple(range(len(self.graph.inputs))), tuple(outputs),
                     self.graph.in_tree, self.graph.out_tree)  # fmt: skip

    def __repr__(self) -> str:
        loops = ", ".join(repr(loop.folded) for loop in self.loops)
        steps = dict.fromkeys(loop.T for loop in self.loops)
        return f"<Embedded: {loops}, {', '.join(map(str, steps))} steps>"


def _steps(loop: Loop, given: list[list[int]], nodes: list[Node]) -> list[list[int]]:
    """All steps of a loop, added to `nodes`; the values of each output, of a state the last."""
    folded, step = loop.folded, loop.folded.step.nodes

    def emit(k: int, t: int, operands: list[int]) -> int:
        node = step[k]  # The fields one by one: `replace` takes twice as long.
        nodes.append(Node(node.op, tuple(operands), node.attrs, node.shape, node.dtype,
                          node.value, node.name, node.scope, loop.first + t - 1))  # fmt: skip
        return len(nodes) - 1

    inputs = [x[0] if role == STATIC else x for role, x in zip(folded.inputs, given, strict=True)]
    columns, last = run_steps(folded, loop.T, inputs, emit)
    for edge, values in zip(folded.recurrences, last, strict=True):
        columns[edge.output] = values
    for k, role in enumerate(folded.outputs):
        if role == SUM:
            about = folded.output_node(k)
            nodes.append(Node("add_n", tuple(columns[k]), {}, about.shape, about.dtype,
                              name=about.name))  # fmt: skip
            columns[k] = [len(nodes) - 1]
    return columns
