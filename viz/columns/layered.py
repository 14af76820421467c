"""A layered layout for one step's worth of boxes: ranks, orders, places.

Ranks are longest paths from below, orders within a rank come from barycentres, places from least
squares that keep the order (pool adjacent violators). Long edges get a bend in every rank they
pass, so between two ranks every edge is one piece and no edge runs through a box.
Source: Sugiyama, Tagawa and Toda (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import inf

SWEEPS = 10
GAP = 14.0  # between neighbours of a rank
BEND = 5.0  # half the room that a passing edge takes
THOROUGH = 600
"""Layouts of more nodes and bends do not count crossings."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Where things are: x and rank of each node, and for each edge x in the ranks it passes."""

    x: tuple[float, ...]
    rank: tuple[int, ...]
    bends: dict[Pair, tuple[float, ...]]


@lru_cache(maxsize=64)
def layered(
    left: tuple[float, ...],
    right: tuple[float, ...],
    edges: tuple[Pair, ...],
    low: frozenset[int] = frozenset(),
    high: frozenset[int] = frozenset(),
) -> Layout:
    """Places for nodes of an acyclic graph.

    Args:
        left: how far each node reaches from its centre to the left.
        right: the same to the right.
        edges: pairs of nodes, from below to above.
        low: nodes that belong to the lowest rank.
        high: nodes that belong to a rank above all others.

    >>> layered((5, 5, 5), (5, 5, 5), ((0, 2), (1, 2))).rank
    (0, 0, 1)
    """
    rank = ranks(len(left), edges, low, high)
    chains: dict[Pair, list[int]] = {}
    lefts, rights, levels = list(left), list(right), list(rank)
    short: list[Pair] = []
    for a, b in dict.fromkeys(edges):
        chain = [a]
        for level in range(rank[a] + 1, rank[b]):
            chain.append(len(levels))
            levels.append(level)
            lefts.append(BEND)
            rights.append(BEND)
        chain.append(b)
        chains[a, b] = chain
        short += pairwise(chain)
    rows: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
    for k, level in enumerate(levels):
        rows[level].append(k)
    below: list[list[int]] = [[] for _ in levels]
    above: list[list[int]] = [[] for _ in levels]
    for a, b in short:
        above[a].append(b)
        below[b].append(a)
    rows = _order(rows, below, above)
    x = _places(rows, below, above, lefts, rights, len(left))
    bends = {pair: tuple(x[k] for k in chain[1:-1]) for pair, chain in chains.items()}
    return Layout(tuple(x[: len(left)]), tuple(rank), bends)


def ranks(
    count: int, edges: Sequence[Pair], low: frozenset[int], high: frozenset[int]
) -> list[int]:
    """Longest paths from below; what has no edge from below stands right under its reader."""
    into: list[list[int]] = [[] for _ in range(count)]
    out: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        into[b].append(a)
        out[a].append(b)
    rank = [0] * count
    waiting = [len(sources) for sources in into]
    ready = [k for k in range(count) if not waiting[k]]
    for k in ready:
        for b in out[k]:
            rank[b] = max(rank[b], rank[k] + 1)
            waiting[b] -= 1
            if not waiting[b]:
                ready.append(b)
    top = max((rank[k] for k in range(count) if k not in high), default=0) + 1
    for k in high:
        rank[k] = top
    for k in range(count):
        if not into[k] and k not in low and out[k]:
            rank[k] = max(0, min(rank[b] for b in out[k]) - 1)
    return rank


def _order(
    rows: list[list[int]], below: list[list[int]], above: list[list[int]]
) -> list[list[int]]:
    """Rows sorted by the mean place of their neighbours, sweeping up and down; the best kept."""
    count = sum(map(len, rows)) <= THOROUGH
    best, fewest = [list(row) for row in rows], _crossings(rows, above) if count else 0
    place = {k: n for row in rows for n, k in enumerate(row)}
    for sweep in range(SWEEPS):
        near = below if sweep % 2 == 0 else above
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            mean = {
                k: sum(place[j] for j in near[k]) / len(near[k]) if near[k] else place[k]
                for k in row
            }
            row.sort(key=lambda k: mean[k])
            place.update((k, n) for n, k in enumerate(row))
        crossings = _crossings(rows, above) if count else -sweep
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _crossings(rows: list[list[int]], above: list[list[int]]) -> int:
    total = 0
    for row, upper in pairwise(rows):
        place = {k: n for n, k in enumerate(upper)}
        ends = [n for k in row for n in sorted(place[j] for j in above[k])]
        total += sum(a > b for n, a in enumerate(ends) for b in ends[n + 1 :])
    return total


def _places(
    rows: list[list[int]],
    below: list[list[int]],
    above: list[list[int]],
    left: Sequence[float],
    right: Sequence[float],
    real: int,
) -> list[float]:
    """Places near the mean of the neighbours, in order and without overlap."""
    x = [0.0] * len(left)
    for row in rows:
        _settle(row, x, [1.0] * len(row), left, right)
    lines = _lines(rows, below, above)
    for sweep in range(5 * SWEEPS):
        middle = {
            k: sum(x[j] for j in line) / len(line) for k, line in lines.items() if k == line[0]
        }
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            weights = []
            for k in row:
                # Bends follow each other closely, and what is on one line its middle, so that
                # long edges are straight.
                near = [(x[j], 4.0 if k >= real <= j else 1.0) for j in below[k] + above[k]]
                if sweep > SWEEPS:
                    line, pull = lines[k], 4.0 if sweep < 3 * SWEEPS else 64.0
                    near.append((middle[line[0]], pull * (len(line) - 1)))
                weights.append(sum(w for _, w in near) or 0.01)
                if near and weights[-1] > 0.01:
                    x[k] = sum(at * w for at, w in near) / weights[-1]
            _settle(row, x, weights, left, right)
    _straighten(rows, [line for k, line in lines.items() if line[0] == k], x, left, right)
    return x


def _lines(
    rows: list[list[int]], below: list[list[int]], above: list[list[int]]
) -> dict[int, list[int]]:
    """For each node the nodes that follow each other without a branch, itself among them."""
    lines: dict[int, list[int]] = {}
    for row in rows:
        for k in row:
            source = below[k][0] if len(below[k]) == 1 else -1
            is_next = source >= 0 and len(above[source]) == 1
            lines[k] = lines[source] if is_next else []
            lines[k].append(k)
    return lines


def _straighten(
    rows: list[list[int]], lines: list[list[int]], x: list[float], left: Sequence[float],
    right: Sequence[float],
) -> None:  # fmt: skip
    """Put each line at one place, where its neighbours leave room."""
    spot = {k: (row, n) for row in rows for n, k in enumerate(row)}
    for line in sorted(lines, key=len, reverse=True) * 2:
        low, high = -inf, inf
        for k in line:
            row, n = spot[k]
            if n:
                low = max(low, x[row[n - 1]] + right[row[n - 1]] + GAP + left[k])
            if n + 1 < len(row):
                high = min(high, x[row[n + 1]] - left[row[n + 1]] - GAP - right[k])
        if low <= high and len(line) > 1:
            place = min(max(sum(x[k] for k in line) / len(line), low), high)
            for k in line:
                x[k] = place


def _settle(
    row: list[int], x: list[float], weights: list[float], left: Sequence[float],
    right: Sequence[float],
) -> None:  # fmt: skip
    """Move x as little as possible, by least squares, until neighbours do not overlap."""
    offset, offsets = 0.0, []
    for n, k in enumerate(row):
        offset += (right[row[n - 1]] + GAP + left[k]) if n else 0.0
        offsets.append(offset)
    blocks: list[list[float]] = []  # mean, weight, number
    for n, k in enumerate(row):
        blocks.append([x[k] - offsets[n], weights[n], 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, weight, number = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * weight) / (last[1] + weight)
            last[1] += weight
            last[2] += number
    places = [mean for mean, _, number in blocks for _ in range(int(number))]
    for n, k in enumerate(row):
        x[k] = places[n] + offsets[n]
