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

from minigrad.core import PRIMITIVES, Tensor
from minigrad.folded import Folded
from minigrad.graph import Graph, Node, trace
from minigrad.scan import POOL, narrowed
from minigrad.source import call, number
from minigrad.storage import VIEWS, empty
from minigrad.tree import Tree, flatten

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
        self._place: dict[int, dict[int, int]] = {}
        self._buffer_of: dict[int, str] = {}
        self._free: dict[tuple[tuple[int, ...], Any], list[str]] = {}
        self._last_use = {i: k for k, node in enumerate(graph.nodes) for i in node.inputs}
        self._kept = _kept_alive(graph)
        lines = [self._line(k) for k, node in enumerate(graph.nodes) if node.op != "input"]
        lines.append(f"return [{', '.join(f'v{i}' for i in graph.outputs)}]")
        inputs = ", ".join(f"v{i}" for i in graph.inputs)
        body = "\n".join(f"    {line}" for line in lines if line)
        self.source = f"def program({inputs}):\n{body}"
        exec(builtins.compile(self.source, "<minigrad program>", "exec"), self._names)
        self.run: Callable[..., list[Any]] = self._names["program"]

    def _line(self, k: int) -> str:
        """The line that makes the value of node k; none for a constant."""
        node = self.graph.nodes[k]
        operands = [self._operand(i, node) for i in node.inputs]
        if node.op == "constant":
            self._names[f"v{k}"] = node.value
            return ""
        if node.op == "alias":
            return f"v{k} = {operands[0]}"
        if node.op == "project":
            place = self._place[node.inputs[0]][node.attrs["k"]]
            return f"v{k} = {operands[0]}[{place}]"
        if node.op == "scan":
            return f"v{k} = {self._bind('scan', self._scan(k))}({', '.join(operands)})"
        if self._has_buffer(node):
            operands.append(self._take_buffer(k))
            return f"v{k} = {self._bind(node.op, self._kernel(node))}({', '.join(operands)})"
        return f"v{k} = {call(node, operands, self._bind)}"

    def _bind(self, prefix: str, value: Any) -> str:
        """A name in the generated source for a value known now."""
        name = f"{prefix}_{len(self._names)}"
        self._names[name] = value
        return name

    def _operand(self, i: int, reader: Node) -> str:
        node = self.graph.nodes[i]
        weak = node.op == "constant" and node.dtype is None and self._has_buffer(reader)
        return self._bind("number", number(node, reader)) if weak else f"v{i}"

    def _scan(self, k: int) -> Callable[..., list[Any]]:
        """The program of a scan, as a function that gives its results in one list."""
        node = self.graph.nodes[k]
        folded, self._place[k] = _used_part(self.graph, k)
        POOL.forget(node.attrs["kept"])  # what tracing ran keeps more than is read
        return POOL.take(folded, node.attrs["steps"]).run

    def _has_buffer(self, node: Node) -> bool:
        """Whether a node's operation writes into a buffer; numbers are not worth one."""
        kernel = PRIMITIVES[node.op].kernel
        return kernel is not None and not node.attrs and bool(node.shape) and node.dtype is not None

    def _kernel(self, node: Node) -> Any:
        ranks = [len(self.graph.nodes[i].shape) for i in node.inputs]
        rows_only = node.op == "matmul" and ranks[0] > 2 and ranks[1] == 2
        return _row_product if rows_only else PRIMITIVES[node.op].kernel

    def _take_buffer(self, k: int) -> str:
        """A buffer for node k; those of operands that nobody reads later are free after it."""
        node = self.graph.nodes[k]
        waiting = self._free.get((node.shape, node.dtype))
        name = waiting.pop() if waiting else f"b{k}"
        if name not in self._names:
            self._names[name] = empty(node.shape, node.dtype)
        self._buffer_of[k] = name
        for i in set(node.inputs):
            if i in self._buffer_of and self._last_use[i] == k and i not in self._kept:
                dead = self.graph.nodes[i]
                self._free.setdefault((dead.shape, dead.dtype), []).append(self._buffer_of[i])
        return name


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


def _row_product(a: Any, b: Any, out: Any) -> Any:
    """Rows of all leading axes times one matrix, as one product."""
    if b.shape[0] == 1:
        return np.multiply(a, b[0], out)  # faster than a product over one term
    np.matmul(a.reshape(-1, a.shape[-1]), b, out.reshape(-1, out.shape[-1]))
    return out


class Compiled:
    """A function that is traced once for each set of shapes and replayed from then on."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.programs: OrderedDict[Any, tuple[GraphProgram, Tree]] = OrderedDict()
        self.made = 0
        self.__doc__ = f.__doc__

    def __call__(self, *args: Any) -> Any:
        """What f gives, in buffers that the next call overwrites."""
        values, tree = flatten(args)
        for k, value in enumerate(values):
            if type(value) is np.ndarray:
                continue
            if type(value) is Tensor:
                raise TypeError(
                    f"compile: argument {tree.paths()[k]} is a tensor; a compiled function takes "
                    "arrays, and takes its gradients inside: compile(value_and_grad(f))"
                )
            values[k] = np.asarray(value)
        key = (tree, *[value.shape for value in values], *[value.dtype for value in values])
        known = self.programs.get(key)
        if known is None:
            known = self._make(key, args)
        else:
            self.programs.move_to_end(key)
        program, out_tree = known
        return out_tree.unflatten(map(np.asarray, program.run(*values)))

    def _make(self, key: Any, args: Any) -> tuple[GraphProgram, Tree]:
        graph = trace(self.f, *args)
        self.programs[key] = made = (GraphProgram(graph), graph.out_tree)
        self.made += 1
        if len(self.programs) > KEPT:
            self.programs.popitem(last=False)
        if self.made == 2 * KEPT:
            warnings.warn(
                f"compile: {self.made} programs made, because shapes keep changing; "
                "pad sequences to few lengths (lengths= in rnn.run)",
                stacklevel=3,
            )
        return made


def compile(f: Callable[..., Any]) -> Compiled:
    """The same function as a program on fixed buffers, for arrays.

    Python code of f runs only when new shapes arrive; what it decides then stays decided. Results
    are overwritten by the next call: copy what is to be kept.

    >>> import minigrad as mg, numpy as np
    >>> step = mg.compile(mg.value_and_grad(lambda x: mg.sum(x * x)))
    >>> step(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
    return Compiled(f)
