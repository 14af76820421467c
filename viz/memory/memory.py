"""Memory cells, recognised by what they do: a state whose way to the next step is only × and +.

That way is the straight line of the block diagram. What is multiplied and added is made by gates,
and from the line's end the cell makes what it shows. Nothing is known of names or activations, so
a renamed gate, a peephole or a user's own cell gives its own diagram; a cell that is built
otherwise gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from minigrad.folded import Folded
from viz.quotients.operations import operations
from viz.quotients.quotient import Link, Quotient
from viz.quotients.roles import gates


@dataclass(frozen=True)
class Memory:
    """A gated cell as a line, what flows into it, and what is read from its end.

    Attributes:
        view: the cell's gates and operations.
        state: the name of the carried state; `back` its delayed link.
        line: the operations on its way, each × or +, in order.
        feeds: for each of them the block whose value it takes from below, "" for a number.
        shows: from the line's end to the shown state, in order; empty if nothing else is shown.
        gates: blocks that read the bus, from left to right.
        roles: what each gate is for: forget, input, candidate, output.
    """

    view: Quotient
    ops: dict[str, str]
    back: Link
    line: tuple[str, ...]
    feeds: tuple[str, ...]
    shows: tuple[str, ...]
    gates: tuple[str, ...]
    roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The name of the state on the line."""
        return self.back.name

    @cached_property
    def sources(self) -> dict[str, list[str]]:
        """For each block those it reads within the step, in order."""
        found: dict[str, list[str]] = {block.id: [] for block in self.view.blocks}
        for k in self.view.links:
            if not k.delay:
                found[k.target].append(k.source)
        return found

    def tree(self, root: str) -> list[str]:
        """A block and all it is made of down to the gates, operands first."""
        order, stack = [], [root]
        while stack:
            block = stack.pop()
            order.append(block)
            if block not in self.gates:
                inner = [s for s in self.sources[block] if s not in (*self.line, *self.shows)]
                stack += inner
        return order[::-1]

    def stages(self) -> dict[str, int]:
        """For each block its stage: one for each operation on the line, the last for what shows."""
        found = {}
        for n, (block, feed) in enumerate(zip(self.line, self.feeds, strict=True), 1):
            found.update(dict.fromkeys([block, *(self.tree(feed) if feed else ())], n))
        for block in self.shows:
            found.update(dict.fromkeys(self.tree(block), len(self.line) + 1))
        return found



def memory(folded: Folded) -> Memory | None:
    """The memory cell that a folded graph is, or None if it is built otherwise.

    >>> import rnn
    >>> found = memory(rnn.LSTMCell(3, 5).folded())
    >>> found.state, found.line, found.feeds, found.gates
    ('C', ('multiply', 'C__2'), ('f', 'multiply__2'), ('f', 'i', 'C', 'o'))
    >>> memory(rnn.GRUCell(3, 5).folded()) is None
    True
    """
    view = operations(folded, "gate")
    ops = {b.id: _operation(folded, b.nodes) for b in view.blocks}
    for name in dict.fromkeys(k.name for k in view.links if k.delay > 0):
        found = _along(view, ops, name)
        if found:
            purposes = {view.of[k]: role for k, role in gates(folded).items() if k in view.of}
            return replace(found, roles={b: purposes[b] for b in found.gates if b in purposes})
    return None


def _operation(folded: Folded, members: tuple[int, ...]) -> str:
    """The last operation of a block that does something."""
    nodes = [folded.step.nodes[k] for k in members]
    return next((node for node in reversed(nodes) if not node.is_alias), nodes[-1]).op


def _along(view: Quotient, ops: dict[str, str], name: str) -> Memory | None:
    """The memory cell whose line carries a state, if it is one."""
    into: dict[str, list[Link]] = {block.id: [] for block in view.blocks}
    readers: dict[str, set[str]] = {block.id: set() for block in view.blocks}
    for k in view.links:
        into[k.target].append(k)
        if not k.delay:
            readers[k.source].add(k.target)
    reached: dict[str, Link] = {}  # × and + that only × and + part from the old state
    for block in view.blocks:
        for k in into[block.id]:
            plain = not k.through and ops[block.id] in ("multiply", "add")
            if plain and (k.name == name if k.delay else k.source in reached):
                reached.setdefault(block.id, k)
    ends = [k.source for k in view.links if k.name == name]
    line: list[str] = []
    at = ends[0]
    while at in reached and not reached[at].delay:
        line.insert(0, at)
        at = reached[at].source
    if at not in reached:
        return None
    back = reached[at]
    line.insert(0, at)
    if any(readers[a] != {b} for a, b in pairwise(line)):
        return None
    feeds = []
    for n, name in enumerate(line):
        before = line[n - 1] if n else ""
        given = [k.source for k in into[name] if k.source not in (before, back.source)]
        if len(given) > 1 or len(into[name]) != len(given) + 1:
            return None
        feeds.append(given[0] if given else "")
    return _checked(view, ops, back, line, feeds, into, readers)


def _checked(
    view: Quotient,
    ops: dict[str, str],
    back: Link,
    line: list[str],
    feeds: list[str],
    into: dict[str, list[Link]],
    readers: dict[str, set[str]],
) -> Memory | None:
    """The memory cell, if every block has its place in the diagram."""
    end = line[-1]
    inputs = {b.id for b in view.blocks if b.kind == "input"}
    inner = [b.id for b in view.blocks if b.id not in inputs and b.id not in line]
    gates = [
        b for b in inner
        if any(k.source in inputs or (k.delay and k.name != back.name) for k in into[b])
    ]  # fmt: skip
    buses = {b: frozenset((k.source, k.name) for k in into[b] if k.source != end) for b in gates}
    if not gates or len(set(buses.values())) != 1:
        return None  # they do not read the same bus
    if any(not k.delay and k.source not in {*inputs, end} for b in gates for k in into[b]):
        return None  # a gate reads another
    shows = [b for b in inner if b not in gates and _leads(b, end, into, set(gates))]
    if any(readers[a] != {b} for a, b in pairwise(shows)):
        return None
    last = shows[-1] if shows else end
    other = {k.source for k in view.links if k.delay and k.name != back.name}
    if (
        not other <= {last}
        or not set(view.outputs) <= {last, end}
        or readers.get(last, set()) & {*inner} - set(gates) - set(shows)
    ):
        return None
    if any(k.delay and k.name == back.name and b not in gates for b in inner for k in into[b]):
        return None
    if any(len(readers[b]) != 1 for b in inner if b != last or b in gates):
        return None
    beside = [k.source for b in shows for k in into[b] if k.source not in (end, *shows)]
    if any(b not in gates for b in beside):
        return None
    found = Memory(view, ops, back, tuple(line), tuple(feeds), tuple(shows), tuple(gates))
    ordered = [b for feed in feeds if feed for b in found.tree(feed) if b in gates] + beside
    placed = {b for feed in feeds if feed for b in found.tree(feed)} | {*beside, *shows}
    if placed != set(inner) or len(set(ordered)) != len(gates):
        return None
    return Memory(view, ops, back, tuple(line), tuple(feeds), tuple(shows), tuple(ordered))


def _leads(block: str, end: str, into: dict[str, list[Link]], gates: set[str]) -> bool:
    """Whether a block is made from the line's end, not through a gate."""
    stack = [block]
    while stack:
        for k in into[stack.pop()]:
            if not k.delay and k.source == end:
                return True
            if not k.delay and k.source not in gates:
                stack.append(k.source)
    return False
