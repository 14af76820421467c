"""Gated cells, recognised by what they do: a state whose way to the next step is only × and +.

That way is the straight line of the block diagram. What is multiplied and added is made by gates,
and from the line's end the cell makes what it shows. Nothing is known of names or activations, so
a GRU, a renamed gate, a peephole or a user's own cell gives its own diagram; a cell that is built
otherwise gives none.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from minigrad.folded import Folded
from viz.memory.parts import BUS, INPUT, PAST, Memory, Reset
from viz.quotients.operations import operations
from viz.quotients.quotient import Link, Quotient
from viz.quotients.roles import gates

Value = tuple[str, str, int]
"""What a link carries: its source, the state it is, and how old."""
WANTED = (
    "a block diagram is of a state that goes from step to step by × and + alone, as in an LSTM "
    "or a GRU, with gates that read the same"
)
"""What a cell must be to have one, for whoever refuses another."""


def memory(folded: Folded) -> Memory | None:
    """The gated cell that a folded graph is, or None if it is built otherwise.

    >>> import rnn
    >>> found = memory(rnn.LSTMCell(3, 5).folded())
    >>> found.state, found.line, found.feeds, found.gates
    ('C', ('multiply', 'C__2'), ('f', 'multiply__2'), ('f', 'i', 'C', 'o'))
    >>> memory(rnn.GRUCell(3, 5).folded()).reset
    Reset(gate='r', product='multiply', made='add', candidate='h')
    >>> memory(rnn.RNNCell(3, 5).folded()) is None
    True
    """
    view = operations(folded, "gate")
    ops = {b.id: _operation(folded, b.nodes) for b in view.blocks}
    for name in dict.fromkeys(k.name for k in view.links if k.delay > 0):
        line = _along(view, ops, name)
        found = line and _placed(line)
        if found:
            purposes = {view.of[k]: role for k, role in gates(folded).items() if k in view.of}
            return replace(found, roles={b: purposes[b] for b in found.gates if b in purposes})
    return None


def _operation(folded: Folded, members: tuple[int, ...]) -> str:
    """The last operation of a block that does something."""
    nodes = [folded.step.nodes[k] for k in members]
    return next((node for node in reversed(nodes) if not node.is_alias), nodes[-1]).op


def _along(view: Quotient, ops: dict[str, str], name: str) -> Memory | None:
    """The line that carries a state and what feeds it, if the state goes by × and + alone."""
    into: dict[str, list[Link]] = {block.id: [] for block in view.blocks}
    for k in view.links:
        into[k.target].append(k)
    reached: dict[str, Link] = {}  # × and + that only × and + part from the old state
    for block in view.blocks:
        plain = ops[block.id] in ("multiply", "add") and not any(k.through for k in into[block.id])
        for k in into[block.id]:
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
    feeds = []
    for n, name in enumerate(line):
        before = line[n - 1] if n else ""
        given = [k.source for k in into[name] if k.source not in (before, back.source)]
        if len(given) > 1 or len(into[name]) != len(given) + 1:
            return None
        feeds.append(given[0] if given else "")
    return Memory(view, ops, back, tuple(line), tuple(feeds))


def _value(link: Link) -> Value:
    return (link.source, link.name, link.delay)


def _placed(cell: Memory) -> Memory | None:
    """The cell with all its parts, if every block has its place in the diagram."""
    view, back = cell.view, cell.back
    inputs = {b.id for b in view.blocks if b.kind == "input"}
    inner = [b.id for b in view.blocks if b.id not in inputs and b.id not in cell.line]
    old = [k for k in view.links if k.delay]
    states = {_value(k) for k in old if k.name != back.name}
    states = states or {_value(k) for k in old if k.target in inner}
    outside = {b: set[Value]() for b in inner}
    for k in view.links:
        if k.target in outside and (_value(k) in states or k.source in inputs):
            outside[k.target].add(_value(k))
    given = frozenset[Value]().union(*outside.values())
    halves = {given - states: INPUT, given & states: PAST, given: BUS, frozenset(): ""}
    reads = {b: halves.get(frozenset(outside[b]), "none") for b in inner}
    gates = [b for b in inner if reads[b] in (BUS, INPUT)]
    carried = next((name for _, name, _ in states), "")
    if BUS not in reads.values() or "none" in reads.values() or len(states) > 1:
        return None  # they do not read the same bus
    if any(k.name == back.name and k.delay != back.delay for k in old):
        return None  # the line and its readers are of two times
    if len(given - states) > 1 and (INPUT in reads.values() or carried == back.name):
        return None  # there is one way up to the bus, and one line below it
    cell = replace(
        cell, gates=tuple(gates), reads={b: reads[b] for b in inner if reads[b]}, carried=carried
    )
    shows = [b for b in inner if b not in gates and _leads(b, cell)]
    found = _reset(replace(cell, shows=tuple(shows)))
    return found and _ordered(found, inner, states)


def _reset(cell: Memory) -> Memory | None:
    """The cell with its reset gate, if all that gates read of one another is by way of one."""
    inner = {g: [s for s in cell.sources[g] if s in cell.sources and s != cell.line[-1]
                 and cell.view[s].kind != "input"] for g in cell.gates}  # fmt: skip
    candidates = [g for g in cell.gates if inner[g]]
    past = [b for b, what in cell.reads.items() if what == PAST]
    if not candidates:
        return None if past else cell
    (candidate, *more), (product, *others) = candidates, inner[candidates[0]]
    read = cell.sources[product]
    gates = [b for b in read if b in cell.gates and b != candidate]
    made = [b for b in read if b not in gates]
    if more or others or len(gates) != 1 or product in cell.gates:
        return None
    if past != (made or [product]) or len(past) > 1 or any(cell.sources[b] for b in made):
        return None
    if cell.readers[product] != [candidate] or any(cell.readers[b] != [product] for b in made):
        return None
    return replace(cell, reset=Reset(gates[0], product, made[0] if made else "", candidate))


def _ordered(cell: Memory, inner: list[str], states: set[Value]) -> Memory | None:
    """The cell with its gates from left to right, if nothing is read but where a wire leads."""
    view, end, shows, reset = cell.view, cell.line[-1], cell.shows, cell.reset
    chains = [*pairwise(cell.line), *pairwise(shows)]
    last = shows[-1] if shows else end
    if any(cell.readers[a] != [b] for a, b in chains) or not set(view.outputs) <= {last, end}:
        return None
    if any(source != last for source, *_ in states):
        return None
    if set(cell.readers[last]) & {*inner} - {*cell.gates, *shows}:
        return None
    peeping = [k for k in view.links if k.delay and k.target in inner and not cell.on_bus(k)]
    if any(k.target not in cell.gates for k in peeping) or (peeping and reset):
        return None
    ops = [b for b in inner if b not in cell.gates]
    if any(len(cell.readers[b]) != 1 for b in ops if b != last):
        return None
    beside = [s for b in shows for s in cell.sources[b] if s not in (end, *shows)]
    parts = [reset.gate, reset.made, reset.product] if reset else []
    fed = [b for feed in cell.feeds if feed for b in cell.tree(feed)]
    order = list(dict.fromkeys(b for b in [*parts[:1], *fed, *beside] if b in cell.gates))
    placed = {*filter(None, parts), *fed, *beside, *shows}
    if placed != set(inner) or any(len(cell.readers[b]) > 1 or b in ops for b in beside):
        return None
    if any(cell.feeds.count(b) > 1 for b in cell.gates):
        return None
    return replace(cell, gates=tuple(order))


def _leads(block: str, cell: Memory) -> bool:
    """Whether a block is made from the line's end, not through a gate."""
    stack = [block]
    while stack:
        for source in cell.sources[stack.pop()]:
            if source == cell.line[-1]:
                return True
            if source not in cell.gates:
                stack.append(source)
    return False
