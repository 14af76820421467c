"""The face of the XLA engine: a whole graph as one program that JAX compiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import jax
import numpy as np
from jax import dtypes, export

from minigrad.captured import Same
from minigrad.engines import Way
from minigrad.engines.walk import run
from minigrad.engines.xla.arrays import Array, bare
from minigrad.engines.xla.loops import loop, turns
from minigrad.engines.xla.passes import AFTER, ALL
from minigrad.folded import Folded
from minigrad.graph import Graph, Node
from minigrad.lower.pipeline import as_folded, planned
from minigrad.lower.schedule import Nest
from minigrad.tree import Tree

WIDE, WHOLE = ("float64", "complex128"), ("int64", "uint64")
"""Kinds of numbers that JAX narrows unless it was told not to."""

ON_DEVICE: Any = type(jax.numpy.zeros(()))
"""The class of arrays that have values; `jax.Array` is that of traced ones too."""


def pure(graph: Graph) -> Callable[..., list[Any]]:
    """A graph as a pure function of JAX's arrays, one for each of its inputs.

    Products of float32 have its precision on every device, unless JAX was told another: what it
    takes on a GPU by itself (TF32) has 11 of the 24 digits.

    Raises:
        TypeError: something in it has double precision, and JAX has not.
    """
    check(graph)
    plan = planned(as_folded(graph), ALL)

    def call(*values: Any) -> list[Any]:
        with jax.default_matmul_precision(jax.config.jax_default_matmul_precision or "highest"):
            found = run(plan, 1, [*map(Array, values)], loop, AFTER)
        return [jax.numpy.asarray(bare(x)) for x in found]

    return call


def _all_nodes(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph and of the loops in it."""
    for node in graph.nodes:
        yield node
        if "kept" in node.attrs:
            yield from _all_nodes(node.attrs["kept"].step)


def check(graph: Graph, kinds: Sequence[str] = WIDE) -> None:
    """Refuse a graph that has numbers of these kinds, as long as JAX would narrow them.

    Whole numbers that are only read are no matter: each is looked at where it comes in.

    Raises:
        TypeError: an argument, or what an operation gives, is of one of them.
    """
    if jax.config.jax_enable_x64:
        return
    inputs = [graph.nodes[i] for i in graph.inputs]
    told = [
        (f"argument {node.name or f'{k} of {len(inputs)}'}, of shape {node.shape},", node)
        for k, node in enumerate(inputs, 1)
    ]
    told += [(node.op, node) for node in _all_nodes(graph) if node.op != "input"]
    for what, node in told:
        kind = str(node.dtype)
        if kind not in kinds or (kind in WHOLE and _is_read_only(node)):
            continue
        narrow = ("32 bits", "int32") if kind in WHOLE else ("single precision", "float32")
        raise TypeError(
            f"the engine 'jax': {what} has dtype {kind}, which JAX would compute in {narrow[0]}; "
            f"give {narrow[1]}, or let JAX have both with "
            'jax.config.update("jax_enable_x64", True)'
        )


def _is_read_only(node: Node) -> bool:
    """Whether a node computes nothing, and holds no whole number of more than 32 bits."""
    return node.op == "input" or (node.op == "constant" and _narrowed(node.value) is not None)


def _narrowed(x: Any) -> Any:
    """Whole numbers in 32 bits, None if one has no place there."""
    narrow = x.astype(f"{x.dtype.kind}4")
    return narrow if np.array_equal(narrow, x) else None


class Pure:
    """A graph as a function that JAX traces when it is called, and that it can transform."""

    def __init__(self, graph: Graph) -> None:
        self._graph, self._call = graph, pure(graph)
        kinds = {str(node.dtype) for node in _all_nodes(graph)}
        self._wide, self._whole = not kinds.isdisjoint(WIDE), not kinds.isdisjoint(WHOLE)

    nbytes = 0

    def _with_whole_numbers(self) -> Any:
        """A context in which JAX does not narrow whole numbers, if there are any."""
        if self._whole and not jax.config.jax_enable_x64:
            return jax.enable_x64(True)
        return nullcontext()

    def _shapes(self) -> list[Any]:
        """Shapes and dtypes of the inputs."""
        nodes = [self._graph.nodes[i] for i in self._graph.inputs]
        narrow = dtypes.canonicalize_dtype
        return [jax.ShapeDtypeStruct(node.shape, narrow(node.dtype)) for node in nodes]

    @property
    def source(self) -> str:
        """The program as StableHLO."""
        with self._with_whole_numbers():
            return str(jax.jit(self._call).lower(*self._shapes()).as_text())

    def exported(self) -> bytes:
        """The program as a file of StableHLO that later versions of JAX read too."""
        with self._with_whole_numbers():
            return bytes(export.export(jax.jit(self._call))(*self._shapes()).serialize())

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The results as JAX's arrays.

        Raises:
            TypeError: whoever traces this has told JAX that whole numbers have 32 bits.
        """
        check(self._graph, WHOLE)
        return self._call(*map(as_given, values))


class OnDevice(Pure):
    """A graph as an XLA program; its results are new arrays on the device."""

    def __init__(self, graph: Graph, donated: frozenset[int]) -> None:
        super().__init__(graph)
        self._donated = donated
        self._compiled = jax.jit(self._call, donate_argnums=tuple(donated))

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The results as JAX's arrays."""
        if self._wide:
            check(self._graph)
        with self._with_whole_numbers():
            return self._run(values)

    def _run(self, values: Sequence[Any]) -> list[Any]:
        given = [x if type(x) is ON_DEVICE and not x.is_deleted() else as_given(x) for x in values]
        if self._donated:
            times = Counter(map(Same, given))
            if any(times[Same(given[k])] > 1 for k in self._donated):
                raise ValueError(
                    "compile: an array that may be overwritten (donate=) is given as another "
                    "argument too; give a copy of it there"
                )
        return list(self._compiled(*given))


def as_given(x: Any) -> Any:
    """An argument that nobody writes to while it is read: JAX does not copy, and does not wait."""
    if not isinstance(x, np.ndarray):
        if type(x) is ON_DEVICE and x.is_deleted():
            raise RuntimeError(
                "compile: an array was given that an earlier call was allowed to overwrite "
                "(donate=); give what that call has returned"
            )
        return x
    if x.dtype.itemsize == 8 and x.dtype.kind in "iu" and not jax.config.jax_enable_x64:
        narrow = _narrowed(x)
        if narrow is None:
            raise ValueError(
                f"the engine 'jax': whole numbers up to {abs(x).max()} do not fit 32 bits; let JAX "
                'have 64 with jax.config.update("jax_enable_x64", True)'
            )
        return narrow
    return x.copy()


class XLAEngine:
    """One XLA program on whatever device JAX has."""

    arrays: tuple[type, ...] = (jax.Array, ON_DEVICE)

    def program(self, graph: Graph, reuse: bool, donated: frozenset[int]) -> Pure:
        """The graph as an XLA program; its results are never overwritten, whatever is allowed."""
        return OnDevice(graph, donated)

    def way(self, folded: Folded, steps: int) -> Way:
        """How it runs a folded graph for so many steps."""
        plan = planned(folded, AFTER)
        free = frozenset(k for k, node in enumerate(plan.folded.step.nodes) if node.lowering.view)
        chunk = {nest: steps for nest in plan.blocks if isinstance(nest, Nest)}
        return Way(plan, free, chunk, f"each loop one lax.scan, steps in one turn: {turns()}")


class PureEngine(XLAEngine):
    """The same, left to whoever calls it to compile, differentiate, batch or share out."""

    def program(self, graph: Graph, reuse: bool, donated: frozenset[int]) -> Pure:
        """The graph as a pure function."""
        return Pure(graph)


ENGINE, PURE = XLAEngine(), PureEngine()


def as_pytrees(tree: Tree) -> None:
    """Let JAX know the classes of dictionaries in a structure, such as `Params`."""
    for child in tree.children:
        as_pytrees(child)
    kind: Any = tree.kind
    if kind is None or kind is dict or not issubclass(kind, dict):
        return
    with suppress(ValueError):  # JAX knows it already
        jax.tree_util.register_pytree_with_keys(
            kind,
            lambda x: ([(jax.tree_util.DictKey(k), v) for k, v in x.items()], tuple(x)),
            lambda keys, values: kind(zip(keys, values, strict=True)),
        )
