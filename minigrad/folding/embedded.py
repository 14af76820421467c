"""A graph that holds loops: a straight-line program whose lines are operations or whole loops.

That one form covers whatever stands at the ends of a loop. A first step without a start value, or
a last one with an output, is operations on lines of their own, before or after the loop; several
layers, two directions, encoder and decoder are several lines. What a line reads is nodes, and runs
of sequences: values of a loop, rows of an array, inputs. The ends of a run are counted from the
nearer end of the sequence, so that the whole is known for any number of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.errors import FoldError
from minigrad.folded import SEQUENCE, STATIC, SUM, Folded, run_steps
from minigrad.folding.runs import Leaves, Listed, Operand, Rows, Run
from minigrad.graph import Graph, Node, prune


@dataclass(frozen=True)
class Line:
    """An operation outside of the loops.

    Attributes:
        node: its number in the graph.
        operands: what it reads.
        behind: clocks of the loops of which it is a later step.
    """

    node: int
    operands: tuple[Operand, ...]
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop in a graph.

    Attributes:
        folded: its step; its outputs are values of every step, sums, and states.
        first: the tag of its first step; T: how many there were.
        clock: loops of one clock have the same number of steps, or some more or less.
        given: for each input of the step what it is given: one operand (static), T values
            (sequence), or start values (state).
        behind: clocks of the loops that are made of earlier steps of the same scope.
    """

    folded: Folded
    first: int
    T: int
    clock: int
    given: tuple[tuple[Operand, ...], ...]
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Embedded:
    """A graph that holds loops: a straight-line program of operations and loops.

    Attributes:
        graph: what was folded.
        lines: the operations and the loops, in an order in which they can run.
        results: the operands that are results.
        T: for each clock the number of steps that were seen, those that differ included.
        grown: for inputs of the graph that are read row by row: the axis, and clocks it follows.
    """

    graph: Graph
    lines: tuple[Line | Loop, ...]
    results: tuple[Operand, ...]
    T: tuple[int, ...]
    grown: Mapping[int, tuple[int, tuple[int, ...]]]

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops, in the order in which they run."""
        return tuple(line for line in self.lines if isinstance(line, Loop))

    def unfold(self, *T: int) -> Graph:
        """The graph for T steps: the loops unfolded, with everything around them.

        One number for each of `self.T`, or one for all if all were the same. Numbers that were
        computed from T when the graph was traced, such as the divisor of a mean, stay as they were.
        What differs at the first and at the last step stays two things, even if they are one step.

        Raises:
            ValueError: too few numbers or steps, or a sequence that cannot get longer.
        """
        wanted = T * len(self.T) if len(T) == 1 and len(set(self.T)) == 1 else T
        if len(wanted) != len(self.T):
            raise FoldError(
                f"unfold: the graph has loops of {_listed(self.T)} steps, each of its own length; "
                f"give a number for each, as unfold({', '.join(map(str, self.T))})"
            )
        copy = Unfolding(self, [new - seen for new, seen in zip(wanted, self.T, strict=True)])
        return prune(copy.nodes, copy.inputs, copy.outputs)

    def again(self) -> Graph:
        """The graph for the number of steps that were seen."""
        copy = Unfolding(self, [0] * len(self.T))
        return Graph(tuple(copy.nodes), tuple(copy.inputs), tuple(copy.outputs),
                     self.graph.in_tree, self.graph.out_tree)  # fmt: skip

    def __repr__(self) -> str:
        loops = _listed(repr(loop.folded) for loop in self.loops)
        return f"<Embedded: {loops}, {_listed(self.T)} steps>"


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))


class Unfolding:
    """An embedded graph put together again, with some more or fewer steps for each clock."""

    def __init__(self, found: Embedded, more: Sequence[int]) -> None:
        self.graph, self.more = found.graph, more
        self.nodes: list[Node] = []
        self.inputs: list[int] = []
        self._made: dict[int, int] = {}
        self._columns: list[list[list[int]]] = []
        self._lists: dict[int, list[int]] = {}
        self._rows: dict[tuple[Rows, int], int] = {}
        self._take_inputs(found)
        for line in found.lines:
            if isinstance(line, Loop):
                self._columns.append(self._loop(line))
            else:
                self._line(line)
        self.outputs = self._read(found.results)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _longer(self, clocks: Iterable[int]) -> int:
        """By how much loops of these clocks together are longer."""
        return sum(self.more[c] for c in clocks)

    def _take_inputs(self, found: Embedded) -> None:
        """The inputs: lists as long as their loops, arrays with as many rows."""
        lists = {leaves.low: leaves for leaves in _sequences(found) if isinstance(leaves, Leaves)}
        known, n = [self.graph.nodes[k] for k in self.graph.inputs], 0
        while n < len(known):
            if n in lists:
                width, end = lists[n].width, lists[n].high + 1
                steps = range(len(lists[n]) + self.more[lists[n].clock])
                made = [self._add(_at(node, t)) for t in steps for node in known[n : n + width]]
                self._lists[n] = made
            else:
                end = n + 1
                axis, clocks = found.grown.get(self.graph.inputs[n], (0, ()))
                shape = list(known[n].shape)
                if clocks:
                    shape[axis] += self._longer(clocks)
                made = [self._add(replace(known[n], shape=tuple(shape)))]
                self._made[self.graph.inputs[n]] = made[0]
            self.inputs += made
            n = end

    def _line(self, line: Line) -> None:
        """An operation outside of the loops; only where an operand has grown is its shape new."""
        node = self.graph.nodes[line.node]
        operands = self._read(line.operands)
        now, seen = ([nodes[i] for i in part] for nodes, part in
                     ((self.nodes, operands), (self.graph.nodes, node.inputs)))  # fmt: skip
        same = all(a.shape == b.shape for a, b in zip(now, seen, strict=False))
        same = same and len(now) == len(seen)
        new = Node(node.op, tuple(operands), node.attrs, node.shape if same else _shape(node, now),
                   node.dtype, node.value, node.name, node.scope, node.t)  # fmt: skip
        self._made[line.node] = self._add(_at(new, self._longer(line.behind)))

    def _loop(self, loop: Loop) -> list[list[int]]:
        """The operations of all steps; gives the nodes of each output, of states the last ones."""
        T, folded = loop.T + self.more[loop.clock], loop.folded
        if T < 1:
            raise FoldError(f"unfold: the loop needs a step at least, got {T}; ask for more steps")
        first = loop.first + self._longer(loop.behind)
        inputs: list[int | list[int]] = []
        for k, (role, given) in enumerate(zip(folded.inputs, loop.given, strict=True)):
            values = self._read(given, first)
            if role == SEQUENCE and len(values) != T:
                raise FoldError(
                    f"unfold: the loop has {T} steps, but its sequence {folded.input_name(k)} "
                    f"{len(values)} values; trace with the sequence as an argument"
                )
            inputs.append(values[0] if role == STATIC else values)
        nodes = self.nodes
        step = _reshaped(folded.step, [
            nodes[x if isinstance(x, int) else x[0]].shape for x in inputs
        ])  # fmt: skip

        def emit(k: int, t: int, operands: list[int]) -> int:
            node = step[k]
            nodes.append(Node(node.op, tuple(operands), node.attrs, node.shape, node.dtype,
                              node.value, node.name, node.scope, first + t - 1))  # fmt: skip
            return len(nodes) - 1

        columns, last = run_steps(folded, T, inputs, emit)
        for edge, values in zip(folded.recurrences, last, strict=True):
            columns[edge.output] = values
        for k, role in enumerate(folded.outputs):
            if role == SUM:
                about = folded.output_node(k)
                total = Node("add_n", tuple(columns[k]), {}, about.shape, about.dtype,
                             name=about.name)  # fmt: skip
                columns[k] = [self._add(total)]
        return columns

    def _read(self, operands: Iterable[Operand], first: int | None = None) -> list[int]:
        """The nodes that operands stand for; rows for the steps of a loop get their times."""
        found: list[int] = []
        for operand in operands:
            if isinstance(operand, int):
                found.append(self._made[operand])
            elif isinstance(operand.of, Rows):
                rows = operand.of
                for n in operand.places(len(rows) + self.more[rows.clock]):
                    t = None if first is None else first + len(found)
                    found.append(self._row(rows, n, t))
            else:
                of = operand.of
                listed = (self._lists[of.low][of.n :: of.width] if isinstance(of, Leaves)
                          else self._columns[of.loop][of.output])  # fmt: skip
                found += [listed[n - 1] for n in operand.places(len(listed))]
        return found

    def _row(self, rows: Rows, n: int, t: int | None) -> int:
        """The n-th of some rows of an array, read at a step if that is known."""
        if (rows, n) not in self._rows:
            array, node = self._made[rows.source], rows.node
            length = self.nodes[array].shape[rows.axis]
            now = rows.low + n - 1 + self._longer(rows.behind)
            if now >= length:
                raise FoldError(
                    f"unfold: row {now} is read of {length} ({node.op} of %{rows.source}); trace "
                    "with the sequence as an argument"
                )
            position = list(node.attrs["position"])
            old = position[rows.place]
            position[rows.place] = type(old)(now if old >= 0 else now - length)
            read = replace(node, inputs=(array,), attrs={"position": tuple(position)})
            late = 0 if t is None or node.t is None else t - node.t
            self._rows[rows, n] = self._add(_at(read, late))
        return self._rows[rows, n]


def _at(node: Node, late: int) -> Node:
    """A node some steps later, if it has a time."""
    return replace(node, t=node.t + late) if late and node.t is not None else node


def _reshaped(step: Graph, shapes: Sequence[tuple[int, ...]]) -> list[Node]:
    """The nodes of a step for inputs of these shapes: what it reads may have grown."""
    nodes = list(step.nodes)
    if all(nodes[i].shape == shape for i, shape in zip(step.inputs, shapes, strict=True)):
        return nodes
    for i, shape in zip(step.inputs, shapes, strict=True):
        nodes[i] = replace(nodes[i], shape=shape)
    for k, node in enumerate(nodes):
        if node.inputs:
            nodes[k] = replace(node, shape=_shape(node, [nodes[i] for i in node.inputs]))
    return nodes


def _shape(node: Node, operands: Sequence[Node]) -> tuple[int, ...]:
    """The shape of what an operation makes of these operands."""
    try:
        with np.errstate(all="ignore"):
            return np.shape(PRIMITIVES[node.op](*[x.example() for x in operands], **node.attrs))
    except (ValueError, IndexError) as error:
        raise FoldError(
            f"unfold: {node.op}{list(node.shape)} was traced for one number of steps: {error}"
        ) from error


def _sequences(found: Embedded) -> Iterable[Listed]:
    """Everything that is read in runs."""
    for line in found.lines:
        groups = line.given if isinstance(line, Loop) else (line.operands,)
        for operands in (*groups, found.results):
            yield from (operand.of for operand in operands if isinstance(operand, Run))


__all__ = ["Embedded", "Line", "Loop", "Unfolding"]
