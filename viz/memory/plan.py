"""Where the parts of a memory cell stand in its block diagram.

Every gate has a column, in the order in which the line takes them; an operation stands over its
last operand, on a level above both. What is shown goes down a column of its own, from the line's
end to the height of the gates.
"""

from __future__ import annotations

from viz.memory.memory import Memory

BUS, GATES, LEVEL = 44.0, 112.0, 70.0  # heights of the bus and the gates, from level to level
COLUMN = 88.0


class Plan:
    """Places of the blocks of a memory cell.

    Attributes:
        x, y: the middle of each block.
        line: the height of the straight line.
        tap: where what is shown leaves the line.
        exit: where what is shown goes up and out.
        right: the right border of the cell.

    Args:
        cell: what is drawn.
        longest: the width of the longest number on a wire.

    >>> import rnn
    >>> from viz.memory.memory import memory
    >>> plan = Plan(memory(rnn.LSTMCell(3, 5).folded()))
    >>> plan.x["f"], plan.x["o"] - plan.x["f"], plan.y["C__2"] == plan.line
    (78.0, 264.0, True)
    """

    def __init__(self, cell: Memory, longest: float = 0.0) -> None:
        self.cell, self.longest = cell, longest
        self.column = max(COLUMN, longest + 60)
        self.x: dict[str, float] = {}
        self.y: dict[str, float] = {}
        self._columns()
        self._heights()

    def _columns(self) -> None:
        cell, x = self.cell, 78.0
        for block, feed in zip(cell.line, cell.feeds, strict=True):
            tree = cell.tree(feed) if feed else []
            for gate in (b for b in tree if b in cell.gates):
                self.x[gate] = x
                x += self.column
            for inner in tree:
                if inner not in cell.gates:  # over its last operand
                    self.x[inner] = max(self.x[s] for s in cell.sources[inner] if s in self.x)
            self.x[block] = self.x[feed] if feed else x
            x += 0.0 if feed else self.column
        for gate in cell.gates:
            if gate not in self.x:
                self.x[gate] = x
                x += self.column
        self.tap = x
        for block in cell.shows:
            self.x[block] = self.tap
        self.exit = self.tap + max(44.0, self.longest + 14)
        self.right = self.exit + 40.0 if cell.shows else self.tap + 20

    def _heights(self) -> None:
        cell = self.cell
        high = 0
        for feed in filter(None, cell.feeds):
            level: dict[str, int] = {}
            for b in cell.tree(feed):
                operands = [level[s] + 1 for s in cell.sources[b] if s in level]
                level[b] = max(operands, default=0)
                self.y[b] = GATES + LEVEL * level[b]
            high = max(high, *level.values())
        self.line = GATES + LEVEL * (high + 1)
        if cell.shows and len(cell.shows) > high + 2:
            self.line = GATES + LEVEL * (len(cell.shows) - 1)
        self.y |= dict.fromkeys(cell.line, self.line)
        self.y |= dict.fromkeys((g for g in cell.gates if g not in self.y), GATES)
        count = len(cell.shows)
        for n, block in enumerate(cell.shows, 1):
            self.y[block] = self.line - (self.line - GATES) * n / count
