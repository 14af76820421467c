"""Marked nodes: a heavy double border, and below the picture what there is to say about them.

Reports of what went wrong draw the whole graph with the node at fault marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.graph import Node
from viz.quotients.quotient import Quotient
from viz.scene.label import plain, words
from viz.scene.scene import Scene, Text
from viz.scene.style import MARK

Marked = Mapping[Any, str] | Iterable[int | Tensor]
"""Nodes by number, or tensors; a mapping says something about each."""


def numbered(marked: Marked, nodes: Sequence[Node], serials: Mapping[int, int]) -> dict[int, str]:
    """What is said about each marked node, by its number.

    Args:
        marked: as given by a caller.
        nodes: of what is drawn.
        serials: the number of the node of each tensor, by the tensor's serial number.

    Raises:
        ValueError: a node or tensor that is not in the graph.
    """
    try:
        notes = dict(marked) if isinstance(marked, Mapping) else dict.fromkeys(marked, "")
    except TypeError:
        raise TypeError(
            "draw: marked must be node numbers or tensors in a list, or a mapping from them to "
            f"what is to be said, got {marked!r:.60}"
        ) from None
    found = {}
    for given, note in notes.items():
        k = serials.get(given.serial, -1) if isinstance(given, Tensor) else given
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise TypeError(f"draw: marked has {given!r:.60}, which is no node number or tensor")
        if not 0 <= k < len(nodes):
            what = f"the tensor {given.name or given.serial}" if isinstance(given, Tensor) else k
            raise ValueError(
                f"draw: marked has {what}, which is not in the graph; "
                f"it has the nodes 0 to {len(nodes) - 1}, in the order of its text"
            )
        found[int(k)] = note
    return found


def point_out(
    scene: Scene, view: Quotient, nodes: Sequence[Node], notes: Mapping[int, str]
) -> None:
    """Mark nodes of a finished scene; one without a box of its own marks the boxes that read it.

    Raises:
        ValueError: a node that is in no box, such as one of many merged into an edge.
    """
    told: list[str] = []
    for k, note in notes.items():
        readers = (j for j, node in enumerate(nodes) if k in node.inputs)
        blocks = {view.of[j] for j in ((k,) if k in view.of else readers) if j in view.of}
        shapes = [s for s in scene.shapes.values() if s.block in blocks]
        if not shapes:
            raise ValueError(
                f"draw: marked has node {k} ({nodes[k].op}), which has no box in this picture; "
                "level='op' has a box for every operation, steps= says which steps have a column"
            )
        for s in shapes:
            scene.shapes[s.id] = replace(s, is_marked=True)
        node = nodes[k]
        label = (
            f"{plain(view[view.of[k]].label)}, " if k in view.of else f"{node.name or node.op}, "
        )
        when = "" if node.t is None else f" at t = {node.t}"
        told.append(f"{label}node {k}{when}{': ' if note else ''}{note}")
    if not told:
        return
    left, bottom, _, _ = scene.bounds()
    for n, line in enumerate(told):
        text = Text(left, bottom - 18 - 17 * n, words(line, 120), 12.5, MARK, "start", bold=True)
        scene.texts.append(text)
    scene.description += f" Marked: {'; '.join(told)}."
