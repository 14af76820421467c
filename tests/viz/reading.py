"""The DOT read back: which blocks and which edges a drawing has, by pygraphviz's parser alone."""

import re
from collections import Counter

import pygraphviz


def read_back(drawing):
    """Blocks with their steps, as a set, and edges `((block, step), (block, step), delay)`.

    Step 0 is that of a folded picture. An edge from or to what is not shown has None at that end;
    arrows that are no edges of a graph, such as one out of a result, are left out.
    """
    graph = pygraphviz.AGraph(string=drawing.source)
    known = {n: (n.attr["block"], step(n, n.attr["block"])) for n in graph.nodes_iter()}
    edges = Counter()
    for edge in graph.edges_iter():
        a, b = (known[n] if known[n][0] else None for n in edge)
        delay = int(edge.attr["delay"] or 0)
        carried = [part.rpartition(":") for part in (edge.attr["carries"] or "").split()]
        if carried:
            edges.update(((name, b[1]), b, int(d)) for name, _, d in carried)
        elif (a and b) or ((a or b) and delay):
            edges[a, b, delay] += 1
    return {found for found in known.values() if found[0]}, edges


def step(name, block):
    """The step in the name of a node, `h_t3` or `h_t3__2`; blocks of tasks have it in theirs."""
    found = re.search(r"_t(\d+)(__\d+)?$", name)
    return int(found[1]) if found and not re.search(r"_t\d+$", block or "") else 0


def folded(view):
    """What a folded picture of a quotient is to give back."""
    nodes = {(block.id, 0) for block in view.blocks}
    return nodes, Counter(((k.source, 0), (k.target, 0), k.delay) for k in view.links)


def unfolded(view, steps):
    """What columns are to give back: each edge whose ends are shown, and half of each other one."""
    own = [block.id for block in view.blocks if block.id not in view.shared]
    nodes = {(name, t) for name in own for t in steps.shown} | {(name, 0) for name in view.shared}
    edges = Counter()
    for t in steps.shown:
        for k in view.links:
            if k.source in view.shared:
                edges[(k.source, 0), (k.target, t), 0] += 1
                continue
            for source in {t, t - k.delay}:
                ends = [(k.source, source), (k.target, source + k.delay)]
                shown = [end if end[1] in steps.shown else None for end in ends]
                if all(shown) and source != t - k.delay:
                    continue  # counted when t is the target
                edges[*shown, k.delay] += 1
    return nodes, edges


def together(*parts):
    """What several pictures in one are to give back."""
    return set().union(*(p[0] for p in parts)), sum((p[1] for p in parts), Counter())


def halves_once(edges):
    """Half edges counted once: a value that several later steps read may leave as one arrow."""
    return Counter({edge: n if edge[0] and edge[1] else 1 for edge, n in edges.items()})
