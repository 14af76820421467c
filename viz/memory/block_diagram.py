"""The block diagram of a memory cell: a straight line, gates below it, one bus that feeds them.

`plan` says where things stand. Peepholes leave the line where they are read; given numbers are
written on the wires that carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from viz.memory.memory import Memory
from viz.memory.pen import Pen
from viz.memory.plan import BUS, Plan
from viz.quotients.quotient import Link
from viz.scene.curve import Point, elbow, line
from viz.scene.label import Label, Run, named_part, symbol, timed, width, words
from viz.scene.scene import Scene, Shape
from viz.scene.style import GREY, INK, MUTED, PALE, Style

GATE = (46.0, 32.0)
DOT = 26.0  # diameter of × and +
THICK, PEN = 3.2, 1.4


@dataclass
class BlockDiagram:
    """The diagram of one memory cell, put into a scene.

    Args:
        cell: what is drawn.
        scene: what is added to.
        numbers: what is written on wires: for each block its value, and for each gate, under
            `z gate`, its net input; for states and inputs under their names.
        stage: only the blocks of this stage are in colour, 0 for all.
    """

    cell: Memory
    scene: Scene
    numbers: Mapping[str, str] = field(default_factory=dict)
    stage: int = 0

    def __post_init__(self) -> None:
        self.pen = Pen(self.scene)
        self.stages = self.cell.stages()
        self.shapes: dict[str, Shape] = {}
        longest = max((width(words(text), 11.5) for text in self.numbers.values()), default=0.0)
        plan = Plan(self.cell, longest)
        self.x, self.y, self.line = plan.x, plan.y, plan.line
        self.tap, self.exit, self.right = plan.tap, plan.exit, plan.right

    def draw(self) -> None:
        """Frame, boxes, line, bus and everything between them."""
        low, high = BUS - 40, self.line + 44
        middle, half = (self.right + 6) / 2, (low + high) / 2
        frame = Shape("_cell", middle, half, self.right - 6, high - low, "panel", "panel")
        self.scene.add(frame)
        self._boxes()
        self._line()
        self._bus()
        self._rising()
        self._shown()
        self._peepholes()

    def _boxes(self) -> None:
        for block in self.cell.view.blocks:
            if block.id not in self.x:
                continue
            x, y = self.x[block.id], self.y[block.id]
            first = words(block.label[0].text)
            active = self._active(block.id)
            if block.id in self.cell.gates:
                w, h, form, kind = *GATE, "box", block.kind
            elif len(block.label[0].text) == 1:
                w, h, form, kind = DOT, DOT, "circle", "cell"
            else:
                wide = max(GATE[0], width(first, 15.0) + 12)
                w, h, form, kind = wide, GATE[1], "box", "op"
            title = f"{first[0].text} {''.join(run.text for run in self._name(block.id))}".strip()
            role = self.cell.roles.get(block.id, "")
            title = f"{title} {role}".strip()
            shape = Shape(block.id, x, y, w, h, form, kind, (first,), 15.0, title, block.id)
            shape = shape if active else replace(shape, fill=PALE, line=GREY)
            self.shapes[block.id] = self.scene.add(shape)
            if block.id not in self.cell.gates:
                continue
            beside = timed(self._name(block.id), "t")
            self.pen.text((x - 7, y + GATE[1] / 2 + 17), beside, 16, "end", INK if active else GREY)
            if role:
                self.pen.text((x, BUS - 18), words(role), 11.5, colour=MUTED if active else GREY)

    def _line(self) -> None:
        """The carried state, straight from the left border to the right one."""
        cell, y = self.cell, self.line
        label = symbol(cell.state.rpartition(".")[2])
        before = f"t−{cell.back.delay}"
        self.pen.text((-41, y), timed(label, before), 18, "end", self._carry(cell.state))
        if cell.shows:
            self._told(y, "cell state:", "long-term memory")
        self._number(f"old {cell.state}", (-41, y + 19), anchor="end")
        is_made = self.stage in (0, *range(self.stages[cell.line[-1]], 99))
        colour = self._carry(cell.state) if is_made else GREY
        self.pen.text((self.right + 43, y), timed(label, "t"), 18, "start", colour)
        points = [(-34.0, "")] + [(self.x[b], b) for b in cell.line] + [(self.right + 36, "")]
        for n, ((a, source), (b, target)) in enumerate(pairwise(points)):
            start = a + (self.shapes[source].w / 2 if source else 0)
            stop = b - (self.shapes[target].w / 2 if target else 0)
            stage = self.stages[target] if target else self.stages[source]
            head = 0.9 if target or n == len(points) - 2 else 0.0
            colour = self._carry(cell.state) if self._on(stage) or not self.stage else GREY
            links = [] if source else [cell.back]
            self.pen.wire(source, target, line((start, y), (stop, y)), colour, THICK, head, links)
            if source and (not self.stage or stage <= self.stage):
                self._number(source, (start + 6, y + 13))

    def _bus(self) -> None:
        """What all gates read: one line below them, from which each takes its copy."""
        read = [k for k in self.cell.view.links if k.target == self.cell.gates[0]]
        inputs = [k.source for k in read if not k.delay and k.source not in self.x]
        states = [k for k in read if k.delay and k.name != self.cell.state]
        far = self.x[self.cell.gates[-1]]
        name = states[0].name if states else ""
        colour = self._carry(name) if name else self.scene.style.look("input").line
        left = -34.0 if states or inputs else 30.0
        self.pen.wire("", "", line((left, BUS), (far, BUS)), colour, 2.4, 0.0)
        if states:
            label = timed(symbol(name.rpartition(".")[2]), f"t−{states[0].delay}")
            self.pen.text((-41, BUS), label, 18, "end", colour)
            if self.cell.shows:
                self._told(BUS, "hidden state:", "short-term memory")
            self._number(f"old {name}", (-41, BUS + 19), anchor="end")
        for n, block in enumerate(inputs):
            tint = self.scene.style.look("input").line
            tint = INK if states and tint == colour else tint
            label = timed(self.cell.view[block].label, "t")
            if not states and not n:
                self.pen.text((-41, BUS), label, 18, "end", tint)
                self._number(block, (-41, BUS + 19), anchor="end")
                continue
            x = 36.0 - 20 * n
            start = (x, BUS - 72)
            self.pen.wire("", "", line(start, (x, BUS - 4)), tint, 2.4)
            dot = Shape(f"_join_{n}", x, BUS, 7, 7, "square", "op", fill=colour, line=colour)
            self.scene.add(dot)
            self.pen.text((x, BUS - 86), label, 18, colour=tint)
            self._number(block, (x + 6, BUS - 58))
        for gate in self.cell.gates:
            x, active = self.x[gate], self._active(gate)
            path = line((x, BUS), (x, self.y[gate] - GATE[1] / 2))
            links = [k for k in self.cell.view.links if k.target == gate and self._is_on_bus(k)]
            self.pen.wire("", gate, path, INK if active else GREY, PEN, links=links)
            self._number(f"z {gate}", (x + 5, BUS + 22), gate)

    def _rising(self) -> None:
        """From gates through products up to the line."""
        for block, feed in zip(self.cell.line, self.cell.feeds, strict=True):
            if not feed:
                continue
            self._up(feed, block)
            for b in self.cell.tree(feed):
                for s in self.cell.sources[b] if b not in self.cell.gates else ():
                    self._up(s, b)

    def _up(self, source: str, target: str) -> None:
        a, b = self.shapes[source], self.shapes[target]
        top = a.y + a.h / 2
        if a.x == b.x:
            path = line((a.x, top), (b.x, b.y - b.h / 2))
        else:
            path = elbow([(a.x, top), (a.x, b.y), (b.x - b.w / 2, b.y)], 14)
        colour = INK if self._active(source) else GREY
        self.pen.wire(source, target, path, colour, PEN)
        self._number(source, (a.x + 5, top + 14), source)

    def _shown(self) -> None:
        """From the line's end down to the shown state, and out of the cell."""
        cell, end = self.cell, self.cell.line[-1]
        if not cell.shows:
            if end in cell.view.outputs:
                x = self.right - 24
                self._leave((x, self.line), self._carry(cell.state), hop=False)
            return
        active = self._active(cell.shows[0])
        colour = INK if active else GREY
        self.pen.branch((self.tap, self.line), self._carry(cell.state))
        above, source = self.line, ""
        for block in cell.shows:
            shape = self.shapes[block]
            path = line((self.tap, above), (self.tap, shape.y + shape.h / 2))
            links = [] if source else [Link(end, block)]
            self.pen.wire(source, block, path, colour, PEN, links=links)
            if source:
                self._number(source, (self.tap + 5, above - 12), source)
            for gate in (s for s in cell.sources[block] if s in cell.gates):
                self._across(gate, block, colour)
            above, source = shape.y - shape.h / 2, block
        states = [k.name for k in cell.view.links if k.delay and k.source == source]
        tint = self._carry(states[0]) if states else self.scene.style.look("output").line
        tint = tint if active else GREY
        label = timed(self._name(source), "t")
        x, out = self.exit, self.right + 36
        path = elbow([(self.tap, above), (self.tap, BUS), (out, BUS)], 12)
        self.pen.wire(source, "", path, tint, 2.4)
        self.pen.text((self.right + 43, BUS), label, 18, "start", tint)
        self._number(source, (self.right + 43, BUS + 19), source)
        if source in cell.view.outputs:
            self.pen.branch((x, BUS), tint)
            self._leave((x, BUS), tint, hop=True)
            self.pen.text((x, self.line + 96), label, 18, colour=tint)

    def _across(self, gate: str, block: str, colour: str) -> None:
        """From a gate to an operation at its right."""
        a, b = self.shapes[gate], self.shapes[block]
        side = (b.x - b.w / 2, b.y)
        if a.y == b.y:
            path = line((a.x + a.w / 2, a.y), side)
        else:
            path = elbow([(a.x, a.y + a.h / 2), (a.x, b.y), side], 14)
        self.pen.wire(gate, block, path, colour, PEN)
        self._number(gate, (a.x + a.w / 2 + 3, a.y + 11), gate)

    def _leave(self, start: Point, colour: str, hop: bool) -> None:
        """Up and out of the cell, with a hop over the line that is crossed."""
        x, _ = start
        top, r = self.line + 82, 8.0
        if not hop:
            self.pen.wire("", "", line(start, (x, top)), colour, 2.4)
            return
        low, high = (x, self.line - r), (x, self.line + r)
        arc = (low, (x + r * 1.33, low[1]), (x + r * 1.33, high[1]), high)
        path = (*line(start, low), *arc[1:], *line(high, (x, top))[1:])
        self.pen.wire("", "", path, colour, 2.4)

    def _peepholes(self) -> None:
        """Gates that see the line: its start by way of a second bus, its end from above."""
        cell, colour = self.cell, self._carry(self.cell.state)
        old, new = [], []
        for k in cell.view.links:
            if k.target in cell.gates and k.name == cell.state:
                old.append(k)
            elif k.target in cell.gates and k.source == cell.line[-1]:
                new.append(k)
        level = BUS + 30
        for k in old:
            x, bottom = self.x[k.target] - 12, self.y[k.target] - GATE[1] / 2
            path = elbow([(20, self.line), (20, level), (x, level), (x, bottom)], 6)
            self.pen.wire("", k.target, path, colour, PEN, links=[k])
        if old:
            self.pen.branch((20, self.line), colour)
        for k in new:
            x = self.x[k.target]
            path = line((x, self.line), (x, self.y[k.target] + GATE[1] / 2))
            self.pen.wire("", k.target, path, colour, PEN, links=[k])
            self.pen.branch((x, self.line), colour)

    # --- small things ---------------------------------------------------------------------------

    def _is_on_bus(self, link: Link) -> bool:
        """Whether a link comes from outside of the cell, other than on the line."""
        return link.name != self.cell.state and (bool(link.delay) or link.source not in self.x)

    def _active(self, block: str) -> bool:
        return self._on(self.stages[block])

    def _on(self, stage: int) -> bool:
        return self.stage in (0, stage)

    def _carry(self, name: str) -> str:
        names = list(dict.fromkeys(k.name for k in self.cell.view.links if k.delay))
        return self.scene.style.carry(names.index(name), name == self.cell.state)

    def _name(self, block: str) -> Label:
        """The mathematical name of a block, without its operation."""
        return named_part(self.cell.view[block].label)

    def _number(self, key: str, at: Point, block: str = "", anchor: str = "start") -> None:
        """A number beside a wire, or outside of the cell beside a name; in stages reached."""
        if self.numbers.get(key) and (not block or self._active(block)):
            self.pen.text(at, (Run(self.numbers[key]),), 11.5, anchor, INK)

    def _told(self, y: float, *lines: str) -> None:
        """What a state is for, below its name."""
        for n, told in enumerate(lines):
            self.pen.text((-41, y - 19 - 13 * n), words(told), 11, "end", MUTED)


def block_diagram(
    cell: Memory, style: Style, numbers: Mapping[str, str] | None = None, stage: int = 0
) -> Scene:
    """The block diagram of a memory cell as a scene of its own."""
    count = f"{len(cell.gates)} gates"
    scene = Scene("memory cell", style=style)
    scene.description = (
        f"A straight line carries {cell.state} through {len(cell.line)} operations; {count} read "
        "the input and the states before, and feed it."
    )
    BlockDiagram(cell, scene, numbers or {}, stage).draw()
    return scene


__all__ = ["BlockDiagram", "block_diagram"]
