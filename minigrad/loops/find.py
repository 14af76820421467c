"""The loops of a graph: runs of like steps.

A run of like steps is a loop. A step that differs from its neighbours, as the first one without a
start value, is no part of it: it is ordinary operations before or after, and so is an output that
is wanted of one step alone. A kind of step that was left must not come back: that would be no loop
but an accident, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from minigrad.errors import FoldError
from minigrad.graph import Graph, same_node
from minigrad.loops.order import unravelled
from minigrad.loops.steps import HINT, Steps
from minigrad.loops.tags import tagged


def find_loops(graph: Graph) -> list[Steps]:
    """The loops in a graph, in the order in which they begin.

    Raises:
        FoldError: no operation is tagged, or steps differ; the message says where.
    """
    groups = tagged(graph)
    if not groups:
        raise FoldError(f"fold: no operation is tagged with a time step; {HINT}")
    pieces = [_pieces(graph, steps) for steps in groups]
    found = [steps for group in pieces for steps in _steady(group, least=2)]
    if not found and len({piece.first for group in pieces for piece in group}) == 1:
        # Of a single step nothing is known, but that it is one.
        found = [steps for group in pieces for steps in _steady(group, least=1)]
    if not found:
        for why in (piece.why for group in pieces for piece in group if piece.why):
            raise FoldError(f"fold: {why}, and no two steps in a row are alike; trace more steps")
        raise FoldError("fold: every step has a scope of its own; give all steps of a loop one")
    return unravelled(graph, sorted(found, key=lambda steps: steps.rows[0][0]))


@dataclass
class Piece:
    """A run of like steps: where it begins, and why it does not begin earlier."""

    first: int
    rows: list[list[int]]
    why: str = ""
    steps: Steps | None = None


Kind = tuple[tuple[str, tuple[int, ...], str, tuple[int | None, ...]], ...]


def _pieces(graph: Graph, steps: dict[int, list[int]]) -> list[Piece]:
    """Steps as runs of like ones, in order of time."""
    times = sorted(steps)
    if times[-1] - times[0] >= len(times):
        why = f"steps are missing between t = {times[0]} and t = {times[-1]}"
        if not _alone(times):
            raise FoldError(f"fold: {why}")
        return [Piece(t, [steps[t]], why) for t in times]
    place = {k: (c, t) for t in times for c, k in enumerate(steps[t])}
    pieces = _runs(graph, place, steps)
    if len(pieces) > 1:
        model = max(pieces, key=lambda piece: len(piece.rows)).rows[0]
        users = graph.users()
        alone = {p.first: _without_extras(graph, place, users, p.rows[0], model) for p in pieces
                 if len(p.rows) == 1 and p.rows[0] is not model}  # fmt: skip
        alone = {t: row for t, row in alone.items() if row}
        if alone and _alone(list(alone)):
            steps = steps | alone
            place = {k: (c, t) for t in times for c, k in enumerate(steps[t])}
            pieces = _runs(graph, place, steps)
    cut = [part for piece in pieces for part in _cut(graph, piece)]
    ended: dict[Kind, int] = {}
    for n, piece in enumerate(cut):
        # A step of a kind that ended before the last piece did: the pieces between are to blame.
        m = ended.get(_kind(graph, place, piece.rows[0], piece.first), n)
        if m < n - 1:
            raise FoldError(f"fold: {cut[m + 1].why}")
        last = piece.first + len(piece.rows) - 1
        ended.setdefault(_kind(graph, place, piece.rows[-1], last), n)
    return cut


def _alone(times: Sequence[int]) -> bool:
    """Whether each of some steps stands alone: they do not come one by one, or every so often."""
    gaps = {b - a for a, b in pairwise(times)}
    return 1 not in gaps and (len(gaps) != 1 or len(times) == 2)


def _runs(
    graph: Graph, place: dict[int, tuple[int, int]], steps: dict[int, list[int]]
) -> list[Piece]:
    """Steps as runs of those that do the same, wherever they read from."""
    pieces: list[Piece] = []
    for t in sorted(steps):
        why = _differ(graph, place, steps[t - 1], steps[t], t) if pieces else ""
        if why or not pieces:
            pieces.append(Piece(t, [steps[t]], why and f"steps differ at t = {t}: {why}"))
        else:
            pieces[-1].rows.append(steps[t])
    return pieces


def _without_extras(
    graph: Graph,
    place: dict[int, tuple[int, int]],
    users: Sequence[Sequence[tuple[int, int]]],
    row: list[int],
    model: list[int],
) -> list[int]:
    """The operations of a step that are those of the model; empty if that cannot be.

    What it does besides must be read by no other step and by nothing of the rest, as an output
    that is wanted of this step alone.
    """
    nodes, own = graph.nodes, set(model)
    twin: dict[int, int] = {}
    rest = list(model)
    for k in row:
        if (
            rest
            and same_node(nodes[k], nodes[rest[0]])
            and all(
                twin.get(i, -1) == (j if j in own else -1)
                for i, j in zip(nodes[k].inputs, nodes[rest[0]].inputs, strict=True)
            )
        ):
            twin[k] = rest.pop(0)
    extras = set(row) - set(twin)
    read = any(j in place and j not in extras for k in extras for j, _ in users[k])
    return [] if rest or read else [k for k in row if k in twin]


def _differ(
    graph: Graph, place: dict[int, tuple[int, int]], a: list[int], b: list[int], t: int
) -> str:
    """How two steps differ in what they do, apart from where they read from; empty if alike."""
    nodes = graph.nodes
    for i, j in zip(a, b, strict=False):
        p, q = nodes[i], nodes[j]
        if not same_node(p, q):
            return f"{p.op}{list(p.shape)} became {q.op}{list(q.shape)}"
        for x, y in zip(p.inputs, q.inputs, strict=True):
            one, two = place.get(x), place.get(y)
            here, there = one is not None and one[1] == t - 1, two is not None and two[1] == t
            if here != there or (here and one[0] != two[0]):  # type: ignore[index]  # not None
                return f"an operand of {p.op} is another one of the step"
    return "" if len(a) == len(b) else f"{len(b)} operations instead of {len(a)}"


def _cut(graph: Graph, piece: Piece) -> list[Piece]:
    """A run where every operand comes from one place, or the parts of which that is true."""
    found, left = [], [piece]
    while left:
        piece = left.pop()
        piece.steps = Steps(graph, piece.first, piece.rows)
        cuts = piece.steps.cuts
        if not cuts:
            found.append(piece)
        for a, b in pairwise([0, *sorted(cuts), len(piece.rows)] if cuts else []):
            t = piece.first + a
            why = f"steps differ at t = {t}: {cuts[a]}" if a else piece.why
            left.append(Piece(t, piece.rows[a:b], why))
    return sorted(found, key=lambda piece: piece.first)


def _kind(graph: Graph, place: dict[int, tuple[int, int]], row: list[int], t: int) -> Kind:
    """What a step does, and how many steps before it what it reads was made."""
    found = []
    for k in row:
        node = graph.nodes[k]
        sources = [place.get(i) for i in node.inputs]
        delays = tuple([None if p is None else t - p[1] for p in sources])
        found.append((node.op, node.shape, repr(node.attrs), delays))
    return tuple(found)


def _steady(pieces: Sequence[Piece], least: int) -> list[Steps]:
    """The runs that are loops: not those that only make the start values of the longest."""
    long = [p.steps for p in pieces if p.steps is not None and len(p.rows) >= least]
    if not long:
        return []
    longest = max(long, key=lambda steps: steps.T)
    delays = [source.delay for source in longest.ports.values()]
    before, after = max([0, *delays]), max([0, *(-d for d in delays)])
    return [steps for steps in long if steps is longest
            or (before if steps.first < longest.first else after) < steps.T]  # fmt: skip
