"""Where the circles of a textbook figure stand in their column.

A row for each rank; what recurs has rows of its own, and the states of a unit stand one above the
other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from viz.quotients.quotient import Block, Quotient
from viz.scene.label import Label, plain, scoped, symbol
from viz.scene.style import CIRCLE, ROW

FRAME = 22.0  # how much larger the box of a unit is than its circles


@dataclass(frozen=True)
class Spot:
    """Where a circle stands in its column: the block, its state if the block is a unit of many."""

    block: Block
    state: str
    label: Label
    x: float
    y: float


def spots(view: Quotient) -> list[Spot]:
    """A place for each circle: recurrent ones in rows of their own, others of a rank in one row."""
    rank = ranks(view)
    carried = {name for k in view.links if k.delay for name in (k.source, k.target)}
    found: list[Spot] = []
    y = 0.0
    for level in sorted(set(rank.values())):
        row = [b for b in view.blocks if rank[b.id] == level]
        still = [b for b in row if b.id not in carried]
        moving = [b for b in row if b.id in carried]
        for k, block in enumerate(still):
            found.append(Spot(block, "", block.label, _spread(k, still) * 70, y))
        y += ROW if still else 0
        for k, block in enumerate(moving):
            states = sorted(block.states, key=lambda s: s == shown_state(block)) or [""]
            frame = FRAME * 0.65 if block.states else 0.0
            for n, state in enumerate(states):
                x, high = _spread(k, moving) * 66, y + frame + n * (CIRCLE + 24)
                found.append(Spot(block, state, _part(block, state), x, high))
            y = found[-1].y + ROW + frame
    return found


def ranks(view: Quotient) -> dict[str, int]:
    """For each block the length of the longest way to it within a step."""
    rank = {block.id: 0 for block in view.blocks}
    into: dict[str, list[str]] = {block.id: [] for block in view.blocks}
    for source, target in view.inside():
        into[target].append(source)
    for block in view.blocks:
        rank[block.id] = max((rank[s] + 1 for s in into[block.id]), default=0)
    return rank


def shown_state(block: Block) -> str:
    """Of a unit's states the one that others see: the one the block is named after."""
    name = plain(block.label[:1])
    return next((s for s in block.states if scoped(s)[1] == name), (*block.states, "")[0])


def _part(block: Block, state: str) -> Label:
    """The label of a state in a unit: its own name, the subscript of the unit."""
    if not state:
        return block.label
    return (*symbol(scoped(state)[1]), *(run for run in block.label if run.script < 0))


def kind(spot: Spot, memories: Collection[str]) -> str:
    """What the style knows a circle as."""
    return "cell" if spot.state in memories else spot.block.kind


def _spread(k: int, row: Sequence[Block]) -> float:
    return k - (len(row) - 1) / 2
