"""Naming: what values are called in generated source, outside of loops and in them.

A value is a buffer known now, with a name of its own, or a parameter. In a loop it is a variable
that runs over views made beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.engines.numpy.needs import CHUNK, RING, STATIC, STEP, WHOLE
from minigrad.engines.numpy.source import Lines, Scope, function, joined_spans, number
from minigrad.engines.numpy.storage import Storage, Value
from minigrad.graph import Node

See = Callable[[Array], Array]


class Naming:
    """The names of values.

    Attributes:
        storage: where they are.
        scope: everything that has a name in the source.
    """

    def __init__(self, storage: Storage, scope: Scope) -> None:
        self.storage, self.plan, self.T = storage, storage.plan, storage.T
        self.nodes = storage.nodes
        self.bind, self.scope = scope.bind, scope
        self.matmul = self.bind("matmul", np.matmul)

    def of(self, k: int) -> str:
        """The variable that holds a static value, a parameter or a buffer."""
        value = self.storage.values[k]
        if value.array is None:
            return value.name
        return self.scope.known(k, self.nodes[k].op, value.array)

    def operand(self, k: int, i: int) -> str:
        """The name of an operand of node k that is the same at every step, or a whole value."""
        if self.nodes[i].op == "constant" and self.nodes[i].dtype is None:
            return self.bind("number", number(self.nodes[i], self.nodes[k]))
        return self.of(i)

    def plain(self, node: Node, attrs: Any = None) -> str:
        """The name of a function that allocates its result."""
        return function(node, node.attrs if attrs is None else attrs, self.bind)

    def aligned(self, k: int, i: int, align: bool) -> str:
        """An operand of whole sequences, with its rank brought to that of the others."""
        value, name = self.storage.values[i], self.operand(k, i)
        if value.level != WHOLE:
            return name if align else self.whole(i)
        gap = self.gap(k, i) if align else 0
        if not gap:
            return name
        shape = (self.T, *(1,) * gap, *self.nodes[i].shape)
        if value.array is not None:
            return self.bind("aligned", value.array.reshape(shape))
        return f"{name}.reshape({shape})"

    def whole(self, i: int) -> str:
        """A value of all steps, repeated if it is the same at every step."""
        if self.storage.values[i].level == WHOLE:
            return self.of(i)
        # Not self.T inside: a name that holds what holds the names would be a circle.
        repeat = self.bind("repeat", lambda x, T=self.T: np.broadcast_to(x, (T, *np.shape(x))))
        return f"{repeat}({self.of(i)})"

    def rows(self, i: int) -> str:
        """A whole value as a matrix: the rows of all steps."""
        value, name, width = self.storage.values[i], self.of(i), self.nodes[i].shape[-1]
        if value.array is None:
            return f"{name}.reshape(-1, {width})"
        flat = value.array.reshape(-1, width)
        if np.may_share_memory(flat, value.array):
            return self.bind("rows", flat)
        return f"{name}.reshape(-1, {width})"

    def sample(self, i: int) -> Array | None:
        """The place of a node's value at one step."""
        value = self.storage.values[i]
        if value.array is None or value.level == STATIC or value.level == STEP:
            return value.array
        return value.array[0] if len(value.array) else None

    def gap(self, k: int, i: int) -> int:
        """How many axes an operand of a batched operation lacks behind time."""
        if self.storage.values[i].level not in (WHOLE, CHUNK):
            return 0
        return max(len(self.nodes[j].shape) for j in self.nodes[k].inputs) - len(
            self.nodes[i].shape
        )

    def copies(self, k: int, operands: Iterable[int], rows: Rows | None = None) -> Lines:
        """Copies of operands into a concatenation; those made in place need none."""
        lines, value, spans = [], self.storage.values[k], joined_spans(self.nodes, k)
        for n in operands:
            i = self.nodes[k].inputs[n]
            see: Any = itemgetter(spans[n])
            if self.storage.values[i].inside == k:
                continue
            if k in self.storage.needs.lasting and self.nodes[i].op == "constant":
                see(value.array)[...] = self.nodes[i].value  # once and for all
            elif rows is None:
                lines.append(f"{self.bind('part', see(value.array))}[...] = {self.of(i)}")
            else:
                lines.append(f"{rows.read(k, see, f'_{n}')}[...] = {rows.read(i)}")
        return lines


class Rows:
    """The variables of a loop: views of buffers, of each step or of each chunk."""

    def __init__(self, names: Naming, by_step: bool) -> None:
        self.names, self.by_step = names, by_step
        self.fixed: dict[str, tuple[Value, See | None]] = {}
        self.given: list[str] = []

    def read(self, i: int, see: See | None = None, tag: str = "") -> str:
        """The variable of a node's value; `see` makes another view of it, told apart by `tag`."""
        value = self.names.storage.values[i]
        if value.array is None:
            if value.level != WHOLE:
                return value.name
            if not self.by_step:
                return f"{value.name}[lo:hi]"
            if value.name not in self.given:
                self.given.append(value.name)
            return f"{value.name}_t"
        if value.level not in (WHOLE, CHUNK, RING):
            if see is None:
                return self.names.of(i)
            return self.names.bind("view", see(value.array))
        name = f"v{i}{tag}"
        self.fixed[name] = (value, see)
        return name

    def aligned(self, i: int, gap: int) -> str:
        """The variable with `gap` axes of size 1 behind time."""
        if not gap:
            return self.read(i)
        ones, shape = (1,) * gap, self.names.nodes[i].shape
        if self.names.storage.values[i].array is None:
            return f"{self.read(i)}.reshape({(-1, *ones, *shape)})"
        return self.read(i, lambda part: part.reshape(len(part), *ones, *shape), f"_{gap}")

    def flat(self, i: int) -> str:
        """The rows of all steps of a chunk, as a matrix."""
        width, array = self.names.nodes[i].shape[-1], self.names.storage.values[i].array
        if array is None or not np.may_share_memory(array, array.reshape(-1, width)):
            return f"{self.read(i)}.reshape(-1, {width})"
        return self.read(i, lambda part: part.reshape(-1, width), "_rows")

    def pattern(self) -> str:
        """The tuple of the variables, as it is taken apart."""
        return f"({', '.join(self.fixed)},)" if self.fixed else "_"

    def _part(self, name: str, lo: int, hi: int) -> Array:
        value, see = self.fixed[name]
        assert value.array is not None  # fixed values have buffers
        part = value.array[lo:hi] if value.level == WHOLE else value.array[: hi - lo]
        return part if see is None else see(part)

    def views(self, lo: int, hi: int) -> tuple[Array, ...]:
        """Of a chunk."""
        return tuple(self._part(name, lo, hi) for name in self.fixed)

    def steps(self, lo: int, hi: int, direction: int) -> list[tuple[Array, ...]]:
        """Of each step in a chunk, in the order of the loop."""
        columns = [self._column(name, lo, hi)[::direction] for name in self.fixed]
        return list(zip(*columns, strict=True)) if columns else [()] * (hi - lo)

    def _column(self, name: str, lo: int, hi: int) -> list[Array]:
        """A variable's views, step by step."""
        value, see = self.fixed[name]
        # part[k] of single numbers would be a number, and nothing can be written into it.
        if value.level == RING:
            assert value.array is not None  # rings are buffers
            ring = value.array if see is None else see(value.array)
            return [ring[(t + value.turn) % 2, ...] for t in range(lo, hi)]
        part = self._part(name, lo, hi)
        return list(part) if part.ndim > 1 else [part[k, ...] for k in range(hi - lo)]
