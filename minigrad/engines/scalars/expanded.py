"""A graph of arrays as instructions on single numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.engines.scalars.instructions import MEANING, Book, Instruction, Place
from minigrad.engines.scalars.symbols import Symbols, lines_of, read, symbols
from minigrad.errors import REFUSALS
from minigrad.graph import Graph, Node
from minigrad.tree import flatten

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Expanded:
    """Instructions on single numbers that compute what a graph does.

    Attributes:
        lines: one after the other; each reads earlier ones.
        inputs, outputs: for each input and output of the graph the lines of its entries, whole
            numbers in the shape of the array. An input that was fixed has no lines: None.
        places: for each line the names of the values whose entry it is.
        graph: what was expanded.
    """

    lines: tuple[Instruction, ...]
    inputs: tuple[Array | None, ...]
    outputs: tuple[Array, ...]
    places: Mapping[int, Sequence[Place]]
    graph: Graph

    def __len__(self) -> int:
        return len(self.lines)

    def evaluate(self, *args: Any) -> Any:
        """What the graph gives for arguments of its structure, line by line: the oracle of others.

        A fixed input is not read.
        """
        values: list[Any] = [0.0] * len(self.lines)
        for place, given in zip(self.inputs, flatten(args)[0], strict=True):
            if place is not None:
                for k, x in zip(place.reshape(-1), np.asarray(given).reshape(-1), strict=True):
                    values[k] = np.float64(x)
        with np.errstate(all="ignore"):
            for k, line in enumerate(self.lines):
                if line.op == "constant":
                    values[k] = np.float64(line.value)
                elif line.op != "input":
                    values[k] = MEANING[line.op](*(values[i] for i in line.operands))
        whole = np.array(values, float)
        return self.graph.out_tree.unflatten([whole[place] for place in self.outputs])

    def __repr__(self) -> str:
        return f"<Expanded: {len(self.lines)} instructions>"


def expanded(graph: Graph, fixed: Mapping[int, Any] | None = None) -> Expanded:
    """The instructions on single numbers that compute what a graph does.

    Equal subexpressions are computed once, those of constants not at all; what only moves numbers
    (a view, a transpose, a join) leaves no instruction.

    Args:
        graph: of arrays in double precision, as `minigrad.trace` or `minigrad.unfold` give it.
        fixed: values of inputs by their position; they become constants. Whole numbers, such as
            class indices, must be fixed, as they say what is read.

    Raises:
        ValueError: an operation that cannot be told in single numbers; says which, and why.

    >>> import minigrad as mg, numpy as np
    >>> sheet = expanded(mg.trace(lambda a, W: mg.tanh(a @ W), np.ones((1, 2)), np.ones((2, 1))))
    >>> [line.op for line in sheet.lines]
    ['input', 'input', 'input', 'input', '×', '×', '+', 'tanh']
    >>> sheet.evaluate(np.array([[1.0, 2.0]]), np.array([[0.5], [0.0]])).round(4)
    array([[0.4621]])
    """
    book, fixed = Book(), fixed or {}
    values: list[Any] = [None] * len(graph.nodes)
    inputs: list[Array | None] = []
    for n, k in enumerate(graph.inputs):
        node = graph.nodes[k]
        if n in fixed:
            values[k] = np.asarray(fixed[n])
            inputs.append(None)
        elif node.dtype != np.float64:
            raise ValueError(
                f"expanded: input {node.name or n + 1} is {node.signature()}; single numbers are "
                "float64: trace it so, and give class indices and flags as fixed="
            )
        else:
            place = np.array([book.given() for _ in range(int(np.prod(node.shape)))], np.intp)
            inputs.append(place.reshape(node.shape))
            values[k] = read(book, place.reshape(node.shape))
    for k, node in enumerate(graph.nodes):
        if node.op == "constant":
            values[k] = node.value
        elif node.op != "input":
            values[k] = _applied(book, node, [values[i] for i in node.inputs])
        if node.name is not None and isinstance(values[k], Symbols):
            for entry, line in np.ndenumerate(lines_of(values[k])):
                named = Place(node.scope, node.t, node.name, entry)
                book.places.setdefault(int(line), []).append(named)
    return _kept(book, inputs, [lines_of(symbols(book, values[k])) for k in graph.outputs], graph)


def _kept(
    book: Book, inputs: Sequence[Array | None], outputs: Sequence[Array], graph: Graph
) -> Expanded:
    """Without the lines that no output and no named value needs."""
    needed = {int(k) for place in outputs for k in place.reshape(-1)} | {*book.places}
    for k in range(len(book.lines) - 1, -1, -1):
        if k in needed:
            needed.update(book.lines[k].operands)
        elif book.lines[k].op == "input":
            needed.add(k)
    kept = sorted(needed)
    new = np.zeros(len(book.lines), np.intp)
    new[kept] = np.arange(len(kept))
    lines = [book.lines[k] for k in kept]
    return Expanded(
        tuple(replace(x, operands=tuple(new[[*x.operands]].tolist())) for x in lines),
        tuple(None if place is None else new[place] for place in inputs),
        tuple(new[place] for place in outputs),
        {int(new[k]): tuple(places) for k, places in book.places.items()},
        graph,
    )


def _applied(book: Book, node: Node, operands: list[Any]) -> Any:
    """What an operation makes of symbols, by its own forward; of arrays alone, an array."""
    if PRIMITIVES[node.op].kind == "loop":
        raise ValueError(
            f"expanded: {node.op} runs a graph of its own: unfold it, by "
            "rnn.run(..., unfolded=True) or minigrad.unfold"
        )
    if not any(isinstance(x, Symbols) for x in operands):
        return PRIMITIVES[node.op].forward(*operands, **node.attrs)
    try:
        return symbols(book, PRIMITIVES[node.op].forward(*operands, **node.attrs))
    except REFUSALS as error:
        step = "" if node.t is None else f" at step t = {node.t}"
        raise ValueError(
            f"expanded: {node.op}{step} cannot be told in single numbers: {error}"
        ) from error
