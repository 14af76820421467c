"""Where the parts of a gated cell stand in its block diagram.

Gates stand in the order in which the line takes them, a reset gate before; an operation stands over
its last operand, on a level above both, or beside it where something else stands there. What is
shown goes down a column of its own, from the line's end to the height of the gates.
"""

from __future__ import annotations

from collections.abc import Callable

from viz.memory.parts import INPUT, Memory
from viz.scene.label import timed, width, words

BUS, GATES, LEVEL = 44.0, 112.0, 70.0  # heights of the bus and the gates, from level to level
HALF = 0.75  # of a level: over a branch
DOWN, JOIN = 20.0, 38.0  # where the state goes down to the bus, and the input up to it
FIRST, COLUMN = 72.0, 76.0
ASIDE = 44.0  # from a gate to what stands beside it
OUT = 28.0  # from a border of the cell to the end of a wire out there
GATE = (46.0, 32.0)
DOT = 26.0  # diameter of × and +
STATES = ("cell state: long-term memory", "hidden state: short-term memory")
LETTERS = 16.5  # of all texts but numbers: 6 pt where the cell is 8 cm wide


class Plan:
    """Places of the blocks of a gated cell.

    Attributes:
        x, y: the middle of each block.
        size: its width and height.
        line: the height of the straight line.
        lane: the height of what gates read of the input alone, below the bus.
        aside: gates that read the input alone.
        two: whether the bus carries another state than the line.
        low: the lower border of the cell.
        tap: where what is shown leaves the line.
        exit: where what is shown goes up and out.
        right: the right border of the cell.

    Args:
        cell: what is drawn.
        longest: the width of the longest number on a wire.
        say: what is written in place of words.

    >>> import rnn
    >>> from viz.memory.memory import memory
    >>> plan = Plan(memory(rnn.LSTMCell(3, 5).folded()))
    >>> plan.x["f"], plan.x["o"] - plan.x["f"], plan.y["C__2"] == plan.line
    (72.0, 228.0, True)
    >>> plan = Plan(memory(rnn.GRUCell(3, 5).folded()))
    >>> plan.x["add"] < plan.x["r"] == plan.x["multiply"] < plan.x["z"] < plan.x["h"]
    True
    """

    def __init__(self, cell: Memory, longest: float = 0.0, say: Callable[[str], str] = str) -> None:
        self.cell, self.longest, self.say = cell, longest, say
        self.column = max(COLUMN, longest + 60)
        self.size = {b.id: self._size(b.id) for b in cell.view.blocks}
        self.aside = [g for g in cell.gates if cell.reads[g] == INPUT]
        self.lane = BUS - 40
        self.two = bool(cell.shows and cell.carried)
        self.low = BUS - 40 - 22 * (bool(self.aside) + self.two)  # a line, a line of text
        self.x: dict[str, float] = {}
        self.y: dict[str, float] = {}
        self._columns()
        self._heights()

    def _size(self, block: str) -> tuple[float, float]:
        what = self.cell.sign(block)
        if block not in self.cell.gates and len(what) == 1 == len(what[0].text):
            return (DOT, DOT)
        return (max(GATE[0], 1.2 * width(what, LETTERS) + 6), GATE[1])  # TeX sets it wider

    def _columns(self) -> None:
        cell, reset = self.cell, self.cell.reset
        self.next, self.edge = FIRST, DOWN  # of gates, and of boxes
        self.written = JOIN + 2  # below the bus
        if reset:
            if reset.made:  # between the state's way down and what it is multiplied by
                wide = self.size[reset.made][0]
                self.x[reset.made] = DOWN + 20 + wide / 2
                self.next = DOWN + 20 + wide + max(32.0, self.longest + 24)
            self._gate(reset.gate)
            self._over(reset.product)
        for block, feed in zip(cell.line, cell.feeds, strict=True):
            tree = cell.tree(feed) if feed else []
            first = {s for b in tree if self._is_beside(b) for s in (*cell.sources[b], b)}
            for b in sorted(tree, key=lambda b: b not in first):
                if b in cell.gates:
                    self._gate(b)
                else:
                    self._over(b)
            self.x[block] = self.x[feed] if feed else self.next
            self.next += 0.0 if feed else self.column
        for gate in cell.gates:
            self._gate(gate)
        self.tap = self.next
        for block in cell.shows:
            self.x[block] = self.tap
        end = self.tap if cell.shows else max(self.x[g] for g in (*cell.gates, cell.line[-1]))
        above, below = (self._told(text) + 26 for text in STATES)
        self.exit = max(end + max(44.0, self.longest + 30), above if cell.shows else 0)
        self.right = max(self.exit + 30, self.written + 15, JOIN + below if self.two else 0)

    def _told(self, text: str) -> float:
        """The width of a text in the words of the style."""
        return width(words(self.say(text)), LETTERS)

    def _is_beside(self, block: str) -> bool:
        """Whether an operation on one gate stands at the height of what reads it."""
        source, *more = self.cell.sources[block] or [""]
        many = source in self.cell.gates and len(self.cell.readers[source]) > 1
        return many and not more and block not in self.cell.gates

    def _gate(self, gate: str) -> None:
        if gate not in self.x:
            named = width(timed(self.cell.name(gate), "t"), LETTERS) + 15  # left of what rises
            left = max((self.x[g] for g in self.cell.gates if g in self.x), default=DOWN)
            told, half = self._told(self.cell.roles.get(gate, "")), self.size[gate][0] / 2
            before = 4 if gate in self.aside else told / 2  # of its role stands left of its wire
            needs = left + named, self.edge + 14 + half, self.written + 6 + before
            x = self.x[gate] = max(self.next, *needs)
            self.next, self.edge = x + self.column, x + half
            self.written = x + (7 + told if gate in self.aside else told / 2)

    def _over(self, block: str) -> None:
        """Over its last operand, or beside it."""
        last = max((s for s in self.cell.sources[block] if s in self.x), key=self.x.__getitem__)
        if self.cell.over.get(last, block) == block:
            self.x[block] = self.x[last]
            return
        self.x[block] = self.next - self.column + ASIDE
        beside = self.size[block][0] / 2 + GATE[0] / 2
        self.next = self.x[block] + max(beside + 16, beside + self.longest + 12)
        self.edge = self.x[block] + self.size[block][0] / 2

    def _heights(self) -> None:
        cell, level = self.cell, dict.fromkeys(self.cell.gates, 0.0)
        if cell.reset:
            parts = (cell.reset.made, cell.reset.product, cell.reset.candidate)
            level |= dict.fromkeys(filter(None, parts), 1.0)
        fed = [b for feed in cell.feeds if feed for b in cell.tree(feed)]
        beside = list[str]()
        for b in fed:
            if b in level:
                continue
            beside += [b] if self._is_beside(b) else []
            level[b] = max(level[s] for s in cell.sources[b]) + (b not in beside)
        for b in beside:
            others = [level[r] for r in cell.readers[cell.sources[b][0]] if r in level and r != b]
            (reader,) = cell.readers[b]
            level[b] = level.get(reader) or max(others) + HALF
        tops = (level[b] + (HALF if b in beside else 1) for b in fed)
        self.line = GATES + LEVEL * max(tops, default=1.0)
        if cell.shows:
            self.line = max(self.line, GATES + LEVEL * (len(cell.shows) - 1))
        self.y = {b: GATES + LEVEL * n for b, n in level.items()}
        self.y |= dict.fromkeys(cell.line, self.line)
        count = len(cell.shows)
        for n, block in enumerate(cell.shows, 1):
            self.y[block] = self.line - (self.line - GATES) * n / count

    def trunks(self, left: float, right: float, y: float) -> list[tuple[float, float]]:
        """Where a level line crosses what rises from gates to operations above it."""
        return [
            (self.x[g], y)
            for g in self.cell.gates
            if left < self.x[g] < right
            and self.y[g] < y < max((self.y[b] for b in self.cell.readers[g]), default=0.0)
        ]
