"""Bands: the layers of a step from the bottom up, where each recurs by itself.

What recurs together is one band, as is what reads each other in a circle: bands are the strongly
connected components of the layers, so between bands values only go up, within a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from minigrad.graph import Node
from viz.quotients.quotient import Quotient, runnable
from viz.scene.label import scoped


@dataclass(frozen=True)
class Band:
    """Blocks of one layer.

    Attributes:
        blocks: their names, those that all steps share among them.
        title: lines that say which layer it is; none for what belongs to no single one.
    """

    blocks: frozenset[str]
    title: tuple[str, ...] = ()


def bands(view: Quotient, nodes: Sequence[Node]) -> list[Band]:
    """The layers of a step, the lowest first; a network of which one layer recurs is one band.

    >>> import rnn
    >>> from viz.quotients.operations import operations
    >>> step = rnn.Bidirectional(rnn.GRUCell(3, 5)).folded()
    >>> [band.title for band in bands(operations(step), step.step.nodes)]
    [(), ('forward',), ('backward',), ()]
    """
    scopes = _scopes(view, nodes)
    into: dict[str, set[str]] = {scope: set() for scope in scopes.values()}
    for k in view.links:
        a, b = scopes[k.source], scopes[k.target]
        into[b].add(a)
        if k.delay or k.source in view.shared:
            into[a].add(b)
    below = {s: _reached(into, s) for s in into}
    first = {s: next(t for t in into if t == s or (t in below[s] and s in below[t])) for s in into}
    recur = {first[scopes[k.source]] for k in view.links if k.delay}
    if len(recur) < 2:
        return [Band(frozenset(scopes))]
    edges = [(first[a], first[b]) for b in into for a in into[b] if first[a] != first[b]]
    order = runnable(list(dict.fromkeys(first.values())), edges)
    paths = {m: _common([_path(s) for s in into if first[s] == m]) for m in order}
    shared = len(_common([paths[m] for m in recur]))
    found = []
    for m in order:
        blocks = frozenset(name for name, scope in scopes.items() if first[scope] == m)
        is_layer = all(n == m or paths[n][: len(paths[m])] != paths[m] for n in order)
        found.append(Band(blocks, _told(paths[m][shared:]) if is_layer else ()))
    return found


def _scopes(view: Quotient, nodes: Sequence[Node]) -> dict[str, str]:
    """The scope of each block, with a number for each time that it is come back to.

    What is given belongs to its readers if they are of one scope. Sums that an adjoint makes
    between operations have no scope: the value that they carry has.
    """
    found = {b.id: nodes[b.nodes[-1]].scope for b in view.blocks}
    recur: dict[str, set[str]] = {}
    for k in view.links:
        for end in (k.source, k.target) if k.delay else ():
            recur.setdefault(end, set()).add(scoped(k.name)[0])
    found |= {b: min(scopes) for b, scopes in recur.items() if len(scopes) == 1 and not found[b]}
    kept = {found[b] for b in recur}
    into: dict[str, list[str]] = {name: [] for name in found}
    for a, b in view.inside():
        into[b].append(a)
    depth: dict[str, int] = {}
    for name in found:  # each comes after all that it reads
        depth[name] = max((depth[a] + (found[a] != found[name]) for a in into[name]), default=0)
    made = {b: s if s in kept else f"{s}/{depth[b]}" for b, s in found.items()}
    for block in view.blocks:
        if not nodes[block.nodes[-1]].inputs:
            readers = {made[k.target] for k in view.links if k.source == block.id}
            made[block.id] = readers.pop() if len(readers) == 1 else f"/{block.id}"
    return made


def _path(scope: str) -> list[str]:
    return scope.partition("/")[0].split(".")


def _common(paths: Sequence[Sequence[str]]) -> list[str]:
    """What several paths begin with."""
    upright = zip(*paths, strict=False)
    return [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, upright)]


def _reached(into: dict[str, set[str]], start: str) -> set[str]:
    """All that a scope reads, at whatever distance."""
    found, stack = set[str](), [start]
    while stack:
        new = into[stack.pop()] - found
        found |= new
        stack += new
    return found


def _told(parts: Sequence[str]) -> tuple[str, ...]:
    """A scope in words.

    >>> _told(["layer1", "layer2", "forward"]), _told(["layer1"])
    (('layer 1.2', 'forward'), ('layer 1',))
    """
    numbers = [p.removeprefix("layer") for p in parts if p[:5] == "layer" and p[5:].isdigit()]
    others = [p for p in parts if p and p.removeprefix("layer") not in numbers]
    return (*([f"layer {'.'.join(numbers)}"] if numbers else []), *others)
