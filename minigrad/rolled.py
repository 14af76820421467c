"""A traced graph whose loops are scans: a plain Python loop runs like one that was never unrolled.

The loops are found by `embed`, so they have its certificate. Only what is tagged with its step
(`minigrad.scope(name, t=t)`) can be found; anything else stays as it was traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.errors import FoldError
from minigrad.fold import embed
from minigrad.folded import EVERY, STATE, STATIC, SUM
from minigrad.folding.embedded import Embedded, Line, Loop
from minigrad.folding.runs import Column, Leaves, Operand, Rows, Run
from minigrad.graph import Graph, Node
from minigrad.prepare import prepared

SHORT = 8
"""Loops of fewer steps stay as they are: a scan of its own would not pay."""


def rolled(graph: Graph) -> tuple[Graph, str]:
    """The graph with its loops as scans, and why they are not: empty if they are or none is long.

    A graph whose loops cannot be taken out is given back as it is.
    """
    if len({node.t for node in graph.nodes if node.op != "scan"} - {None}) < SHORT:
        return graph, ""
    try:
        found = embed(graph)
        if max(loop.T for loop in found.loops) < SHORT:
            return graph, ""
        return _Rolling(found).graph, ""
    except FoldError as error:  # steps that differ, or values that are read one by one
        return graph, str(error)


def _with_sums(found: Embedded) -> list[Loop]:
    """The loops, with outputs of which only the sum over all steps is read made sums."""
    added: dict[Column, bool] = {}
    for line in found.lines:
        sums = isinstance(line, Line) and found.graph.nodes[line.node].op == "add_n"
        groups = line.given if isinstance(line, Loop) else (line.operands,)
        for run in (x for operands in groups for x in operands if isinstance(x, Run)):
            if isinstance(run.of, Column):
                loop = found.loops[run.of.loop]
                every = loop.folded.outputs[run.of.output] == EVERY
                whole = every and len(run.places(loop.T)) == loop.T
                added[run.of] = added.get(run.of, True) and sums and whole
    for x in found.results:
        if isinstance(x, Run) and isinstance(x.of, Column):
            added[x.of] = False
    loops = []
    for n, loop in enumerate(found.loops):
        roles = tuple(
            SUM if added.get(Column(n, k), False) else role
            for k, role in enumerate(loop.folded.outputs)
        )
        loops.append(replace(loop, folded=replace(loop.folded, outputs=roles)))
    return loops


class _Rolling:
    """An embedded graph put together again, each loop as one node."""

    def __init__(self, found: Embedded) -> None:
        self.found, self.nodes = found, list[Node]()
        self._made: dict[int, int] = {}
        self._loops = _with_sums(found)
        self._columns: list[list[int]] = []
        self._arrays: dict[Any, int] = {}
        given = found.graph.inputs
        self._made = {k: self._add(found.graph.nodes[k]) for k in given}
        for line in found.lines:
            if isinstance(line, Loop):
                self._columns.append(self._loop(self._loops[len(self._columns)]))
            else:
                self._made[line.node] = self._line(line)
        outputs = tuple(k for operand in found.results for k in self._values(operand))
        inputs = tuple(self._made[k] for k in given)
        source = found.graph
        self.graph = Graph(tuple(self.nodes), inputs, outputs, source.in_tree, source.out_tree)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _make(self, op: str, inputs: Sequence[int], shape: Sequence[int], /, **attrs: Any) -> int:
        return self._add(Node(op, tuple(inputs), attrs, tuple(shape), self.nodes[inputs[0]].dtype))

    # --- lines --------------------------------------------------------------------------------

    def _line(self, line: Line) -> int:
        """An operation outside of the loops; sums and stacks of all steps take whole arrays."""
        node = self.found.graph.nodes[line.node]
        if all(isinstance(x, int) or len(self._places(x)) == 1 for x in line.operands):
            return self._add(replace(node, inputs=tuple(self._value((x,)) for x in line.operands)))
        if node.op == "add_n":
            axis = (-len(node.shape) - 1,)
            parts = [
                self._value((x,))
                if isinstance(x, int)
                else self._make("sum", [self._array((x,))], node.shape, axis=axis, keepdims=False)
                for x in line.operands
            ]
            return parts[0] if len(parts) == 1 else self._make("add_n", parts, node.shape)
        if node.op == "stack" and node.attrs["axis"] == -len(node.shape):
            return self._array(line.operands)
        if node.op == "scatter":
            return self._put_back(node, line.operands)
        raise FoldError(f"compile: {node.op} reads the values of all steps one by one; stack them")

    def _put_back(self, node: Node, operands: Sequence[Operand]) -> int:
        """Values put into the rows of an array in their order: a gradient of what was read."""
        rows = [position[0] for position in node.attrs["positions"] if len(position) == 1]
        stride = rows[1] - rows[0] if len(rows) > 1 and isinstance(rows[0], int) else 0
        if len(rows) < len(node.inputs) or rows != [rows[0] + n * stride for n in range(len(rows))]:
            raise FoldError("compile: values of the steps are put into places without order")
        if stride not in (1, -1):
            raise FoldError("compile: values of the steps are put into every other row")
        end = rows[-1] + stride
        span = slice(rows[0], end if end >= 0 else None, stride)
        values = self._array(operands)
        return self._make("scatter", [values], node.shape, positions=((span,),), shape=node.shape)

    def _loop(self, loop: Loop) -> list[int]:
        """A scan; for each output of its step the node of its values, its sum or its last value."""
        folded, ready = loop.folded, prepared(loop.folded)
        if any(abs(r.delay) > 1 for r in folded.recurrences):
            raise FoldError("compile: a state is read more than one step later")
        values = [
            self._array(given) if role not in (STATIC, STATE) else self._value(given)
            for role, given in zip(folded.inputs, loop.given, strict=True)
        ]
        static = [x for x, role in zip(values, folded.inputs, strict=True) if role == STATIC]
        front = dict(zip(ready.front.inputs, static, strict=True))
        for k, node in enumerate(ready.front.nodes):
            if k not in front:
                front[k] = self._add(replace(node, inputs=tuple(front[i] for i in node.inputs)))
        operands = [front[k] for k in ready.front.outputs]
        operands += [x for x, role in zip(values, folded.inputs, strict=True) if role != STATIC]
        attrs = {"folded": ready.folded, "kept": ready.folded, "steps": loop.T}
        scan = self._add(Node("scan", tuple(operands), attrs))
        plain = {k: n for n, k in enumerate(folded.plain)}
        states = {r.output: len(plain) + n for n, r in enumerate(folded.recurrences)}
        found = []
        for k, role in enumerate(folded.outputs):
            about, place = folded.output_node(k), states[k] if role == STATE else plain[k]
            shape = (loop.T, *about.shape) if role == EVERY else about.shape
            found.append(self._add(Node("project", (scan,), {"k": place}, shape, about.dtype)))
        return found

    # --- what lines read ----------------------------------------------------------------------

    def _places(self, run: Run) -> range:
        return run.places(1 if self._single(run) else self._length(run))

    def _single(self, run: Run) -> bool:
        """Whether a run reads the sum of a loop, or the one last value of a state."""
        of = run.of
        return isinstance(of, Column) and self._loop_of(of).folded.outputs[of.output] in (
            SUM,
            STATE,
        )

    def _loop_of(self, column: Column) -> Loop:
        return self._loops[column.loop]

    def _length(self, run: Run) -> int:
        return self._loop_of(run.of).T if isinstance(run.of, Column) else len(run.of)

    def _value(self, operands: Sequence[Operand]) -> int:
        """The node of a single value."""
        (operand,) = operands
        (value,) = self._values(operand)
        return value

    def _values(self, operand: Operand) -> list[int]:
        """The nodes of values one by one."""
        if isinstance(operand, int):
            return [self._made[operand]]
        source = self._source(operand)
        if self._single(operand):
            return [source]
        shape = self.nodes[source].shape[1:]
        return [
            self._make("index", [source], shape, position=(place - 1,))
            for place in self._places(operand)
        ]

    def _array(self, operands: Sequence[Operand]) -> int:
        """The node of values one behind the other, along a new first axis."""
        parts = []
        for operand in operands:
            if isinstance(operand, int) or self._single(operand):
                value = self._value((operand,))
                shape = self.nodes[value].shape
                parts.append(
                    self._make("expand_dims", [value], (1, *shape), axis=(-len(shape) - 1,))
                )
                continue
            source, places = self._source(operand), self._places(operand)
            if places != range(1, self._length(operand) + 1):
                end = places.stop - 1 if places.step > 0 or places.stop > 0 else None
                span = slice(places.start - 1, end, None if places.step > 0 else -1)
                shape = (len(places), *self.nodes[source].shape[1:])
                source = self._make("index", [source], shape, position=(span,))
            parts.append(source)
        if len(parts) == 1:
            return parts[0]
        shape = self.nodes[parts[0]].shape
        steps = sum(self.nodes[i].shape[0] for i in parts)
        return self._make("concatenate", parts, (steps, *shape[1:]), axis=-len(shape))

    def _source(self, run: Run) -> int:
        """The node of a whole sequence, its steps along the first axis."""
        of = run.of
        if isinstance(of, Column):
            return self._columns[of.loop][of.output]
        if of not in self._arrays:
            self._arrays[of] = self._rows(of) if isinstance(of, Rows) else self._listed(of)
        return self._arrays[of]

    def _rows(self, rows: Rows) -> int:
        """Rows of an array, with the axis they are counted along in front."""
        source, position = self._made[rows.source], list(rows.node.attrs["position"])
        shape = self.nodes[source].shape
        if any(not (p is ... or isinstance(p, int | slice)) for p in position):
            raise FoldError("compile: a step reads rows by an array of positions")
        if ... in position:
            gap = position.index(...)
            position[gap : gap + 1] = [slice(None)] * (len(shape) - len(position) + 1)
        position += [slice(None)] * (len(shape) - len(position))
        position[rows.axis] = slice(rows.low, rows.high + 1)
        if rows.axis == 0 and all(p == slice(None) for p in position[1:]):
            if (rows.low, len(rows)) == (0, shape[0]):
                return source
            position = position[:1]
        read = np.broadcast_to(np.empty((), np.uint8), shape)[tuple(position)].shape
        found = self._make("index", [source], read, position=tuple(position))
        place = sum(isinstance(p, slice) for p in position[: rows.axis])
        if not place:
            return found
        order = [place, *(k for k in range(len(read)) if k != place)]
        axes = tuple(k - len(read) for k in order)
        return self._make("transpose", [found], [read[k] for k in order], axes=axes)

    def _listed(self, leaves: Leaves) -> int:
        """Inputs that were given one by one."""
        inputs = self.found.graph.inputs[leaves.low : leaves.high + 1]
        values = [self._made[k] for k in inputs[leaves.n :: leaves.width]]
        shape = self.nodes[values[0]].shape
        return self._make("stack", values, (len(values), *shape), axis=-len(shape) - 1)
