"""The block diagram of a gated cell: a straight line, gates below it, one bus that feeds them.

`plan` says where things stand, `inlets` draws what gates read; given numbers are written on the
wires that carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from viz.memory.inlets import Inlets
from viz.memory.parts import Memory
from viz.memory.pen import hopping
from viz.memory.plan import BUS, GATE, LETTERS, OUT, STATES
from viz.memory.sheet import BROAD, PEN, THICK, Sheet
from viz.quotients.quotient import Link
from viz.scene.curve import Point, elbow, join, line
from viz.scene.label import Label, fit, symbol, timed, words
from viz.scene.scene import Scene, Shape
from viz.scene.style import GREY, INK, MUTED, PALE, Style


def block_diagram(
    cell: Memory, style: Style, numbers: Mapping[str, str] | None = None, stage: int = 0
) -> Scene:
    """The block diagram of a gated cell as a scene of its own.

    Args:
        cell: what is drawn.
        style: of the scene.
        numbers: what is written on wires: for each block its value, and for each gate, under
            `z gate`, its net input; for states and inputs under their names.
        stage: only the blocks of this stage are in colour, 0 for all.
    """
    count = f"{len(cell.gates)} gates"
    scene = Scene("block diagram", style=style)
    scene.description = (
        f"A straight line carries {cell.state} through {len(cell.line)} operations; {count} read "
        "the input and the states before, and feed it."
    )
    BlockDiagram(Sheet(cell, scene, numbers or {}, stage)).draw()
    return scene


class BlockDiagram:
    """The diagram of one gated cell, on a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.cell, self.plan, self.pen = sheet, sheet.cell, sheet.plan, sheet.pen
        self.shapes: dict[str, Shape] = {}

    def draw(self) -> None:
        """Frame, boxes, line, bus and everything between them."""
        right = self.plan.right
        low, high = self.plan.low, self.plan.line + 44
        middle, half = (right + 6) / 2, (low + high) / 2
        frame = Shape("_cell", middle, half, right - 6, high - low, "panel", "panel")
        self.sheet.scene.add(frame)
        self._boxes()
        self._line()
        Inlets(self.sheet).draw()
        self._reset()
        self._rising()
        self._shown()

    def _boxes(self) -> None:
        is_memory = self.cell.state in self.cell.view.memories
        for block in self.cell.view.blocks:
            if block.id not in self.plan.x:
                continue
            x, y = self.plan.x[block.id], self.plan.y[block.id]
            w, h = self.plan.size[block.id]
            what, name = self.cell.sign(block.id), self.cell.name(block.id)
            is_gate = block.id in self.cell.gates
            form, kind = ("circle", "cell" if is_memory else "hidden") if w == h else ("box", "op")
            kind = block.kind if is_gate else kind
            role = self.cell.roles.get(block.id, "")
            told = ("".join(run.text for run in label) for label in (what, name))
            title = " ".join(filter(None, (*told, role)))
            size = fit(what, LETTERS, w - 8)
            shape = Shape(block.id, x, y, w, h, form, kind, (what,), size, title, block.id)
            active = self.sheet.active(block.id)
            shape = shape if active else replace(shape, fill=PALE, line=GREY)
            self.shapes[block.id] = self.sheet.scene.add(shape)
            if is_gate:
                at = (x - 7, y + GATE[1] / 2 + 17)
                self.pen.text(at, timed(name, "t"), LETTERS, "end", self.sheet.ink(block.id))
                if not set(self.cell.readers[block.id]) & set(self.cell.shows):
                    self.sheet.number(block.id, (x + 5, y + h / 2 + 14), block.id)

    def _line(self) -> None:
        """The carried state, straight from the left border to the right one."""
        cell, y, sheet, right = self.cell, self.plan.line, self.sheet, self.plan.right
        label, carry = symbol(cell.state.rpartition(".")[2]), sheet.carry(cell.state)
        before = f"t−{cell.back.delay}"
        self.pen.text((-1 - OUT, y), timed(label, before), 18, "end", carry)
        if cell.shows:
            told = words(STATES[0])
            self.pen.text((16, y + 31), told, LETTERS, "start", MUTED)
        sheet.number(f"old {cell.state}", (-1 - OUT, y + 19), anchor="end")
        is_made = sheet.stage in (0, *range(sheet.stages[cell.line[-1]], 99))
        colour = carry if is_made else GREY
        self.pen.text((right + OUT + 5, y), timed(label, "t"), 18, "start", colour)
        points = [(6 - OUT, "")] + [(self.plan.x[b], b) for b in cell.line] + [(right + OUT, "")]
        for n, ((a, source), (b, target)) in enumerate(pairwise(points)):
            start = a + (self.shapes[source].w / 2 if source else 0)
            stop = b - (self.shapes[target].w / 2 if target else 0)
            stage = sheet.stages[target or source]
            head = 0.9 if target or n == len(points) - 2 else 0.0
            colour = carry if sheet.stage in (0, stage) else GREY
            links = [] if source else [cell.back]
            self.pen.wire(source, target, line((start, y), (stop, y)), colour, THICK, head, links)
            if source and (not sheet.stage or stage <= sheet.stage):
                sheet.number(source, (start + 6, y + 13))

    def _reset(self) -> None:
        """What a candidate reads of the past: what a gate lets through."""
        reset, shapes = self.cell.reset, self.shapes
        if reset is None:
            return
        if reset.made:
            self._level(reset.made, reset.product)
        self._level(reset.product, reset.candidate)
        gate, product = shapes[reset.gate], shapes[reset.product]
        top, low = gate.y + gate.h / 2, product.y - product.h / 2
        path = line((gate.x, top), (product.x, low))
        if gate.x != product.x:
            fork = (gate.x, top + 26)
            path = elbow([fork, (product.x, fork[1]), (product.x, low)], 10)
            path = join(line((gate.x, top), fork), path)
            self.pen.branch(fork, self.sheet.ink(reset.gate))
        self.pen.wire(reset.gate, reset.product, path, self.sheet.ink(reset.gate), PEN)

    def _level(self, source: str, target: str) -> None:
        """From a block to one at its right, over all that rises between them."""
        a, b = self.shapes[source], self.shapes[target]
        start, end = (a.x + a.w / 2, a.y), (b.x - b.w / 2, b.y)
        path = hopping(start, end, self.plan.trunks(a.x, b.x, a.y))
        self.pen.wire(source, target, path, self.sheet.ink(source), PEN)
        self.sheet.number(source, (start[0] + 5, a.y + 12), source)

    def _rising(self) -> None:
        """From gates through products up to the line."""
        done = set[str]()
        for block, feed in zip(self.cell.line, self.cell.feeds, strict=True):
            for b in (*(self.cell.tree(feed) if feed else ()), block):
                above = [feed] if b == block else self.cell.sources[b]
                for s in above if b not in self.cell.gates and b not in done else ():
                    if s:
                        self._up(s, b)
                done.add(b)

    def _up(self, source: str, target: str) -> None:
        a, b = self.shapes[source], self.shapes[target]
        top, colour = a.y + a.h / 2, self.sheet.ink(source)
        if a.y == b.y:
            return self._level(source, target)
        if a.x == b.x:
            path = line((a.x, top), (b.x, b.y - b.h / 2))
        else:
            path = elbow([(a.x, top), (a.x, b.y), (b.x - b.w / 2, b.y)], 14)
            if self.cell.over.get(source, target) != target:
                path = join(line((a.x, top), (a.x, b.y)), line((a.x, b.y), (b.x - b.w / 2, b.y)))
                self.pen.branch((a.x, b.y), colour)
        self.pen.wire(source, target, path, colour, PEN)
        if source not in self.cell.gates:
            self.sheet.number(source, (a.x + 5, top + 14), source)

    def _shown(self) -> None:
        """From the line's end down to the shown state, and out of the cell."""
        cell, end, plan, sheet = self.cell, self.cell.line[-1], self.plan, self.sheet
        if not cell.shows:
            if end in cell.view.outputs:
                is_made = sheet.stage in (0, sheet.stages[end])
                colour = sheet.carry(cell.state) if is_made else GREY
                self.pen.branch((plan.exit, plan.line), colour)
                label = timed(symbol(cell.state.rpartition(".")[2]), "t")
                self._leave((plan.exit, plan.line), colour, label)
            return
        active = sheet.active(cell.shows[0])
        colour = INK if active else GREY
        self.pen.branch((plan.tap, plan.line), sheet.carry(cell.state))
        above, source = plan.line, ""
        for block in cell.shows:
            shape = self.shapes[block]
            path = line((plan.tap, above), (plan.tap, shape.y + shape.h / 2))
            links = [] if source else [Link(end, block)]
            self.pen.wire(source, block, path, colour, PEN, links=links)
            if source:
                sheet.number(source, (plan.tap + 5, above - 12), source)
            for gate in (s for s in cell.sources[block] if s in cell.gates):
                self._across(gate, block, colour)
            above, source = shape.y - shape.h / 2, block
        states = [k.name for k in cell.view.links if k.delay and k.source == source]
        tint = sheet.carry(states[0]) if states else sheet.scene.style.look("output").line
        tint = tint if active else GREY
        label = timed(cell.name(source), "t")
        x, out = plan.exit, plan.right + OUT
        path = elbow([(plan.tap, above), (plan.tap, BUS), (out, BUS)], 12)
        self.pen.wire(source, "", path, tint, BROAD)
        self.pen.text((plan.right + OUT + 5, BUS), label, 18, "start", tint)
        sheet.number(source, (plan.right + OUT + 5, BUS + 19), source)
        if source in cell.view.outputs:
            self.pen.branch((x, BUS), tint)
            self._leave((x, BUS), tint, label)

    def _across(self, gate: str, block: str, colour: str) -> None:
        """From a gate to an operation at its right."""
        a, b = self.shapes[gate], self.shapes[block]
        side = (b.x - b.w / 2, b.y)
        if a.y == b.y:
            path = line((a.x + a.w / 2, a.y), side)
        else:
            path = elbow([(a.x, a.y + a.h / 2), (a.x, b.y), side], 14)
        self.pen.wire(gate, block, path, colour, PEN)
        self.sheet.number(gate, (a.x + a.w / 2 + 3, a.y + 11), gate)

    def _leave(self, start: Point, colour: str, label: Label) -> None:
        """Up and out of the cell, with a hop over the line if it is crossed."""
        x, top = start[0], self.plan.line + 44 + OUT + 8
        over = [(x, self.plan.line)] if start[1] < self.plan.line else []
        self.pen.wire("", "", hopping(start, (x, top), over), colour, BROAD)
        self.pen.text((x, top + 14), label, 18, colour=colour)
