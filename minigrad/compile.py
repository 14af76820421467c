"""Compiling a whole function: loss, gradients and scans as one straight-line program.

`compile(f)` traces f once for each set of shapes and then only replays: every operation is one
call that writes into a fixed buffer, every scan one run of its program.
"""

from __future__ import annotations

import threading
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.anomaly import WAY
from minigrad.captured import Captured, Same, Static, settled
from minigrad.core import Tensor
from minigrad.engines.numpy.program import Program
from minigrad.folded import ONCE, STATIC, Folded
from minigrad.graph import Graph, trace_for_all
from minigrad.habits import unmasked
from minigrad.loops.rolled import rolled
from minigrad.scan import POOL
from minigrad.tree import Tree, flatten

KEPT = 16
"""How many programs a compiled function keeps, one for each set of shapes."""

KEPT_BYTES = 1 << 28
"""How many bytes of buffers they may hold, all together: 256 MiB; the last one may be larger."""


def program_of(graph: Graph) -> Program:
    """The program of a graph: that of a folded step which recurs in nothing."""
    for node in graph.nodes:
        if "kept" in node.attrs:
            POOL.forget(node.attrs["kept"])  # what tracing ran keeps more than is read
    roles = [ONCE] * len(graph.outputs)
    return Program(Folded(graph, (STATIC,) * len(graph.inputs), tuple(roles)), 1)


class _Made:
    """A program, what it was made for and what its results become; one thread runs it at a time.

    Attributes:
        tree: the structure of the arguments, positional and named.
        statics: the arguments that are no arrays.
        program: the graph as NumPy calls.
        why: why loops stay unrolled.
    """

    def __init__(self, f: Callable[..., Any], tree: Tree, leaves: list[Any]) -> None:
        self.tree, self._lock = tree, threading.Lock()
        self._leaves = list(map(_about, leaves))
        self.statics = [x for x in leaves if type(x) is Static]
        self._places = [k for k, x in enumerate(leaves) if type(x) is not Static]
        results: list[tuple[Tree, dict[int, Static]]] = []

        def arrays(*given: Any) -> list[Any]:
            args, kwargs = given
            found, out = flatten(f(*args, **kwargs))
            fixed = {k: Static(x) for k, x in enumerate(found) if not isinstance(x, _ARRAYS)}
            results.append((out, fixed))
            return [x for k, x in enumerate(found) if k not in fixed]

        graph = trace_for_all("compile", arrays, *tree.unflatten(leaves))
        if results[0] != results[1]:
            raise ValueError(
                "compile: run twice on the same values, it returned two things; give what changes "
                "from call to call as an argument"
            )
        graph, self.why = rolled(graph)
        self.program = program_of(graph)
        self._out, self._fixed = results[0]
        outputs = self.program.plan.folded.step.outputs
        straight, times = self.program.storage.straight, Counter(outputs)
        self._fresh = [times[k] == 1 and straight.is_fresh(k) for k in outputs]
        # What is an argument or a constant is never lent.
        self._kept = [fresh or straight.nodes[k].op not in ("input", "constant")
                      for k, fresh in zip(outputs, self._fresh, strict=True)]  # fmt: skip
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
            own = self._kept if reuse else self._fresh
            if reuse:
                self._lent = set(map(Same, found))
            found = [x if is_own else np.array(x) for x, is_own in zip(found, own, strict=True)]
        for k, fixed in self._fixed.items():
            found.insert(k, fixed.value)
        return self._out.unflatten(found)


_ARRAYS = (Tensor, np.ndarray, np.generic)


def _leaves(values: list[Any], tree: Tree) -> list[Any]:
    """The arguments as arrays, or static; their names are for messages."""
    names = (path[len("[0]") :].lstrip(".") for path in tree.paths())  # [0][1].w, [1].key.w
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
        self._captured = self._read()
        self._count = 0
        self._lock = threading.Lock()
        self._latest: _Made | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What f gives, in arrays that are the caller's."""
        if WAY.get():
            self.f(*args, **kwargs)  # operation by operation: a program has lost their names
        given, latest = (args, kwargs), self._latest
        leaves = None if latest is None else latest.tree.leaves_of(given)
        if (
            latest is None
            or leaves is None
            or not (latest.fits(leaves) and self._captured.unchanged())
        ):
            leaves, tree = flatten(given)
            leaves = _leaves(leaves, tree)
            latest = self._find(tree, leaves)
        return latest(leaves, self.reuse)

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

    def _read(self) -> Captured:
        """What f and the functions among its arguments read from outside."""
        statics = [x.value for made in self.programs.values() for x in made.statics]
        return Captured(self.f, *statics)

    def _find(self, tree: Tree, leaves: list[Any]) -> _Made:
        """The program for what is given, a new one if there is none; it becomes the last used."""
        with self._lock:
            if not self._captured.unchanged():
                self.programs.clear()
            key = (tree, *map(_about, leaves))
            made = self.programs.get(key)
            if made is None:
                made = self.programs[key] = _Made(self.f, tree, leaves)
                self._captured = self._read()  # with what f itself may have written to
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
    what f closes over or names as a global, or of what functions and classes that it reaches read.
    (What it asks of an installed package, the clock, a file or the environment is asked once.)
    Closed-over arrays are compared at each call, so what is large is better given as an argument.
    A condition or an index that depends on a traced value is refused, as its answer would stay;
    so is a random draw. It may be called from any thread; one thread runs a program at a time.

    Args:
        f: a function of arrays, or of structures of them.
        reuse: results stand in the program's own buffers, which the next call overwrites: some
            3 % faster for small steps, for a loop that is done with them by then.

    Raises:
        TypeError: f is no function; an argument is a tensor or no array of numbers; f decides on
            the value of an argument.
        ValueError: run twice on the same values, f did not do the same.

    >>> import minigrad as mg, numpy as np
    >>> step = mg.compile(mg.value_and_grad(lambda x: mg.sum(x * x)))
    >>> step(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
    return Compiled(f, reuse)
