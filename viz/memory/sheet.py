"""The sheet that a block diagram is drawn on: places, colours by stage, numbers on wires."""

from __future__ import annotations

from collections.abc import Mapping

from viz.memory.parts import Memory
from viz.memory.pen import Pen
from viz.memory.plan import Plan
from viz.scene.curve import Point
from viz.scene.label import Run, width, words
from viz.scene.scene import Scene
from viz.scene.style import GREY, INK

THICK, BROAD, PEN = 3.2, 2.4, 1.4
NUMBER = 11.5


class Sheet:
    """What all parts of one diagram share.

    Args:
        cell: what is drawn.
        scene: what is added to.
        numbers: what is written on wires: for each block its value, and for each gate, under
            `z gate`, its net input; for states and inputs under their names.
        stage: only the blocks of this stage are in colour, 0 for all.
    """

    def __init__(self, cell: Memory, scene: Scene, numbers: Mapping[str, str], stage: int) -> None:
        self.cell, self.scene, self.numbers, self.stage = cell, scene, numbers, stage
        longest = max((width(words(text), NUMBER) for text in numbers.values()), default=0.0)
        self.pen, self.plan = Pen(scene), Plan(cell, longest, scene.style.say)
        self.stages = cell.stages()

    def active(self, block: str) -> bool:
        """Whether a block is of the stage that is shown."""
        return self.stage in (0, self.stages[block])

    def ink(self, block: str) -> str:
        """The colour of what comes from a block."""
        return INK if self.active(block) else GREY

    def carry(self, name: str) -> str:
        """The colour of a carried state."""
        names = list(dict.fromkeys(k.name for k in self.cell.view.links if k.delay))
        return self.scene.style.carry(names.index(name), name in self.cell.view.memories)

    def number(self, key: str, at: Point, block: str = "", anchor: str = "start") -> None:
        """A number on a wire, in stages that are reached."""
        if self.numbers.get(key) and (not block or self.active(block)):
            self.pen.text(at, (Run(self.numbers[key]),), NUMBER, anchor, INK)
