"""Tagged operations: which of them belong to one loop.

Scopes that run over the same steps and read each other step by step are one loop: the layers of a
stack, two directions over one sequence, a loss of every step beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import permutations

import numpy as np

from minigrad.graph import Graph


def tagged(graph: Graph) -> list[dict[int, list[int]]]:
    """For each loop the operations of every step, in order of their creation."""
    rows = _rows(graph)
    return _joined(graph, rows) if len(rows) > 1 else list(rows.values())


def _rows(graph: Graph) -> dict[str, dict[int, list[int]]]:
    """The operations of each scope by step, without those that only read a sequence."""
    nodes = graph.nodes
    rows: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    busy = set()
    for k, node in enumerate(nodes):
        if node.t is not None and node.op not in ("input", "constant"):
            rows[node.scope][node.t].append(k)
            if not node.lowering.view:  # a step that only looks at values computes nothing
                busy.add(node.t)
    readings = _readings(graph, rows.values())
    kept = {
        scope: {t: [k for k in row if k not in readings] for t, row in steps.items() if t in busy}
        for scope, steps in rows.items()
    }
    return {
        scope: {t: row for t, row in steps.items() if row}
        for scope, steps in kept.items() if any(steps.values())
    }  # fmt: skip


def _readings(graph: Graph, scopes: Iterable[dict[int, list[int]]]) -> set[int]:
    """Reads of one place of what is outside of every step: not always of the same place."""
    nodes = graph.nodes
    found: set[int] = set()
    for steps in scopes:
        places = defaultdict(list)
        for row in steps.values():
            seen: dict[int, int] = defaultdict(int)
            for k in row:
                node = nodes[k]
                if node.op != "index" or nodes[node.inputs[0]].t is not None:
                    continue
                source = node.inputs[0]
                if any(isinstance(item, int | np.integer) for item in node.attrs["position"]):
                    places[source, seen[source]].append(k)
                    seen[source] += 1
        for column in places.values():
            first = repr(nodes[column[0]].attrs)
            if len(column) == 1 or any(repr(nodes[k].attrs) != first for k in column):
                found.update(column)
    return found


def _joined(graph: Graph, rows: dict[str, dict[int, list[int]]]) -> list[dict[int, list[int]]]:
    """Rows of scopes that are one loop, put together step by step, in order of their creation."""
    nodes = graph.nodes
    scopes = list(rows)
    place = {k: s for s, scope in enumerate(scopes) for row in rows[scope].values() for k in row}
    times = [set(rows[scope]) for scope in scopes]
    # By pair of scopes: for each delay the steps at which one reads the other.
    edges: dict[tuple[int, int], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    readers: dict[object, set[tuple[int, int]]] = defaultdict(set)
    for k, s in place.items():
        t = nodes[k].t or 0
        for i in nodes[k].inputs:
            if i in place:
                if place[i] != s:
                    edges[place[i], s][t - (nodes[i].t or 0)].add(t)
            else:
                node = nodes[i]
                what = (node.inputs[0], repr(node.attrs)) if node.op == "index" else i
                readers[what].add((s, t))
    for both in readers.values():
        if len({t for _, t in both}) == 1:
            for (a, t), (b, _) in permutations(both, 2):
                edges[a, b][0].add(t)
    steady = {
        pair for pair, delays in edges.items()
        if max(map(len, delays.values())) > max(1, len(delays) - 1)
        or (0 in delays and len(times[pair[0]]) == len(times[pair[1]]) == 1)
    }  # fmt: skip
    joined = _Union()
    for a, b in steady:
        if times[a] == times[b] or (a in _reached(b, steady)):
            joined.join(a, b)
    groups: dict[object, dict[int, list[int]]] = defaultdict(dict)
    for s, scope in enumerate(scopes):
        for t, row in rows[scope].items():
            together = groups[joined.root(s)]
            together[t] = sorted(together[t] + row) if t in together else row
    return list(groups.values())


def _reached(start: int, edges: set[tuple[int, int]]) -> set[int]:
    found, stack = {start}, [start]
    while stack:
        a = stack.pop()
        new = {y for x, y in edges if x == a} - found
        found |= new
        stack += new
    return found


class _Union:
    """Sets that are joined one by one."""

    def __init__(self) -> None:
        self._above: dict[object, object] = {}

    def root(self, x: object) -> object:
        """The member that stands for the set of x."""
        while x in self._above:
            x = self._above[x]
        return x

    def join(self, a: object, b: object) -> None:
        """Make the sets of a and b one, in the name of a's."""
        a, b = self.root(a), self.root(b)
        if a != b:
            self._above[b] = a
