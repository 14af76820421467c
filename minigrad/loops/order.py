"""What depends on which loop: the order in which loops and the operations around them run.

A loop runs as one. If a value of it comes back to it by operations that are no part of it, as the
loss of a forward loop comes back to the backward loop of the same steps, it is taken apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.errors import FoldError
from minigrad.graph import Graph
from minigrad.loops.steps import HINT, Steps


class Dependence:
    """Which loops come before what.

    Attributes:
        loop: for a node that is part of a loop, the number of the loop.
        below: for each node that is not, the loops it is made from, as bits; not theirs in turn.
        order: the loops, each after those it depends on, if none is circular.
        circular: a loop that depends on itself by way of what is outside of it; −1 if none does.
    """

    def __init__(self, graph: Graph, loops: Sequence[Steps]) -> None:
        self.loop = {k: j for j, s in enumerate(loops) for row in s.rows for k in row}
        self.below = [0] * len(graph.nodes)
        needs = [0] * len(loops)
        get, below = self.loop.get, self.below
        for k, node in enumerate(graph.nodes):
            own = get(k)
            bits = 0
            for i in node.inputs:
                j = get(i)
                if j is None:
                    bits |= below[i]
                elif j != own:
                    bits |= 1 << j
            if own is None:
                below[k] = bits
            else:
                needs[own] |= bits
        for j in range(len(loops)):
            needs = [n | needs[j] if n >> j & 1 else n for n in needs]
        self.circular = next((j for j, n in enumerate(needs) if n >> j & 1), -1)
        self.order = sorted(range(len(loops)), key=lambda j: (needs[j].bit_count(), j))

    def turn(self, k: int) -> int:
        """After how many loops, in their order, a node that is no part of one can be made."""
        bits = self.below[k]
        return next((n + 1 for n, j in reversed([*enumerate(self.order)]) if bits >> j & 1), 0)


def unravelled(graph: Graph, loops: list[Steps]) -> list[Steps]:
    """Loops of which none depends on itself by way of what is outside of it.

    Raises:
        FoldError: an operation outside of any step stands between one step and the next.
    """
    for _ in range(1 + sum(len(steps.rows[0]) for steps in loops)):
        j = Dependence(graph, loops).circular
        if j < 0:
            return loops
        loops[j : j + 1] = _split(graph, loops[j])
    raise FoldError(
        "fold: loops read each other's values; give their scopes the same steps, or trace more"
    )


def _split(graph: Graph, steps: Steps) -> list[Steps]:
    """The classes of a loop by how often values have left the loop and come back."""
    count = len(steps.rows[0])
    level, outside = [0] * count, [-1] * len(graph.nodes)
    changed = True
    while changed:
        changed = False
        for k, node in enumerate(graph.nodes):
            own = steps.place.get(k)
            for i in node.inputs:
                place = steps.place.get(i)
                if own is None:
                    outside[k] = max(outside[k], level[place[0]] if place else outside[i])
                    continue
                found = level[place[0]] if place else outside[i] + 1
                if found > count:
                    raise FoldError(
                        f"fold: {graph.nodes[i].op} (%{i}) is computed outside of any step but "
                        f"read inside; {HINT}"
                    )
                if found > level[own[0]]:
                    level[own[0]], changed = found, True
    parts = []
    for n in sorted(set(level)):
        rows = [[row[c] for c in range(count) if level[c] == n] for row in steps.rows]
        parts.append(Steps(graph, steps.first, rows))
    return parts
