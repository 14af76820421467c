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
from minigrad.folded import SEQUENCE, STATIC, SUM, Folded, run_steps
from minigrad.graph import Graph, Node, prune


@dataclass(frozen=True)
class Column:
    """The values of one output of a loop: at every step, or one sum."""

    loop: int
    output: int


@dataclass(frozen=True)
class Leaves:
    """Inputs of the graph that are a list with an element for each step.

    Attributes:
        low, high: the list is the inputs from the `low`-th to the `high`-th.
        width: how many of them belong to a step, as in a list of pairs; n: which of these it is.
        clock: there are as many more steps as the loops of this clock have.
    """

    low: int
    high: int
    width: int
    n: int
    clock: int

    def __len__(self) -> int:
        return (self.high - self.low + 1) // self.width


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of an array, read one by one by an index.

    Attributes:
        source: the node of the array.
        axis: of the array, that has the rows; place: which part of the position counts them.
        low, high: the positions.
        node: one of the readings.
        clock: there are as many more rows as the loops of this clock have more steps.
        behind: clocks of the rows before these.
    """

    source: int
    axis: int
    place: int
    low: int
    high: int
    node: Node
    clock: int
    behind: tuple[int, ...]

    def __len__(self) -> int:
        return self.high - self.low + 1


Listed = Column | Leaves | Rows


@dataclass(frozen=True)
class Run:
    """Some of a sequence: from a place to a place, 1 the first of all, −1 the last."""

    of: Listed
    first: int
    last: int

    def places(self, length: int) -> range:
        """The places in their order, in a sequence of so many."""
        a, b = (n if n > 0 else length + 1 + n for n in (self.first, self.last))
        return range(a, b + 1) if a <= b else range(a, b - 1, -1)


Operand = int | Run


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

        Raises:
            ValueError: too few numbers or steps, or a sequence that cannot get longer.
        """
        wanted = T * len(self.T) if len(T) == 1 and len(set(self.T)) == 1 else T
        if len(wanted) != len(self.T):
            raise ValueError(
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

    def _add(self, node: Node, t: int | None) -> int:
        """Put a node at the end, with its time."""
        if t != node.t:
            node = Node(node.op, node.inputs, node.attrs, node.shape, node.dtype, node.value,
                        node.name, node.scope, t)  # fmt: skip
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _later(self, t: int, behind: Iterable[int]) -> int:
        """A time, or a place, behind loops that have become longer."""
        return t + sum(self.more[c] for c in behind)

    def _take_inputs(self, found: Embedded) -> None:
        """The inputs: lists as long as their loops, arrays with as many rows."""
        lists = {leaves.low: leaves for leaves in _sequences(found) if isinstance(leaves, Leaves)}
        n = 0
        while n < len(self.graph.inputs):
            node = self.graph.nodes[self.graph.inputs[n]]
            if n not in lists:
                axis, clocks = found.grown.get(self.graph.inputs[n], (0, ()))
                if more := sum(self.more[c] for c in clocks):
                    shape = list(node.shape)
                    shape[axis] += more
                    node = replace(node, shape=tuple(shape))
                self._made[self.graph.inputs[n]] = self._add(node, node.t)
                self.inputs.append(len(self.nodes) - 1)
                n += 1
                continue
            leaves = lists[n]
            begin = len(self.inputs)
            for step in range(len(leaves) + self.more[leaves.clock]):
                for m in range(n, n + leaves.width):
                    node = self.graph.nodes[self.graph.inputs[m]]
                    self.inputs.append(self._add(node, None if node.t is None else node.t + step))
            self._lists[n] = self.inputs[begin:]
            n = leaves.high + 1

    def _line(self, line: Line) -> None:
        """An operation outside of the loops; only where an operand has grown is its shape new."""
        node = self.graph.nodes[line.node]
        operands = self._read(line.operands)
        same = [self.nodes[i].shape for i in operands] == [
            self.graph.nodes[i].shape for i in node.inputs
        ]
        shape = node.shape if same else _shape(node, [self.nodes[i] for i in operands])
        new = Node(node.op, tuple(operands), node.attrs, shape, node.dtype, node.value, node.name,
                   node.scope)  # fmt: skip
        self._made[line.node] = self._add(new, node.t and self._later(node.t, line.behind))

    def _loop(self, loop: Loop) -> list[list[int]]:
        """The operations of all steps; gives for each output its nodes."""
        T, folded = loop.T + self.more[loop.clock], loop.folded
        if T < 1:
            raise ValueError(f"unfold: the loop needs a step at least, got {T}; ask for more steps")
        first = self._later(loop.first, loop.behind)
        inputs: list[int | list[int]] = []
        for k, (role, given) in enumerate(zip(folded.inputs, loop.given, strict=True)):
            values = self._read(given, first)
            if role == SEQUENCE and len(values) != T:
                raise ValueError(
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

        columns, _ = run_steps(folded, T, inputs, emit)
        for k, role in enumerate(folded.outputs):
            if role == SUM:
                about = folded.output_node(k)
                total = Node("add_n", tuple(columns[k]), {}, about.shape, about.dtype,
                             name=about.name)  # fmt: skip
                columns[k] = [self._add(total, None)]
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
        """The n-th of some rows of an array."""
        if (rows, n) not in self._rows:
            array, node = self._made[rows.source], rows.node
            position = list(node.attrs["position"])
            old, new = position[rows.place], self._later(rows.low + n - 1, rows.behind)
            length = self.nodes[array].shape[rows.axis]
            if new >= length:
                raise ValueError(
                    f"unfold: row {new} is read of {length} ({node.op} of %{rows.source}); trace "
                    "with the sequence as an argument"
                )
            position[rows.place] = type(old)(new if old >= 0 else new - length)
            read = replace(node, inputs=(array,), attrs={"position": tuple(position)})
            self._rows[rows, n] = self._add(read, node.t if node.t is None or t is None else t)
        return self._rows[rows, n]


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
        raise ValueError(
            f"unfold: {node.op}{list(node.shape)} was traced for one number of steps: {error}"
        ) from error


def _sequences(found: Embedded) -> Iterable[Listed]:
    """Everything that is read in runs."""
    for line in found.lines:
        groups = line.given if isinstance(line, Loop) else (line.operands,)
        for operands in (*groups, found.results):
            yield from (operand.of for operand in operands if isinstance(operand, Run))


__all__ = ["Column", "Embedded", "Leaves", "Line", "Loop", "Rows", "Run", "Unfolding"]
