"""What loops read step by step, and how long it is.

A list of inputs, the rows of an array and the values of another loop have as many elements as the
loop that reads them has steps, or some more. So they grow together: they share a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.folded import SEQUENCE
from minigrad.folding.dependence import Dependence
from minigrad.folding.runs import Leaves, Rows, anchored, straight
from minigrad.folding.steps import Source, Steps
from minigrad.folding.tags import Union
from minigrad.graph import Graph

INPUTS = -1
"""In place of the node of an array: the list of the inputs of the graph."""

Spot = tuple[tuple[Any, ...], int]
"""Where a value lies: on a line, such as one axis of an array, and at which place of it."""


class Sequences:
    """The sequences of a graph with loops.

    Attributes:
        clock: for each loop the number of its clock; T: for each clock its number of steps.
        element: for each node that is read as one of a sequence: the sequence and the place.
        grown: for each input that is read row by row, the axis and the clocks it follows.
    """

    def __init__(
        self, graph: Graph, loops: Sequence[Steps], depends: Dependence, more: Iterable[Source]
    ) -> None:
        self.graph, self.loops, self.depends = graph, loops, depends
        self._place = {i: n for n, i in enumerate(graph.inputs)}
        self._clocks = Union()
        self._leaf_loop: dict[tuple[int, int], int] = {}
        # By array and axis (or the inputs): stretches of it that a loop reads.
        self._blocks: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
        for j, steps in enumerate(loops):
            for source in (*steps.inputs(), *(more if j == 0 else ())):
                if source.role == SEQUENCE:
                    self._reads(j, source.given)
        for line, blocks in self._blocks.items():
            self._blocks[line] = self._merged(blocks, *line)
        origins = {line: self._origin(*line) for line in self._blocks if line[0] != INPUTS}
        roots = [self._clocks.root(j) for j in range(len(loops))]
        names = {root: n for n, root in enumerate(dict.fromkeys(roots))}
        self.clock = [names[root] for root in roots]
        self.T = tuple(loops[roots.index(root)].count for root in names)
        self.grown = {
            leaf: (axis, tuple(self.clock[block[2]] for block in self._blocks[line]))
            for line, leaves in origins.items() for leaf, axis in leaves
        }  # fmt: skip
        self.element = dict(self._elements())

    # --- stretches ------------------------------------------------------------------------------

    def _spots(self, k: int) -> list[Spot]:
        """The lines on which a value lies, with its place."""
        if k in self.depends.loop:
            j = self.depends.loop[k]
            c, t = self.loops[j].place[k]
            return [(("loop", j, c), t)]
        if k in self._place:
            return [((INPUTS, 0), self._place[k])]
        node = self.graph.nodes[k]
        if node.op != "index":
            return []
        found: list[Spot] = []
        position, shape = node.attrs["position"], self.graph.nodes[node.inputs[0]].shape
        behind = 0  # After an ellipsis, axes are counted from the last.
        for place, item in enumerate(position):
            if item is ...:
                behind = len(shape) - len(position)
            elif isinstance(item, int | np.integer) and not isinstance(item, bool):
                rest = repr((position[:place], position[place + 1 :]))
                axis = place + behind
                line = (node.inputs[0], axis, place, rest, item >= 0)
                found.append((line, int(item) % shape[axis]))
            elif not isinstance(item, slice):
                break
        return found

    def _reads(self, j: int, given: Sequence[int]) -> None:
        """Note what a loop reads: the longest run of a line grows with the loop."""
        spots, n = [dict(self._spots(k)) for k in given], 0
        longest: tuple[int, tuple[Any, ...], int, int] = (0, (), 0, 0)
        while n < len(given):
            runs = [self._along(line, spots, n) for line in spots[n]]
            longest = max([longest, *runs], key=lambda run: run[0])
            n += max([1, *(run[0] for run in runs)])
        count, line, low, high = longest
        if count == 0 or (count == 1 < len(given)):
            return
        if line[0] == "loop":
            first, last = anchored(low, high, self.loops[line[1]].T)
            if (first > 0) != (last > 0):
                self._clocks.join(line[1], j)
        else:
            width = max(1, (high - low) // max(1, count - 1))
            self._blocks[line[0], line[1]].append([low, high, j, width])

    def _along(
        self, line: tuple[Any, ...], spots: Sequence[dict[Any, int]], n: int
    ) -> tuple[int, tuple[Any, ...], int, int]:
        """How many values from the n-th on lie along a line, and its lowest and highest place."""
        # Inputs of one step may stand between: a list of pairs.
        places = (spots[m].get(line) for m in range(n, len(spots)))
        first, last, count = straight(places, wide=line[0] == INPUTS)
        return count, line, min(first, last), max(first, last)

    def _merged(self, blocks: list[list[int]], source: int, axis: int) -> list[list[int]]:
        """Stretches that overlap as one; those of an array as parts of the whole axis."""
        merged: list[list[int]] = []
        for block in sorted(blocks):
            if merged and block[0] < merged[-1][1] + block[3] and block[3] == merged[-1][3]:
                merged[-1][1] = max(block[1], merged[-1][1])
                self._clocks.join(merged[-1][2], block[2])
            else:
                merged.append(block)
        if source == INPUTS:
            return [b for b in merged if (b[1] - b[0] + 1) % b[3] == 0]
        merged[0][0] = 0
        merged[-1][1] = self.graph.nodes[source].shape[axis] - 1
        for before, after in pairwise(merged):
            before[1] = after[0] - 1
        return merged

    def _origin(self, source: int, axis: int) -> list[tuple[int, int]]:
        """The inputs that must grow for an array to grow, and their axes; else loops of one clock.

        That is a guess by the length of axes, of which nothing depends but other numbers of steps.
        """
        nodes, blocks = self.graph.nodes, self._blocks[source, axis]
        length = nodes[source].shape[axis]
        leaves, loops = [], []
        seen, stack = {source}, [source]
        while stack:
            k = stack.pop()
            if k in self.depends.loop:
                loops.append(self.depends.loop[k])
                continue
            axes = [a for a, size in enumerate(nodes[k].shape) if size == length]
            if k in self._place and (axis in axes or len(axes) == 1):
                leaves.append((k, axis if axis in axes else axes[0]))
            new = set(nodes[k].inputs) - seen
            seen |= new
            stack += new
        for leaf in leaves:  # Arrays that are made of one input have one length.
            self._clocks.join(self._leaf_loop.setdefault(leaf, blocks[0][2]), blocks[0][2])
        if leaves:
            return leaves
        near = [j for j in loops if length == self.loops[j].T] or loops
        if len(blocks) == 1 and near:
            self._clocks.join(near[0], blocks[0][2])
        return []

    # --- elements -------------------------------------------------------------------------------

    def _elements(self) -> Iterator[tuple[int, tuple[Leaves | Rows, int]]]:
        """Every node that is an element of a sequence, with its place, the first is 1."""
        for low, high, j, width in self._blocks.get((INPUTS, 0), ()):
            lists = [Leaves(low, high, width, n, self.clock[j]) for n in range(width)]
            for n in range(high - low + 1):
                yield self.graph.inputs[low + n], (lists[n % width], n // width + 1)
        copies: dict[Spot, int] = defaultdict(int)
        known: dict[Any, Rows] = {}
        for k, node in enumerate(self.graph.nodes):
            if node.op != "index" or k in self.depends.loop:
                continue
            for line, place in self._spots(k):
                blocks = self._blocks.get((line[0], line[1]), ())
                for n, (low, high, j, _) in enumerate(blocks):
                    if not low <= place <= high:
                        continue
                    copy = copies[line, place]
                    copies[line, place] += 1
                    if (line, n, copy) not in known:
                        behind = tuple(self.clock[block[2]] for block in blocks[:n])
                        known[line, n, copy] = Rows(
                            line[0], line[1], line[2], low, high, node, self.clock[j], behind
                        )
                    yield k, (known[line, n, copy], place - low + 1)


__all__ = ["Sequences"]
