"""Quotients: nodes of a real graph that share a key become one block.

Every picture of a network is one. A view is a key for each node and a label for each block;
which blocks are connected, by how much delay and through which parameters, is read from the graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from minigrad.folded import Folded
from minigrad.graph import Node
from viz.quotients.roles import is_product, memories, origins
from viz.scene.label import Label


@dataclass(frozen=True)
class Block:
    """Merged nodes.

    Attributes:
        id: the name in files, without the time; unique in a quotient.
        label: what is written on it; a time may be added.
        kind: "input", "hidden", "output", "cell", "gate" or "op", as the style knows them.
        nodes: the merged nodes, in order; the last gives the block's value.
        parameters: those its nodes read that are not blocks themselves.
        states: the names of the recurrent values it carries, if it shows more than one.
        step: of a recorded graph, the time step; None outside of steps.
        is_elided: it stands for operations that are not shown, and has no value of its own.
    """

    id: str
    label: Label
    kind: str
    nodes: tuple[int, ...]
    parameters: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    step: int | None = None
    is_elided: bool = False


@dataclass(frozen=True)
class Link:
    """An edge between blocks: target reads source, `delay` steps later if not 0.

    Attributes:
        name: of a delayed edge, the recurrent value it carries.
        through: parameters that it is multiplied by on its way, as node numbers.
    """

    source: str
    target: str
    delay: int = 0
    name: str = ""
    through: tuple[int, ...] = ()


@dataclass(frozen=True)
class Quotient:
    """Blocks in an order in which they can be computed, and the links between them.

    Attributes:
        outputs: blocks that give results.
        of: the block of each node that is in one.
        shared: blocks that all steps share: parameters, where they are blocks.
        memories: the names of recurrent values that are only there to make another one from.
    """

    blocks: tuple[Block, ...]
    links: tuple[Link, ...]
    outputs: tuple[str, ...] = ()
    of: dict[int, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    memories: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Block:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Block]:
        return {block.id: block for block in self.blocks}

    def inside(self) -> list[tuple[str, str]]:
        """The links of one step, without delay."""
        return [(k.source, k.target) for k in self.links if k.delay == 0]


def merge(
    nodes: Sequence[Node],
    keys: Sequence[Hashable],
    block: Callable[[Hashable, tuple[int, ...]], Block],
    folded: Folded | None = None,
    outputs: Sequence[int] = (),
) -> Quotient:
    """The quotient of nodes by their keys.

    Args:
        nodes: of a graph, or the step of a folded graph.
        keys: one for each node; nodes of equal key are merged, None leaves a node out, and what
            reads it lists it among its parameters.
        block: makes the block of a key from its nodes.
        folded: gives the delayed edges; a state input that is left out stands for its origin.
        outputs: nodes whose blocks give results.
    """
    groups: dict[Hashable, list[int]] = {}
    for k, key in enumerate(keys):
        if key is not None:
            groups.setdefault(key, []).append(k)
    blocks: dict[Hashable, Block] = {}
    taken: Counter[str] = Counter()
    # In the order of their last nodes: a block is done when its value is.
    for key in sorted(groups, key=lambda key: groups[key][-1]):
        made = block(key, tuple(groups[key]))
        taken[made.id] += 1
        count = taken[made.id]
        blocks[key] = replace(made, id=f"{made.id}__{count}") if count > 1 else made
    delayed = origins(folded) if folded else {}
    links: dict[tuple[str, str, int, str], list[int]] = {}
    parameters: dict[Hashable, list[int]] = {key: [] for key in groups}
    for k, node in enumerate(nodes):
        key = keys[k]
        if key is None:
            continue
        for source in node.inputs:
            parent, delay, name = source, 0, ""
            if keys[source] is None and source in delayed:
                parent, delay, name = delayed[source]
            if keys[parent] is None:
                if source not in parameters[key]:
                    parameters[key].append(source)
            elif keys[parent] != key or delay:
                edge = (blocks[keys[parent]].id, blocks[key].id, delay, name)
                through = links.setdefault(edge, [])
                if is_product(node):
                    through += [i for i in node.inputs if keys[i] is None and i not in delayed]
        if k in delayed:  # a state that is a block of its own
            parent, delay, name = delayed[k]
            links.setdefault((blocks[keys[parent]].id, blocks[key].id, delay, name), [])
    done = {b.id: replace(b, parameters=tuple(parameters[key])) for key, b in blocks.items()}
    inside = [(a, b) for a, b, delay, _ in links if not delay]
    return Quotient(
        tuple(done[name] for name in runnable(list(done), inside)),
        tuple(Link(*edge, tuple(dict.fromkeys(through))) for edge, through in links.items()),
        tuple(dict.fromkeys(blocks[keys[k]].id for k in outputs if keys[k] is not None)),
        {k: blocks[key].id for k, key in enumerate(keys) if key is not None},
        memories=frozenset(memories(folded).values()) if folded else frozenset(),
    )


def runnable(names: Sequence[str], inside: Sequence[tuple[str, str]]) -> list[str]:
    """The names in an order in which each comes after all that it reads."""
    into: dict[str, list[str]] = {name: [] for name in names}
    for a, b in inside:
        into[b].append(a)
    order: dict[str, None] = {}
    for name in names:
        stack = [name]
        while stack:
            missing = [a for a in into[stack[-1]] if a not in order and a not in stack]
            if missing:
                stack.append(missing[0])
            else:
                order[stack.pop()] = None
    return list(order)
