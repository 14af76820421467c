"""Compiling a whole function: loss, gradients and scans as one straight-line program.

`compile(f)` traces f once for each set of shapes and then only replays: every operation is one
call that writes into a fixed buffer, every scan one run of its program.
"""

from __future__ import annotations

import builtins
import threading
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.captured import Captured, Same, Static, settled
from minigrad.codegen.alarms import watched
from minigrad.codegen.needs import VIEWS
from minigrad.codegen.source import call, number, view_of
from minigrad.codegen.storage import empty, joined_spans
from minigrad.core import PRIMITIVES, Tensor
from minigrad.folded import STATE, Folded
from minigrad.graph import Graph, Node, replay, trace_for_all
from minigrad.habits import unmasked
from minigrad.passes import LATE
from minigrad.passes.rewrite import in_buffer
from minigrad.program import Program
from minigrad.rolled import rolled
from minigrad.scan import POOL, narrowed
from minigrad.tree import Tree, flatten

KEPT = 16
"""How many programs a compiled function keeps, one for each set of shapes."""

KEPT_BYTES = 1 << 28
"""How many bytes of buffers they may hold, all together: 256 MiB; the last one may be larger."""


class GraphProgram:
    """A graph as NumPy calls on fixed buffers; the results are overwritten by the next call.

    Attributes:
        source: the generated Python, its scans first.
        nbytes: the size of all buffers.
        fresh: for each result whether it is made anew by every call.
        kept: for each result whether it is made anew or stands in a buffer of the program.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nbytes = 0
        self._loops: list[str] = []
        self._names: dict[str, Any] = {}
        self._known: dict[int, Any] = {}
        self._place: dict[int, dict[int, int]] = {}
        self._results: dict[int, list[Any]] = {}
        self._buffer_of: dict[int, Any] = {}
        self._free: dict[tuple[tuple[int, ...], Any], list[Any]] = {}
        self._last_use = {i: k for k, node in enumerate(graph.nodes) for i in node.inputs}
        self._kept = _kept_alive(graph)
        self._inside: dict[int, tuple[int, int]] = {}
        self._spans_of: dict[int, list[Any]] = {}
        self._plan_joins()
        lines = [self._line(k) for k, node in enumerate(graph.nodes) if node.op != "input"]
        lines.append(f"return [{', '.join(f'v{i}' for i in graph.outputs)}]")
        inputs = ", ".join(f"v{i}" for i in graph.inputs)
        body = "\n".join(f"    {line}" for line in lines if line)
        source = f"def program({inputs}):\n{body}"
        self.source = "\n\n".join([*self._loops, source])
        self._names |= {f"v{k}": value for k, value in self._known.items()}
        exec(builtins.compile(source, "<minigrad program>", "exec"), self._names)
        self.run: Callable[..., list[Any]] = watched(
            self._names.pop("program"), lambda *inputs: replay(graph, inputs)
        )
        times = Counter(graph.outputs)
        self.fresh = [times[k] == 1 and self._is_fresh(k) for k in graph.outputs]
        self.kept = [fresh or graph.nodes[k].op not in ("input", "constant")
                     for k, fresh in zip(graph.outputs, self.fresh, strict=True)]  # fmt: skip

    def _is_fresh(self, k: int) -> bool:
        """Whether a node's value is an array that its operation allocates at each call."""
        node, shares = self.graph.nodes[k], ("input", "constant", "project", "detach", *VIEWS)
        # A scalar is a NumPy number where its operation allocates it, and is made an array.
        return k not in self._known and node.op not in shares and bool(node.shape)

    def _empty(self, node: Node) -> Any:
        array = empty(node.shape, node.dtype)
        self.nbytes += array.nbytes
        return array

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
            self._known[k] = self._empty(self.graph.nodes[k])
        lines = []
        for n, (i, span) in enumerate(zip(self.graph.nodes[k].inputs, self._spans(k), strict=True)):
            if self._inside.get(i) != (k, n):
                lines.append(f"{self._bind('part', self._known[k][span])}[...] = {operands[n]}")
        return "; ".join(lines)

    def _spans(self, k: int) -> list[Any]:
        """Where in the buffer of a concatenation its operands stand."""
        if k not in self._spans_of:
            self._spans_of[k] = joined_spans(self.graph.nodes, k)
        return self._spans_of[k]

    def _plan_joins(self) -> None:
        """Places for concatenations that only another one reads, inside of it."""
        nodes, users, outputs = self.graph.nodes, self.graph.users(), {*self.graph.outputs}
        for k in range(len(nodes) - 1, -1, -1):
            alone = len(users[k]) == 1 and k not in outputs
            if nodes[k].op != "concatenate" or nodes[k].dtype is None or not alone:
                continue
            user, n = users[k][0]
            if nodes[user].op == "concatenate" and nodes[user].dtype == nodes[k].dtype:
                if user not in self._known:
                    self._known[user] = self._empty(nodes[user])
                self._known[k] = self._known[user][self._spans(user)[n]]
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
        self.nbytes += program.nbytes
        self._results[k] = program.results
        operands = ", ".join(f"v{i}" for n, i in enumerate(node.inputs) if n not in known)
        name = self._bind("scan", program.run)
        self._loops.append(program.source.replace("def program(", f"def {name}(", 1))
        return f"v{k} = {name}({operands})"

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
                times = self._bind(node.op, np.multiply)
                return f"{times}({operands[0]}, {operands[1]}[0], v{k})"
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
            buffer = waiting.pop() if waiting else self._empty(node)
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


class _Made:
    """A program, what it was made for and what its results become; one thread runs it at a time.

    Attributes:
        tree: the structure of the arguments.
        program: the graph as NumPy calls.
        why: why loops stay unrolled.
    """

    def __init__(
        self, what: str, f: Callable[..., Any], tree: Tree, leaves: list[Any], named: bool
    ) -> None:
        self.tree, self._lock = tree, threading.Lock()
        self._leaves = list(map(_about, leaves))
        self._places = [k for k, x in enumerate(leaves) if type(x) is not Static]
        results: list[tuple[Tree, dict[int, Static]]] = []

        def arrays(*given: Any) -> list[Any]:
            args, kwargs = given if named else (given, {})
            found, out = flatten(f(*args, **kwargs))
            fixed = {k: Static(x) for k, x in enumerate(found) if not isinstance(x, _ARRAYS)}
            results.append((out, fixed))
            return [x for k, x in enumerate(found) if k not in fixed]

        graph = trace_for_all(what, arrays, *tree.unflatten(leaves))
        if results[0] != results[1]:
            raise ValueError(f"{what}: run twice on the same values, it returned two things")
        graph, self.why = rolled(graph)
        self.program = GraphProgram(graph)
        self._out, self._fixed = results[0]
        self._lent: set[Same] = set()

    def fits(self, leaves: list[Any]) -> bool:
        """Whether it is clear at a glance that arguments are what the program is for."""
        for leaf, about in zip(leaves, self._leaves, strict=True):
            if type(about) is Static:
                if leaf is not about.value or not settled(leaf):
                    return False
            elif type(leaf) is not np.ndarray or (leaf.shape, leaf.dtype) != about:
                return False
        return True

    def __call__(self, leaves: list[Any], reuse: bool) -> Any:
        """The results for these arguments."""
        program = self.program
        with self._lock:
            values = [leaves[k] for k in self._places]
            if reuse:  # what is fed back must not be overwritten while it is read
                values = [x.copy() if Same(x) in self._lent else x for x in values]
            found = program.run(*values)
            own = program.kept if reuse else program.fresh
            if reuse:
                self._lent = set(map(Same, found))
            found = [x if is_own else np.array(x) for x, is_own in zip(found, own, strict=True)]
        for k, fixed in self._fixed.items():
            found.insert(k, fixed.value)
        return self._out.unflatten(found)


_ARRAYS = (Tensor, np.ndarray, np.generic)


def _leaves(values: list[Any], tree: Tree) -> list[Any]:
    """The arguments as arrays, or static; their names are for messages."""
    names = (path.removeprefix("[0]").removeprefix("[1].") for path in tree.paths())
    return [_leaf(x, f"argument {name}") for x, name in zip(values, names, strict=True)]


def _leaf(value: Any, where: str) -> Any:
    """An argument as an array, or static; refused where it is neither."""
    if isinstance(value, np.ndarray | np.generic):
        array: Any = np.asarray(unmasked(value, f"compile: {where}"))
        if array.dtype.kind not in "fiubc":
            raise TypeError(f"compile: {where} has dtype {array.dtype}; a program takes numbers")
        return array
    if isinstance(value, Tensor):
        raise TypeError(
            f"compile: {where} is a tensor; a compiled function takes "
            "arrays, and takes its gradients inside: compile(value_and_grad(f))"
        )
    return Static(value)


def _about(leaf: Any) -> Any:
    """What of an argument is a part of the key."""
    return leaf if type(leaf) is Static else (leaf.shape, leaf.dtype)


class Compiled:
    """A function that is traced once for each structure, shape and dtype of what it is given.

    Attributes:
        programs: what was made, the last used last; at most `KEPT`, and `KEPT_BYTES` of buffers.
        source: the generated Python of the program that ran last.
        why: why loops of that program stay unrolled; empty if none does.
    """

    def __init__(self, f: Callable[..., Any], reuse: bool = False) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, got {f!r:.60}")
        self.f, self.reuse = f, reuse
        self.__doc__ = f.__doc__
        self.programs: OrderedDict[Any, _Made] = OrderedDict()
        self._captured = Captured(f)
        self._count = 0
        self._lock = threading.Lock()
        self._latest: _Made | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What f gives, in arrays that are the caller's."""
        given, latest = (args, kwargs) if kwargs else args, self._latest
        leaves = None if latest is None else latest.tree.leaves_of(given)
        if latest is None or leaves is None or not latest.fits(leaves):
            leaves, tree = flatten(given)
            leaves = _leaves(leaves, tree)
            made = self._find(tree, leaves, bool(kwargs))
        elif not self._captured.unchanged():
            made = self._find(latest.tree, _leaves(leaves, latest.tree), bool(kwargs))
        else:
            made = latest
        return made(leaves, self.reuse)

    @property
    def source(self) -> str:
        """The generated Python of the program that ran last."""
        return self._last().program.source

    @property
    def why(self) -> str:
        """Why loops of the program that ran last stay unrolled; empty if none does."""
        return self._last().why

    def _last(self) -> _Made:
        if self._latest is None:
            raise AttributeError("compile: there is no program before the first call")
        return self._latest

    def _find(self, tree: Tree, leaves: list[Any], named: bool) -> _Made:
        """The program for what is given, a new one if there is none; it becomes the last used."""
        with self._lock:
            if not self._captured.unchanged():
                self.programs.clear()
            key = (tree, named, *map(_about, leaves))
            made = self.programs.get(key)
            if made is None:
                made = self.programs[key] = _Made("compile", self.f, tree, leaves, named)
                self._captured = Captured(self.f)  # with what f itself may have written to
                self._count += 1
                if self._count == 2 * KEPT:
                    warnings.warn(
                        f"compile: {self._count} programs made, because shapes or numbers keep "
                        "changing; pad sequences to few lengths (lengths= in rnn.run), give "
                        "numbers as arrays",
                        stacklevel=3,
                    )
            self.programs.move_to_end(key)
            held = sum(other.program.nbytes for other in self.programs.values())
            while len(self.programs) > 1 and (len(self.programs) > KEPT or held > KEPT_BYTES):
                held -= self.programs.popitem(last=False)[1].program.nbytes
            self._latest = made
        return made


def compile(f: Callable[..., Any], reuse: bool = False) -> Compiled:
    """The same function as a program on fixed buffers, for arrays.

    It gives what f gives, for every later call, or refuses with a sentence. Python code of f runs
    only when something new arrives: another structure, shape or dtype of an argument, another
    value of an argument that is no array (a number, None, a string, a cell), or another value of
    what f closes over or names as a global. Closed-over arrays are compared at each call, so what
    is large is better given as an argument. A condition or an index that depends on a traced
    value is refused, as its answer would stay; so is a random draw. It may be called from any
    thread; one thread runs a program at a time.

    Args:
        f: a function of arrays, or of structures of them.
        reuse: results stand in the program's own buffers, which the next call overwrites: some
            3 % faster for small steps, for a loop that is done with them by then.

    >>> import minigrad as mg, numpy as np
    >>> step = mg.compile(mg.value_and_grad(lambda x: mg.sum(x * x)))
    >>> step(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
    return Compiled(f, reuse)
