"""A traced graph whose loops are scans: a plain Python loop runs like one that was never unrolled.

The loops are found by `embed`, so they have its certificate. Only what is tagged with its step
(`minigrad.scope(name, t=t)`) can be found; anything else stays as it was traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from minigrad.errors import FoldError
from minigrad.folded import EVERY, STATE, STATIC, SUM
from minigrad.graph import Graph, Node, prune
from minigrad.loops.embed import embed
from minigrad.loops.embedded import Embedded, Line, Loop, Operand, Run, straight
from minigrad.lower.pipeline import prepared

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
        return _Rolling(found).graph(), ""
    except FoldError as error:  # steps that differ, or values that are read one by one
        return graph, str(error)


def _with_sums(found: Embedded) -> list[Loop]:
    """The loops, with outputs of which only the sum over all steps is read made sums."""
    summed: dict[tuple[int, int], bool] = {}
    for line in found.lines:
        is_sum = isinstance(line, Line) and found.graph.nodes[line.node].op == "add_n"
        for run in _runs(line):
            steps = range(1, found.loops[run.loop].T + 1)
            whole = len(run.places) == len(steps)
            of = run.loop, run.output
            summed[of] = summed.get(of, True) and is_sum and whole
    summed.update({(x.loop, x.output): False for x in found.results if isinstance(x, Run)})
    return [
        replace(loop, folded=replace(loop.folded, outputs=tuple(
            SUM if role == EVERY and summed.get((n, k), False) else role
            for k, role in enumerate(loop.folded.outputs))))
        for n, loop in enumerate(found.loops)
    ]  # fmt: skip


def _runs(line: Line | Loop) -> list[Run]:
    """The values of loops that a line reads."""
    groups = line.given if isinstance(line, Loop) else (line.operands,)
    return [x for operands in groups for x in operands if isinstance(x, Run)]


class _Rolling:
    """An embedded graph put together again, each loop as one node."""

    def __init__(self, found: Embedded) -> None:
        self.found, self.known = found, found.graph.nodes
        self.nodes: list[Node] = []
        self._made = {k: self._add(self.known[k]) for k in found.graph.inputs}
        self._loops = _with_sums(found)
        self._columns: list[list[int]] = []
        self._arrays: dict[tuple[Operand, ...], int] = {}
        self._places: dict[int, dict[tuple[int, int, str], int]] = {}
        for line in found.lines:
            if isinstance(line, Loop):
                self._columns.append(self._loop(self._loops[len(self._columns)]))
            else:
                self._made[line.node] = self._line(line)

    def graph(self) -> Graph:
        """The whole, without the rows that are now read as arrays."""
        source = self.found.graph
        inputs = [self._made[k] for k in source.inputs]
        outputs = [k for x in self.found.results for k in self._each(x)]
        return prune(self.nodes, inputs, outputs, source.in_tree, source.out_tree)

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _make(self, op: str, inputs: Sequence[int], shape: Sequence[int], /, **attrs: Any) -> int:
        return self._add(Node(op, tuple(inputs), attrs, tuple(shape), self.nodes[inputs[0]].dtype))

    # --- lines --------------------------------------------------------------------------------

    def _line(self, line: Line) -> int:
        """An operation outside of the loops; sums and stacks of all steps take whole arrays."""
        node = self.known[line.node]
        if node.op == "stack" and node.attrs["axis"] == -len(node.shape):
            return self._array(line.operands)
        if all(isinstance(x, int) or self._is_single(x) for x in line.operands):
            return self._add(replace(node, inputs=tuple(map(self._value, line.operands))))
        if node.op == "add_n":
            axis = (-len(node.shape) - 1,)
            parts = [
                self._value(x)
                if isinstance(x, int) or self._is_single(x)
                else self._make("sum", [self._array((x,))], node.shape, axis=axis, keepdims=False)
                for x in line.operands
            ]
            return parts[0] if len(parts) == 1 else self._make("add_n", parts, node.shape)
        if node.op == "scatter":
            return self._put_back(node, line.operands)
        raise FoldError(f"compile: {node.op} reads the values of all steps one by one; stack them")

    def _put_back(self, node: Node, operands: tuple[Operand, ...]) -> int:
        """Values put into the rows of an array in their order: a gradient of what was read."""
        positions = node.attrs["positions"]
        rows = straight(
            p[0] % node.shape[0] if len(p) == 1 and _is_place(p[0]) else None for p in positions
        )
        if len(rows) < len(node.inputs):
            raise FoldError(
                "compile: values of the steps are put into rows that do not follow each other"
            )
        values = self._array(operands)
        position = (_span(rows),)
        return self._make("scatter", [values], node.shape, positions=(position,), shape=node.shape)

    def _loop(self, loop: Loop) -> list[int]:
        """A scan; for each output of its step the node of its values, its sum or its last value."""
        folded, ready = loop.folded, prepared(loop.folded)
        if any(abs(r.delay) > 1 for r in folded.recurrences):
            raise FoldError("compile: a state is read more than one step later")
        values = [
            self._value(given[0]) if role in (STATIC, STATE) else self._array(given)
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

    def _is_single(self, run: Run) -> bool:
        """Whether a run is one value: of a step, the sum of a loop, the last one of a state."""
        of = self._loops[run.loop].folded.outputs[run.output]
        return of != EVERY or len(run.places) == 1

    def _value(self, operand: Operand) -> int:
        """The node of a single value."""
        if isinstance(operand, int):
            return self._made[operand]
        source = self._columns[operand.loop][operand.output]
        if self._loops[operand.loop].folded.outputs[operand.output] != EVERY:
            return source
        (t,) = operand.places
        return self._make("index", [source], self.nodes[source].shape[1:], position=(t - 1,))

    def _each(self, operand: Operand) -> list[int]:
        """The nodes of values one by one."""
        if isinstance(operand, int) or self._is_single(operand):
            return [self._value(operand)]
        return [self._value(replace(operand, places=range(t, t + 1))) for t in operand.places]

    def _array(self, operands: tuple[Operand, ...]) -> int:
        """The node of values one behind the other, along a new first axis."""
        if operands not in self._arrays:
            self._arrays[operands] = self._joined(operands)
        return self._arrays[operands]

    def _joined(self, operands: tuple[Operand, ...]) -> int:
        pieces: list[tuple[bool, int]] = []  # Whether it is a single value, and its node.
        n = 0
        while n < len(operands):
            x = operands[n]
            axis, rows = self._rows(operands, n)
            if isinstance(x, int) and axis is not None:
                pieces.append((False, self._read(x, axis, rows)))
            elif isinstance(x, int) or self._is_single(x):
                pieces.append((True, self._value(x)))
            else:
                pieces.append((False, self._steps(x)))
            n += len(rows)
        parts = []
        for single, group in groupby(pieces, key=lambda piece: piece[0]):
            found = [k for _, k in group]
            shape = self.nodes[found[0]].shape
            axis = -len(shape) - 1
            if not single:
                parts += found
            elif len(found) == 1:
                parts.append(self._make("expand_dims", found, (1, *shape), axis=(axis,)))
            else:
                parts.append(self._make("stack", found, (len(found), *shape), axis=axis))
        if len(parts) == 1:
            return parts[0]
        shape = self.nodes[parts[0]].shape
        count = sum(self.nodes[i].shape[0] for i in parts)
        return self._make("concatenate", parts, (count, *shape[1:]), axis=-len(shape))

    def _steps(self, run: Run) -> int:
        """Values of an output of a loop, steps along the first axis."""
        source, places = self._columns[run.loop][run.output], run.places
        shape = self.nodes[source].shape
        if places == range(1, shape[0] + 1):
            return source
        rows = range(places.start - 1, places.stop - 1, places.step)
        return self._make("index", [source], (len(rows), *shape[1:]), position=(_span(rows),))

    def _rows(self, operands: Sequence[Operand], n: int) -> tuple[int | None, range]:
        """The axis of an array of which operands from the n-th on are rows, and which rows."""
        axis, found = None, range(1)
        for line in self._lines(operands[n]):
            rows = straight(self._lines(operands[m]).get(line) for m in range(n, len(operands)))
            if len(rows) > len(found):
                axis, found = line[1], rows
        return axis, found

    def _lines(self, x: Operand) -> dict[tuple[int, int, str], int]:
        """The lines that a value read of an array lies on: array, axis and rest; and its place."""
        if not isinstance(x, int) or self.known[x].op != "index":
            return {}
        if x not in self._places:
            source = self.known[x].inputs[0]
            shape, position = self.known[source].shape, self._position(x)
            self._places[x] = {
                (source, a, repr((position[:a], position[a + 1 :]))): p % shape[a]
                for a, p in enumerate(position) if source in self._made and _is_place(p)
            }  # fmt: skip
        return self._places[x]

    def _position(self, k: int) -> list[Any]:
        """Of a value read of an array, what is read of every axis; empty if by an array."""
        node = self.known[k]
        position, ndim = list(node.attrs["position"]), len(self.known[node.inputs[0]].shape)
        if not all(p is ... or isinstance(p, slice) or _is_place(p) for p in position):
            return []
        gap = next((n for n, p in enumerate(position) if p is ...), len(position))
        position[gap : gap + 1] = [slice(None)] * (ndim - len(position) + (gap < len(position)))
        return position

    def _read(self, k: int, axis: int, rows: range) -> int:
        """Rows of an array, of which the node k is one, with the axis they lie along in front."""
        source, position = self._made[self.known[k].inputs[0]], self._position(k)
        shape = self.nodes[source].shape
        position[axis] = slice(None) if rows == range(shape[axis]) else _span(rows)
        place = sum(isinstance(p, slice) for p in position[:axis])
        while position and position[-1] == slice(None):
            position.pop()
        read = np.broadcast_to(np.empty((), np.uint8), shape)[tuple(position)].shape
        if position:
            source = self._make("index", [source], read, position=tuple(position))
        if not place:
            return source
        order = [place, *(k for k in range(len(read)) if k != place)]
        axes = tuple(k - len(read) for k in order)
        return self._make("transpose", [source], [read[k] for k in order], axes=axes)


def _is_place(item: object) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool)


def _span(rows: range) -> slice:
    """Rows that go up or down one by one, as a position."""
    return slice(rows.start, rows.stop if rows.stop >= 0 else None, None if rows.step > 0 else -1)
