"""What comes into a gated cell from outside: one bus below the gates, and what goes beside it.

Gates that read the input alone take it from a line below the bus; what reads the state before
alone takes it from a line above the gates; peepholes leave the straight line where they are read.
"""

from __future__ import annotations

from viz.memory.parts import BUS as FROM_BUS
from viz.memory.parts import INPUT, PAST
from viz.memory.pen import hopping
from viz.memory.plan import BUS, DOWN, GATE, JOIN, LETTERS, OUT, STATES
from viz.memory.sheet import BROAD, PEN, Sheet
from viz.quotients.quotient import Link
from viz.scene.curve import elbow, join, line
from viz.scene.label import symbol, timed, words
from viz.scene.scene import Shape
from viz.scene.style import GREY, INK, MUTED


class Inlets:
    """The wires that bring a cell what its gates read, drawn on a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.cell, self.plan, self.pen = sheet, sheet.cell, sheet.plan, sheet.pen
        on_bus = [k for b in self.plan.x for k in self._carried(b)]
        self.inputs = list(dict.fromkeys(k.source for k in on_bus if not k.delay))
        self.before = next((k for k in on_bus if k.delay), None)
        look = sheet.scene.style.look("input").line
        states = [k.name for k in (self.before, self.cell.back) if k]
        self.tint = INK if look in map(sheet.carry, states) else look
        self.colour = sheet.carry(self.before.name) if self.before else self.tint

    def draw(self) -> None:
        """The bus and all that goes beside it."""
        self._state()
        self._inputs()
        self._taps()
        self._input_alone()
        self._past()
        self._peepholes()

    def _state(self) -> None:
        """The bus, and the state before that is on it."""
        bus = [g for g in self.cell.gates if self.cell.reads[g] == FROM_BUS]
        far, k, colour = self.plan.x[bus[-1]], self.before, self.colour
        if k and self.cell.is_one:
            path = elbow([(DOWN, self.plan.line), (DOWN, BUS), (far, BUS)], 12)
            self.pen.wire("", "", path, colour, BROAD, 0.0)
            self.pen.branch((DOWN, self.plan.line), colour)
            return
        self.pen.wire("", "", line((6 - OUT, BUS), (far, BUS)), colour, BROAD, 0.0)
        if k:
            label = timed(symbol(k.name.rpartition(".")[2]), f"t−{k.delay}")
            self.pen.text((-1 - OUT, BUS), label, 18, "end", colour)
            if self.plan.two:
                at = (self.plan.right - 10, self.plan.low + 19)
                self.pen.text(at, words(STATES[1]), LETTERS, "end", MUTED)
            self.sheet.number(f"old {k.name}", (-1 - OUT, BUS + 19), anchor="end")

    def _inputs(self) -> None:
        """The first input is the bus where no state is, all others join it from below."""
        low = self.plan.low - 24
        for n, block in enumerate(self.inputs):
            label = timed(self.cell.view[block].label, "t")
            if not self.before and not n:
                self.pen.text((-1 - OUT, BUS), label, 18, "end", self.tint)
                self.sheet.number(block, (-1 - OUT, BUS + 19), anchor="end")
                continue
            x = JOIN - 20 * n
            self.pen.wire("", "", line((x, low), (x, BUS - 4)), self.tint, BROAD)
            dot = Shape(f"_join_{n}", x, BUS, 7, 7, "square", "op", fill=self.colour,
                        line=self.colour)  # fmt: skip
            self.sheet.scene.add(dot)
            self.pen.text((x, low - 14), label, 18, colour=self.tint)
            self.sheet.number(block, (x + 6, low + 10))

    def _taps(self) -> None:
        """A copy of the bus for each gate that reads all of it."""
        for gate in self.cell.gates:
            x, top = self.plan.x[gate], self.plan.y[gate] - GATE[1] / 2
            if self.cell.reads[gate] == FROM_BUS:
                path = line((x, BUS), (x, top))
                self.pen.wire("", gate, path, self.sheet.ink(gate), PEN, links=self._carried(gate))
            self.sheet.number(f"z {gate}", (x + 5, BUS + 22), gate)
            role = self.cell.roles.get(gate, "")
            if role:
                aside = self.cell.reads[gate] == INPUT
                at = (x + (7 if aside else 0), BUS - 18)
                colour = MUTED if self.sheet.active(gate) else GREY
                self.pen.text(at, words(role), LETTERS, "start" if aside else "middle", colour)

    def _input_alone(self) -> None:
        """The line below the bus, for gates that read the input alone."""
        alone, y = self.plan.aside, self.plan.lane
        far = max((self.plan.x[g] for g in self.cell.gates if g not in alone), default=0.0)
        for gate in alone:
            x, top = self.plan.x[gate], self.plan.y[gate] - GATE[1] / 2
            over = [(x, BUS)] if x < far else []
            below = (x, BUS - 12)
            path = join(elbow([(JOIN, y), (x, y), below], 12), hopping(below, (x, top), over))
            colour, links = self.sheet.ink(gate), self._carried(gate)
            self.pen.wire("", gate, path, colour, PEN, links=links)
        if alone:
            self.pen.branch((JOIN, y), self.tint)

    def _past(self) -> None:
        """The line above the gates, for what reads the state before alone."""
        past = [b for b, what in self.cell.reads.items() if what == PAST]
        for block in past:
            y = self.plan.y[block]
            end = (self.plan.x[block] - self.plan.size[block][0] / 2, y)
            path = hopping((DOWN, y), end, self.sheet.plan.trunks(DOWN, end[0], y))
            if not self.cell.is_one:
                path = join(line((DOWN, BUS), (DOWN, y)), path)
                self.pen.branch((DOWN, BUS), self.colour)
            else:
                self.pen.branch((DOWN, y), self.colour)
            colour = self.colour if self.sheet.active(block) else GREY
            self.pen.wire("", block, path, colour, PEN, links=self._carried(block))

    def _carried(self, block: str) -> list[Link]:
        return [k for k in self.cell.view.links if k.target == block and self.cell.on_bus(k)]

    def _peepholes(self) -> None:
        """Gates that see the line: its start by way of a second bus, its end from above."""
        cell, colour, top = self.cell, self.sheet.carry(self.cell.state), self.plan.line
        old, new = [], []
        for k in cell.view.links:
            if k.target in cell.gates and k.name == cell.state and not cell.is_one:
                old.append(k)
            elif k.target in cell.gates and k.source == cell.line[-1] and not k.delay:
                new.append(k)
        level = BUS + 30
        for k in old:
            x, bottom = self.plan.x[k.target] - 12, self.plan.y[k.target] - GATE[1] / 2
            start, stop = (DOWN + 12, level), (x - 6, level)
            taps = [(self.plan.x[g], level) for g in cell.gates if self.plan.x[g] < x]
            path = join(
                elbow([(DOWN, top), (DOWN, level), start], 6), hopping(start, stop, taps, 5),
                elbow([stop, (x, level), (x, bottom)], 6),
            )  # fmt: skip
            self.pen.wire("", k.target, path, colour, PEN, links=[k])
        if old:
            self.pen.branch((DOWN, top), colour)
        for k in new:
            x = self.plan.x[k.target]
            path = line((x, top), (x, self.plan.y[k.target] + GATE[1] / 2))
            self.pen.wire("", k.target, path, colour, PEN, links=[k])
            self.pen.branch((x, top), colour)
