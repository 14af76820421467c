"""The parts of a gated cell: a straight line, what flows into it, what gates read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from viz.quotients.labels import SEPARATOR
from viz.quotients.quotient import Link, Quotient
from viz.scene.label import Label, named_part

BUS, INPUT, PAST = "bus", "input", "past"
"""What a block reads from outside of the step: all that gates read, or of it one half."""


@dataclass(frozen=True)
class Reset:
    """What of the state before a candidate gets to read.

    Attributes:
        gate: lets through.
        product: where it does so.
        made: what is made of the state before it is multiplied; "" for the state itself.
        candidate: reads the product.
    """

    gate: str
    product: str
    made: str
    candidate: str


@dataclass(frozen=True)
class Memory:
    """A gated cell as a line, what flows into it, and what is read from its end.

    Attributes:
        view: the cell's gates and operations.
        state: the name of the carried state; `back` its delayed link.
        line: the operations on its way, each × or +, in order.
        feeds: for each of them the block whose value it takes from below, "" for a number.
        shows: from the line's end to the shown state, in order; empty if nothing else is shown.
        gates: blocks that read from outside, from left to right.
        reads: for each block that does what it reads: `BUS`, `INPUT` or `PAST`.
        carried: the name of the state on the bus; "" if there is none.
        reset: of a cell that has one.
        roles: what each gate is for: forget, input, candidate, output, update, reset.
    """

    view: Quotient
    ops: dict[str, str]
    back: Link
    line: tuple[str, ...]
    feeds: tuple[str, ...]
    shows: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)
    carried: str = ""
    reset: Reset | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The name of the state on the line."""
        return self.back.name

    @property
    def is_one(self) -> bool:
        """Whether the bus begins on the line: gates read the state that it carries."""
        return self.carried == self.state

    def sign(self, block: str) -> Label:
        """What is written on a block: its operation."""
        label = self.view[block].label
        return label[: label.index(SEPARATOR)] if SEPARATOR in label else label

    def name(self, block: str) -> Label:
        """The mathematical name of a block's value; empty if it has none."""
        found = self.view[block]
        has_name = SEPARATOR in found.label or found.kind == "input"
        return named_part(found.label) if has_name else ()

    @cached_property
    def sources(self) -> dict[str, list[str]]:
        """For each block those it reads within the step, in order."""
        inside = self.view.inside()
        return {block.id: [a for a, b in inside if b == block.id] for block in self.view.blocks}

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """For each block those that read it within the step."""
        inside = self.view.inside()
        return {block.id: [b for a, b in inside if a == block.id] for block in self.view.blocks}

    @cached_property
    def over(self) -> dict[str, str]:
        """For each gate what stands over it: what the line takes, or what alone reads it."""
        found = {}
        for gate in self.gates:
            readers = self.readers[gate]
            fed = [b for b, feed in zip(self.line, self.feeds, strict=True) if feed == gate]
            alone = [b for b in readers if b in self.feeds and self.sources[b] == [gate]]
            above = fed or alone or (readers if len(readers) == 1 else [])
            found[gate] = above[0] if above else ""
        return found

    def on_bus(self, link: Link) -> bool:
        """Whether a link comes from outside of the step, other than from the line."""
        from_line = link.name == self.state and not self.is_one
        return not from_line and (bool(link.delay) or self.view[link.source].kind == "input")

    def tree(self, root: str) -> list[str]:
        """A block and all it is made of down to the gates, operands first, each once."""
        order, stack = list[str](), [root]
        while stack:
            block = stack.pop()
            order.append(block)
            if block not in self.gates:
                inner = [s for s in self.sources[block] if s not in (*self.line, *self.shows)]
                stack += inner
        return list(dict.fromkeys(order[::-1]))

    def stages(self) -> dict[str, int]:
        """For each block its stage: what is read of the past, the line's operations, what shows."""
        found: dict[str, int] = {}
        first = 1
        if self.reset is not None:
            parts = (self.reset.gate, self.reset.made, self.reset.product)
            found, first = dict.fromkeys(filter(None, parts), 1), 2
        for n, (block, feed) in enumerate(zip(self.line, self.feeds, strict=True), first):
            for b in (block, *(self.tree(feed) if feed else ())):
                found.setdefault(b, n)
        for block in self.shows:
            for b in self.tree(block):
                found.setdefault(b, len(self.line) + first)
        return found
