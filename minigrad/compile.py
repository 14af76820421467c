"""Compiling a whole function: loss, gradients and scans as one straight-line program.

`compile(f)` traces f once for each set of shapes and then only replays what an engine made of the
graph: with NumPy every operation is one call that writes into a fixed buffer, every scan one run of
its program; with JAX all of it is one XLA program, every scan a `lax.scan`.
"""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad.anomaly import WAY
from minigrad.captured import Captured, Static, settled
from minigrad.core import Tensor
from minigrad.engines import Engine, engine_of
from minigrad.graph import Node, trace_for_all
from minigrad.habits import unmasked
from minigrad.loops.rolled import rolled
from minigrad.scan import POOL
from minigrad.tree import Tree, flatten

KEPT = 16
"""How many programs a compiled function keeps, one for each set of shapes."""

KEPT_BYTES = 1 << 28
"""How many bytes of buffers they may hold, all together: 256 MiB; the last one may be larger."""


class Traced:
    """A function as a graph, for arguments of some structure, and what its results become.

    Attributes:
        tree: the structure of the arguments, positional and named.
        statics: the arguments that are no arrays.
        places: which of the arguments are arrays, by number.
        graph: of the arrays, its loops as scans.
        why: why loops stay unrolled.
    """

    def __init__(self, what: str, f: Callable[..., Any], tree: Tree, leaves: list[Any]) -> None:
        self.tree = tree
        self.statics = [x for x in leaves if type(x) is Static]
        self.places = [k for k, x in enumerate(leaves) if type(x) is not Static]
        results: list[tuple[Tree, dict[int, Static]]] = []

        def arrays(*given: Any) -> list[Any]:
            args, kwargs = given
            found, out = flatten(f(*args, **kwargs))
            fixed = {k: Static(x) for k, x in enumerate(found) if not isinstance(x, _ARRAYS)}
            results.append((out, fixed))
            return [x for k, x in enumerate(found) if k not in fixed]

        graph = trace_for_all(what, arrays, *tree.unflatten(map(_known, leaves)))
        if results[0] != results[1]:
            raise ValueError(
                f"{what}: run twice on the same values, it returned two things; give what changes "
                "from call to call as an argument"
            )
        self.graph, self.why = rolled(graph)
        self.out, self._fixed = results[0]
        self._write = self.out.writer()
        for node in self.graph.nodes:
            if "kept" in node.attrs:
                POOL.forget(node.attrs["kept"])  # what tracing ran keeps more than is read

    def names(self) -> list[str]:
        """What the outputs of the graph are called in the result, as in `leaf_paths`."""
        return [path for k, path in enumerate(self.out.paths()) if k not in self._fixed]

    def results(self, found: list[Any]) -> Any:
        """What the function returns, of the outputs of the graph."""
        for k, fixed in self._fixed.items():
            found.insert(k, fixed.value)
        return self._write(found)


class Made(Traced):
    """A function as a program for some arguments."""

    def __init__(
        self, f: Callable[..., Any], tree: Tree, leaves: list[Any], engine: Engine,
        reuse: bool, donate: frozenset[int],
    ) -> None:  # fmt: skip
        super().__init__("compile", f, tree, leaves)
        self.read = tree.reader()
        self._about = [_about(leaves[k]) for k in self.places]
        self._static = [(k, x) for k, x in enumerate(leaves) if type(x) is Static]
        self._kinds = frozenset((np.ndarray, *engine.arrays))
        positional = tree.children[0].children
        if donate - {*range(len(positional))}:
            raise ValueError(
                f"compile: donate={sorted(donate)} for {len(positional)} positional arguments"
            )
        given = [k for k, child in enumerate(positional) for _ in child.paths()]
        donated = {n for n, k in enumerate(self.places) if k < len(given) and given[k] in donate}
        self.program = engine.program(self.graph, reuse, frozenset(donated))

    def fits(self, leaves: list[Any]) -> bool:
        """Whether it is clear at a glance that arguments are what the program is for."""
        for k, static in self._static:
            if leaves[k] is not static.value or not settled(static.value):
                return False
        arrays = self._arrays(leaves)
        known = self._kinds.issuperset(map(type, arrays))
        return known and [*map(_SHAPE_AND_DTYPE, arrays)] == self._about

    def __call__(self, leaves: list[Any]) -> Any:
        """The results for these arguments."""
        return self.results(self.program(self._arrays(leaves)))

    def _arrays(self, leaves: list[Any]) -> list[Any]:
        return [leaves[k] for k in self.places] if self._static else leaves


_ARRAYS = (Tensor, np.ndarray, np.generic)
_SHAPE_AND_DTYPE = attrgetter("shape", "dtype")


def leaves_of(what: str, values: list[Any], tree: Tree, kinds: tuple[type, ...]) -> list[Any]:
    """The arguments as arrays, or static; `kinds` are an engine's own arrays."""
    names = (path[len("[0]") :].lstrip(".") for path in tree.paths())  # [0][1].w, [1].key.w
    return [
        _leaf(f"{what}: argument {name}", x, kinds) for x, name in zip(values, names, strict=True)
    ]


def _leaf(where: str, value: Any, kinds: tuple[type, ...]) -> Any:
    """An argument as an array, or static; refused where it is neither."""
    if isinstance(value, (np.ndarray, np.generic, *kinds)):
        array: Any = value if isinstance(value, kinds) else np.asarray(unmasked(value, where))
        if array.dtype.kind not in "fiubc":
            raise TypeError(f"{where} has dtype {array.dtype}; a program takes numbers")
        return array
    if isinstance(value, Tensor):
        raise TypeError(
            f"{where} is a tensor; a compiled function takes "
            "arrays, and takes its gradients inside: compile(value_and_grad(f))"
        )
    if hasattr(value, "__array_namespace__"):
        raise TypeError(
            f"{where} is an array of {type(value).__module__}; this engine takes NumPy's, which "
            "np.asarray makes of it"
        )
    return Static(value)


def _known(leaf: Any) -> Any:
    """An argument that can be computed with here: what is still to come is stood in for."""
    if type(leaf) is Static or isinstance(leaf, np.ndarray):
        return leaf
    # Numbers made up would do, but those of the caller do not vanish over many steps, and what is
    # nearly 0 takes a processor twenty times as long.
    with suppress(TypeError, RuntimeError):  # no values yet; not all of them are here
        return np.asarray(leaf)
    return Node("input", shape=leaf.shape, dtype=leaf.dtype).example()


def _about(leaf: Any) -> Any:
    """What of an argument is a part of the key."""
    return leaf if type(leaf) is Static else (leaf.shape, leaf.dtype)


class Compiled:
    """A function that is traced once for each structure, shape and dtype of what it is given.

    Attributes:
        programs: what was made, the last used last; at most `KEPT`, and `KEPT_BYTES` of buffers.
        source: the program that ran last, to be read: generated Python, or StableHLO.
        why: why loops of that program stay unrolled; empty if none does.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        reuse: bool = False,
        engine: str | Engine = "numpy",
        donate: Sequence[int] = (),
    ) -> None:
        if not callable(f):
            raise TypeError(f"compile takes a function, got {f!r:.60}")
        self.f, self.reuse, self.engine = f, reuse, engine_of(engine, "compile")
        if not isinstance(donate, tuple | list) or not all(type(k) is int for k in donate):
            raise TypeError(
                f"compile: donate has positions of arguments, such as (0,), got {donate!r:.60}"
            )
        self.donate = frozenset(donate)
        self.__doc__ = f.__doc__
        self.programs: OrderedDict[Any, Made] = OrderedDict()
        self._captured = self._read()
        self._count = 0
        self._lock = threading.Lock()
        self._latest: Made | None = None

    def prepare(self, *args: Any, **kwargs: Any) -> Made:
        """The program for such arguments, made if there is none; f is traced, nothing is run."""
        values, tree = flatten((args, kwargs))
        return self._find(tree, leaves_of("compile", values, tree, self.engine.arrays))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What f gives, in arrays that are the caller's."""
        if WAY.get():
            self.f(*args, **kwargs)  # operation by operation: a program has lost their names
        given, latest = (args, kwargs), self._latest
        leaves = None if latest is None else latest.read(given)
        if (
            latest is None
            or leaves is None
            or not (latest.fits(leaves) and self._captured.unchanged())
        ):
            leaves, tree = flatten(given)
            leaves = leaves_of("compile", leaves, tree, self.engine.arrays)
            latest = self._find(tree, leaves)
        return latest(leaves)

    @property
    def source(self) -> str:
        """The program that ran last, to be read."""
        return self._last().program.source

    @property
    def why(self) -> str:
        """Why loops of the program that ran last stay unrolled; empty if none does."""
        return self._last().why

    def _last(self) -> Made:
        if self._latest is None:
            raise AttributeError("compile: there is no program before the first call")
        return self._latest

    def _read(self) -> Captured:
        """What f and the functions among its arguments read from outside."""
        statics = [x.value for made in self.programs.values() for x in made.statics]
        return Captured(self.f, *statics)

    def _find(self, tree: Tree, leaves: list[Any]) -> Made:
        """The program for what is given, a new one if there is none; it becomes the last used."""
        with self._lock:
            if not self._captured.unchanged():
                self.programs.clear()
            key = (tree, *map(_about, leaves))
            made = self.programs.get(key)
            if made is None:
                made = self.programs[key] = Made(
                    self.f, tree, leaves, self.engine, self.reuse, self.donate
                )
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


def compile(
    f: Callable[..., Any],
    reuse: bool = False,
    engine: str | Engine = "numpy",
    donate: Sequence[int] = (),
) -> Compiled:
    """The same function as a program, for arrays.

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
        engine: "numpy"; "jax" for one XLA program, on whatever device JAX has, whose results are
            JAX's arrays, which stay there when they are given again; or an `Engine`.
        donate: positions of arguments whose arrays may be overwritten, as those of parameters
            in a training loop, and are not used by the caller afterwards. NumPy has no use for it.

    With "jax", float64 is computed only where JAX was told to (`jax_enable_x64`) and refused
    otherwise, whole numbers have the bits that they have in NumPy, `np.errstate` is not heard, and
    an entry that is read at an index outside of its array is NaN, as no error can be raised.

    Raises:
        TypeError: f is no function; an argument is a tensor or no array of numbers; f decides on
            the value of an argument; the engine has no such numbers.
        ImportError: the engine's package is not installed.
        ValueError: run twice on the same values, f did not do the same.

    >>> import minigrad as mg, numpy as np
    >>> step = mg.compile(mg.value_and_grad(lambda x: mg.sum(x * x)))
    >>> step(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """
    return Compiled(f, reuse, engine, donate)
