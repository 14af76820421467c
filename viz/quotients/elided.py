"""Steps drawn short: what enters, what leaves, and one block for all operations between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from minigrad.graph import Node
from viz.quotients.bands import bands
from viz.quotients.quotient import Block, Link, Quotient
from viz.scene.label import named_part, words
from viz.scene.scene import identifier


def elided(view: Quotient, group: Collection[str]) -> Quotient:
    """The quotient with a group of its blocks drawn short.

    Inputs stay, and so do the blocks that others outside or later steps read, under their names
    alone. All that is computed is one block, `⋯` and the number of the blocks that it stands for:
    what the group reads enters it, and each block that stays is made by it.

    >>> import rnn
    >>> from viz.quotients.operations import operations
    >>> from viz.scene.label import plain
    >>> view = operations(rnn.LSTMCell(3, 5).folded())
    >>> short = elided(view, {block.id for block in view.blocks})
    >>> [plain(block.label) for block in short.blocks]
    ['x', '⋯ 25', 'C', 'h']
    """
    into = {k.target for k in view.links if not k.delay and k.source not in view.shared}
    own = [block for block in view.blocks if block.id in group and block.id not in view.shared]
    made = [b for b in own if b.kind != "input" or b.id in into]
    gone = {block.id for block in made}
    if len(gone) < 2:
        return view
    read = {k.source for k in view.links if k.delay or k.target not in gone} | {*view.outputs}
    kept = [block for block in made if block.id in read]
    name = identifier("elided", made[0].id)
    nodes = tuple(sorted(k for block in made for k in block.nodes))
    step = made[-1].step
    rest = Block(name, words(f"⋯ {len(made)}"), "op", nodes, step=step, is_elided=True)
    links: dict[Link, None] = {}
    for k in view.links:
        if k.target in gone and (k.source not in gone or k.delay):
            links[replace(k, target=name, through=())] = None
        elif k.target not in gone:
            links[k] = None
    links |= {Link(name, block.id): None for block in kept}
    blocks: list[Block] = []
    for block in view.blocks:
        if block.id == made[0].id:
            blocks.append(rest)
        if block.id not in gone:
            blocks.append(block)
        elif block in kept:
            label = named_part(block.label) or block.label
            blocks.append(replace(block, label=label, parameters=()))
    inner = gone - {block.id for block in kept}
    of = {k: name if block in inner else block for k, block in view.of.items()}
    return replace(view, blocks=tuple(blocks), links=tuple(links), of=of)


def short(view: Quotient, nodes: Sequence[Node]) -> Quotient:
    """The quotient of a step with each layer that recurs by itself drawn short."""
    for band in bands(view, nodes):
        view = elided(view, band.blocks)
    return view
