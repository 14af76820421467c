"""The DOT read back: which blocks and which edges a drawing has, by pygraphviz's parser alone."""

from __future__ import annotations

import re
from collections import Counter

from minigrad.extras import needed
from viz.output.drawing import Drawing
from viz.quotients.quotient import Quotient
from viz.quotients.steps import Steps

End = tuple[str, int]
Edge = tuple[End | None, End | None, int]
Read = tuple[set[End], Counter[Edge]]
"""Blocks with their steps, and edges with their delays; None is an end that is not shown."""


def read_back(drawing: Drawing) -> Read:
    """What the DOT of a drawing says; step 0 is that of a folded picture.

    Arrows that are no edges of a graph, such as one out of a result, are left out.
    """
    pygraphviz = needed("pygraphviz", "render", "reading a picture back from its DOT")
    graph = pygraphviz.AGraph(string=drawing.source)
    known: dict[str, End] = {}
    for node in graph.nodes_iter():
        known[node] = (node.attr["block"] or "", _step(node, node.attr["block"] or ""))
    edges: Counter[Edge] = Counter()
    for edge in graph.edges_iter():
        a, b = (known[n] if known[n][0] else None for n in edge)
        delay = int(edge.attr["delay"] or 0)
        carried = [part.rpartition(":") for part in (edge.attr["carries"] or "").split()]
        if carried and b:
            edges.update(((name, b[1]), b, int(d)) for name, _, d in carried)
        elif (a and b) or ((a or b) and delay):
            edges[a, b, delay] += 1
    return {found for found in known.values() if found[0]}, edges


def _step(name: str, block: str) -> int:
    """The step in the name of a node, `h_t3` or `h_t3__2`; blocks of tasks have it in theirs."""
    found = re.search(r"_t(\d+)(__\d+)?$", name)
    return int(found[1]) if found and not re.search(r"_t\d+$", block) else 0


def folded(view: Quotient) -> Read:
    """What a folded picture of a quotient is to give back."""
    nodes = {(block.id, 0) for block in view.blocks}
    return nodes, Counter(((k.source, 0), (k.target, 0), k.delay) for k in view.links)


def unfolded(view: Quotient, steps: Steps, later: Quotient | None = None) -> Read:
    """What columns are to give back: each edge whose ends are shown, and half of each other one.

    `later` is the quotient of all shown steps but the first, if it is another one.
    """
    views = dict.fromkeys(steps.shown, later or view) | {steps.shown[0]: view}
    nodes = {(b.id, t) for t, v in views.items() for b in v.blocks if b.id not in v.shared}
    nodes |= {(name, 0) for name in view.shared}
    edges: Counter[Edge] = Counter()
    for t, own in views.items():
        for k in own.links:
            if k.source in own.shared:
                edges[(k.source, 0), (k.target, t), 0] += 1
                continue
            for source in {t, t - k.delay}:
                ends = [(k.source, source), (k.target, source + k.delay)]
                a, b = (end if end[1] in steps.shown else None for end in ends)
                if a and b and source != t - k.delay:
                    continue  # counted when t is the target
                edges[a, b, k.delay] += 1
    return nodes, edges


def together(*parts: Read) -> Read:
    """What several pictures in one are to give back."""
    edges: Counter[Edge] = sum((p[1] for p in parts), Counter())
    return set().union(*(p[0] for p in parts)), edges


def same(found: Read, wanted: Read) -> bool:
    """Whether two say the same; a value that several later steps read may leave as one arrow."""
    return found[0] == wanted[0] and _halves_once(found[1]) == _halves_once(wanted[1])


def _halves_once(edges: Counter[Edge]) -> Counter[Edge]:
    return Counter({edge: n if edge[0] and edge[1] else 1 for edge, n in edges.items()})
