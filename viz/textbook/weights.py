"""Weights on edges: the parameters that a value is multiplied by on its way, written beside it.

A label goes to the first place along its edge where it covers no circle, edge or other text.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from minigrad.folded import Folded
from viz.quotients.layers import Layers
from viz.quotients.quotient import Link
from viz.quotients.roles import statics
from viz.scene.curve import Path, Point, flat
from viz.scene.label import Label, symbol, words
from viz.scene.scene import Scene, Text, Wire
from viz.scene.style import INK, MUTED

SIZE = 15.0
Area = tuple[float, float, float, float]


def labels(folded: Folded) -> dict[int, Label]:
    """The symbol of each parameter of a folded graph, by its node.

    >>> import rnn
    >>> from viz.scene.label import plain
    >>> [plain(label) for label in labels(rnn.RNNCell(3, 5, 2).folded()).values()]
    ['W_xh', 'W_hh', 'b_h', 'W_ho', 'b_o']
    """
    nodes = folded.step.nodes
    named = {k: (nodes[k].name or "").rpartition(".") for k in sorted(statics(folded))}
    named = {k: parts for k, parts in named.items() if parts[2]}
    layers = Layers((name, scope) for scope, _, name in named.values())
    return {k: symbol(name, sub=layers.sub(name, scope)) for k, (scope, _, name) in named.items()}


def write(
    scene: Scene, drawn: Iterable[tuple[Wire, Link]], named: Mapping[int, Label], tell: bool = True
) -> None:
    """Put the weights of links beside their wires, and tell below what is short for several."""
    told: dict[Label, dict[Label, None]] = {}
    for wire, link in drawn:
        own = [named[k] for k in link.through if k in named]
        if own and wire.source and wire.target:
            short = _joined(own)
            scene.texts.append(_beside(scene, wire, short))
            if len(own) > 1:
                told.setdefault(short, {}).update(dict.fromkeys(own))
    for short, through in told.items() if tell else ():
        left, low, _, _ = scene.bounds()
        listed = [run for label in through for run in (*words(", "), *label)][1:]
        label = (*short, *words(" stands for "), *listed)
        scene.texts.append(Text(left + 2, low - 12, label, 12, MUTED, "start"))


def _joined(through: Sequence[Label]) -> Label:
    """One symbol; for the weights of several gates what they share, with a dot: `W_h·, ←`."""
    if len(through) == 1:
        return through[0]
    below = ["".join(run.text for run in label[1:]).partition(", ") for label in through]
    letters = zip(*(own for own, _, _ in below), strict=False)
    same = itertools.takewhile(lambda chars: len(set(chars)) == 1, letters)
    shared = "".join(chars[0] for chars in same)
    layers = {layer for _, _, layer in below}
    return symbol(f"{through[0][0].text}_{shared}·", sub=layers.pop() if len(layers) == 1 else "")


def _beside(scene: Scene, wire: Wire, label: Label) -> Text:
    """The label beside its wire, where there is room."""
    boxes: list[Area] = [text.box() for text in scene.texts]
    points = [p for other in scene.wires for p in flat(other.path, 30)]  # closer than letters are
    best, least = None, 1e9
    for text in _candidates(wire.path, label):
        left, low, right, high = text.box()
        near = sum(
            left - 2 < b[2] and b[0] < right + 2 and low - 1 < b[3] and b[1] < high + 1
            for b in boxes
        )
        solid = [s for s in scene.shapes.values() if s.form != "panel"]
        corners = list(itertools.product((left, (left + right) / 2, right), (low, high)))
        near += 2 * sum(s.distance(p) < 1 for s in solid for p in corners)
        near += sum(left - 2 < x < right + 2 and low + 2 < y < high - 2 for x, y in points)
        if near < least:
            best, least = text, near
        if not near:
            break
    assert best is not None
    return best


def _candidates(path: Path, label: Label) -> Iterator[Text]:
    points = flat(path)
    a, b = points[0], points[-1]
    steep = abs(b[1] - a[1]) > abs(b[0] - a[0]) or a == b
    for part in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74):
        x, y = points[round(part * (len(points) - 1))]
        right = Text(x + 7, y, label, SIZE, INK, "start")
        beside = [right, replace(right, x=x - 7, anchor="end")]
        level = [Text(x, y + lift, label, SIZE) for lift in (14.0, -14.0, 20.0, -20.0)]
        corner: list[Point] = [(8, 17), (8, -17), (-8, 17), (-8, -17), (22, 12), (-22, 12)]
        slanted = [
            Text(x + dx, y + dy, label, SIZE, INK, "start" if dx > 0 else "end")
            for dx, dy in corner
        ]
        yield from beside + slanted if steep else level + slanted
