"""Compiling a whole function: loss, gradients and scans as one straight-line program.

`compile(f)` traces f once for each set of shapes and then only replays: every operation is one
call that writes into a fixed buffer, every scan one run of its program.
"""

from __future__ import annotations

import builtins
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.codegen.alarms import watched
from minigrad.codegen.needs import VIEWS
from minigrad.codegen.source import call, number, view_of
from minigrad.codegen.storage import empty, joined_part
from minigrad.core import FROZEN, PRIMITIVES, Tensor
from minigrad.folded import STATE, Folded
from minigrad.graph import Graph, Node, replay, trace
from minigrad.passes import LATE
from minigrad.passes.rewrite import in_buffer
from minigrad.program import Program
from minigrad.rolled import rolled
from minigrad.scan import POOL, narrowed
from minigrad.tree import LEAF, Tree, flatten

KEPT = 16
"""How many programs a compiled function keeps, one for each set of shapes."""


class GraphProgram:
    """A graph as NumPy calls on fixed buffers; the results are overwritten by the next call.

    Attributes:
        source: the generated Python.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._names: dict[str, Any] = {}
        self._known: dict[int, Any] = {}
        self._place: dict[int, dict[int, int]] = {}
        self._results: dict[int, list[Any]] = {}
        self._buffer_of: dict[int, Any] = {}
        self._free: dict[tuple[tuple[int, ...], Any], list[Any]] = {}
        self._last_use = {i: k for k, node in enumerate(graph.nodes) for i in node.inputs}
        self._kept = _kept_alive(graph)
        self._inside: dict[int, tuple[int, int]] = {}
        self._plan_joins()
        lines = [self._line(k) for k, node in enumerate(graph.nodes) if node.op != "input"]
        lines.append(f"return [{', '.join(f'v{i}' for i in graph.outputs)}]")
        inputs = ", ".join(f"v{i}" for i in graph.inputs)
        body = "\n".join(f"    {line}" for line in lines if line)
        self.source = f"def program({inputs}):\n{body}"
        self._names |= {f"v{k}": value for k, value in self._known.items()}
        exec(builtins.compile(self.source, "<minigrad program>", "exec"), self._names)
        self.run: Callable[..., list[Any]] = watched(
            self._names["program"], lambda *inputs: replay(graph, inputs)
        )

    def _line(self, k: int) -> str:
        """The line that makes the value of node k; none where it is known before any call."""
        node = self.graph.nodes[k]
        operands = [self._operand(i, node) for i in node.inputs]
        if node.op == "constant":
            self._known[k] = node.value
        elif node.op == "scan":
            return self._scan(k)
        elif node.op == "project":
            place = self._place[node.inputs[0]][node.attrs["k"]]
            array = self._results[node.inputs[0]][place]
            if array is None:
                return f"v{k} = {operands[0]}[{place}]"
            self._known[k] = array
        elif (view := self._view(node)) is not None:
            self._known[k] = view
        elif node.op == "alias":
            return f"v{k} = {operands[0]}"
        elif node.op == "concatenate" and node.dtype is not None:
            return self._join(k, operands)
        elif self._has_buffer(node):
            self._known[k] = self._take_buffer(k)
            return self._kernel(k, operands)
        else:
            return f"v{k} = {call(node, operands, self._bind)}"
        return ""

    def _bind(self, prefix: str, value: Any) -> str:
        """A name in the generated source for a value known now."""
        name = f"{prefix}_{len(self._names)}"
        self._names[name] = value
        return name

    def _operand(self, i: int, reader: Node) -> str:
        node = self.graph.nodes[i]
        weak = node.op == "constant" and node.dtype is None and self._has_buffer(reader)
        return self._bind("number", number(node, reader)) if weak else f"v{i}"

    def _view(self, node: Node) -> Any:
        """A view of a known array, if a node is one."""
        return view_of(node, self._known.get(node.inputs[0])) if node.op in VIEWS else None

    def _join(self, k: int, operands: list[str]) -> str:
        """Copies of the operands into the buffer of a concatenation."""
        if k not in self._known:
            self._known[k] = empty(self.graph.nodes[k].shape, self.graph.nodes[k].dtype)
        lines = []
        for n, i in enumerate(self.graph.nodes[k].inputs):
            part = joined_part(self.graph.nodes, k, n, self._known[k])
            if self._inside.get(i) != (k, n):
                lines.append(f"{self._bind('part', part)}[...] = {operands[n]}")
        return "; ".join(lines)

    def _plan_joins(self) -> None:
        """Places for concatenations that only another one reads, inside of it."""
        nodes, users = self.graph.nodes, self.graph.users()
        for k in range(len(nodes) - 1, -1, -1):
            alone = len(users[k]) == 1 and k not in self.graph.outputs
            if nodes[k].op != "concatenate" or nodes[k].dtype is None or not alone:
                continue
            user, n = users[k][0]
            if nodes[user].op == "concatenate" and nodes[user].dtype == nodes[k].dtype:
                if user not in self._known:
                    self._known[user] = empty(nodes[user].shape, nodes[user].dtype)
                self._known[k] = joined_part(nodes, user, n, self._known[user])
                self._inside[k] = user, n

    def _scan(self, k: int) -> str:
        """The call of a scan's program, on those operands whose arrays are not known."""
        node = self.graph.nodes[k]
        folded, self._place[k] = _used_part(self.graph, k)
        POOL.forget(node.attrs["kept"])  # what tracing ran keeps more than is read
        known = {
            n: self._known[i]
            for n, i in enumerate(node.inputs)
            if isinstance(self._known.get(i), np.ndarray) and folded.inputs[n] != STATE
        }
        program = Program(folded, node.attrs["steps"], LATE, known)
        self._results[k] = program.results
        operands = ", ".join(f"v{i}" for n, i in enumerate(node.inputs) if n not in known)
        return f"v{k} = {self._bind('scan', program.run)}({operands})"

    def _has_buffer(self, node: Node) -> bool:
        """Whether a node's operation writes into a buffer; numbers are not worth one."""
        kernel = PRIMITIVES[node.op].kernel
        return kernel is not None and not node.attrs and bool(node.shape) and node.dtype is not None

    def _kernel(self, k: int, operands: list[str]) -> str:
        """A call that writes into a node's buffer."""
        node, out = self.graph.nodes[k], self._known[k]
        shapes = [self.graph.nodes[i].shape for i in node.inputs]
        if node.op == "matmul" and len(shapes[1]) == 2:
            if shapes[1][0] == 1:  # a product over one term
                return f"{self._bind('mul', np.multiply)}({operands[0]}, {operands[1]}[0], v{k})"
            if len(shapes[0]) > 2:  # the rows of all leading axes at once
                rows = self._bind("rows", out.reshape(-1, node.shape[-1]))
                left = f"{operands[0]}.reshape(-1, {shapes[0][-1]})"
                return f"{self._bind('matmul', np.matmul)}({left}, {operands[1]}, {rows})"
        return f"{self._bind(node.op, PRIMITIVES[node.op].kernel)}({', '.join(operands)}, v{k})"

    def _take_buffer(self, k: int) -> Any:
        """A buffer for node k: that of an operand which nobody reads later, if there is one.

        What works entry by entry may write where it reads; others get such a buffer afterwards.
        """
        node = self.graph.nodes[k]
        dying = [
            i
            for i in dict.fromkeys(node.inputs)
            if i in self._buffer_of and self._last_use[i] == k and i not in self._kept
        ]
        dead: list[Any] = [self._buffer_of[i] for i in dying]
        alike = [x for x in dead if (x.shape, x.dtype) == (node.shape, node.dtype)]
        if in_buffer(node) and alike:
            buffer = alike[0]
            dead = [x for x in dead if x is not buffer]
        else:
            waiting = self._free.get((node.shape, node.dtype))
            buffer = waiting.pop() if waiting else empty(node.shape, node.dtype)
        self._buffer_of[k] = buffer
        for x in dead:
            self._free.setdefault((x.shape, x.dtype), []).append(x)
        return buffer


def _used_part(graph: Graph, k: int) -> tuple[Folded, dict[int, int]]:
    """The folded graph of a scan without results that nobody reads, and where the others are."""
    kept: Folded = graph.nodes[k].attrs["kept"]
    plain = len(kept.plain)
    read = {node.attrs["k"] for node in graph.nodes if node.op == "project" and node.inputs == (k,)}
    used = sorted(n for n in read if n < plain)
    ends = range(plain, plain + len(kept.recurrences))
    return narrowed(kept, frozenset(used)), {n: at for at, n in enumerate([*used, *ends])}


def _kept_alive(graph: Graph) -> set[int]:
    """Nodes whose buffers must not be used again: outputs, and what views or scans may hold."""
    kept = set(graph.outputs)
    for k in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[k]
        if node.op in VIEWS or node.op in ("scan", "project", "detach"):
            kept.update(node.inputs)
    return kept


class Compiled:
    """A function that is traced once for each set of shapes and replayed from then on."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.programs: OrderedDict[Any, tuple[GraphProgram, Tree]] = OrderedDict()
        self.made = 0
        self._tree: Tree = LEAF
        self._latest: Any = None
        self.__doc__ = f.__doc__

    def __call__(self, *args: Any) -> Any:
        """What f gives, in buffers that the next call overwrites."""
        tree, values = self._tree, self._tree.leaves_of(args)
        if values is None:
            values, tree = flatten(args)
            self._tree = tree
        for k, value in enumerate(values):
            if type(value) is np.ndarray:
                continue
            if type(value) is Tensor:
                raise TypeError(
                    f"compile: argument {tree.paths()[k]} is a tensor; a compiled function takes "
                    "arrays, and takes its gradients inside: compile(value_and_grad(f))"
                )
            values[k] = np.asarray(value)
        key = (tree, [value.shape for value in values], [value.dtype for value in values])
        if key != self._latest:
            self._program, self._out_tree = self._find(key, args)
            self._latest = key  # only now: finding may fail
        return self._out_tree.unflatten(map(np.asarray, self._program.run(*values)))

    def _find(self, latest: Any, args: Any) -> tuple[GraphProgram, Tree]:
        """The program for these shapes, a new one if there is none; it becomes the last used."""
        tree, shapes, dtypes = latest
        key = (tree, *shapes, *dtypes)
        if key in self.programs:
            self.programs.move_to_end(key)
            return self.programs[key]
        return self._make(key, args)

    def _make(self, key: Any, args: Any) -> tuple[GraphProgram, Tree]:
        token = FROZEN.set(True)
        try:
            graph = rolled(trace(self.f, *args))
        finally:
            FROZEN.reset(token)
        self.programs[key] = made = (GraphProgram(graph), graph.out_tree)
        self.made += 1
        if len(self.programs) > KEPT:
            self.programs.popitem(last=False)
        if self.made == 2 * KEPT:
            warnings.warn(
                f"compile: {self.made} programs made, because shapes keep changing; "
                "pad sequences to few lengths (lengths= in rnn.run)",
                stacklevel=4,
            )
        return made


def compile(f: Callable[..., Any]) -> Compiled:
    """The same function as a program on fixed buffers, for arrays.

    Python code of f runs only when new shapes arrive; a condition on a traced value is refused, as
    its answer would stay. Arguments are arrays and numbers, or structures of them. Results
    are overwritten by the next call: copy what is to be kept.

    >>> import minigrad as mg, numpy as np
    >>> step = mg.compile(mg.value_and_grad(lambda x: mg.sum(x * x)))
    >>> step(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
    return Compiled(f)
