"""Networks as circles, and their activations as matrices and vectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rnn import RNNCell
from rnn.cell import Cell
from rnn.cells import RECURRENCES
from rnn.encoder_decoder import handed_on
from viz.figures import matrices
from viz.given import Styled, count, flags, refused, styled
from viz.given import cell as as_cell
from viz.given import folded as as_folded
from viz.output.drawing import Drawing
from viz.quotients.circles import circles
from viz.quotients.steps import choose
from viz.scene.label import symbol, words
from viz.scene.plates import Plate, beside, stacked
from viz.scene.scene import Text
from viz.scene.style import MUTED
from viz.textbook import network, pairs, weights
from viz.views.draw import draw
from viz.views.scenes import LIMIT


def feedforward(cell: Cell, recurrent: Cell, style: Styled = "print") -> Drawing:
    """A network without recurrent edges beside one that has them.

    >>> import rnn
    >>> plain = rnn.Stack([rnn.Dense(3, 5, "tanh"), rnn.Dense(5, 2)])
    >>> feedforward(plain, rnn.RNNCell(3, 5, 2))
    <Drawing: A feed-forward and a recurrent network>
    """
    look = styled("feedforward", style)
    plain, looped = (circles(as_folded("feedforward", c)) for c in (cell, recurrent))
    # Both networks by the same letters: h for what is hidden, o for what is given.
    hidden = [b.id for b in plain.blocks if b.kind == "hidden"]
    letters = {b: symbol("h", sub=str(n) if len(hidden) > 1 else "")
               for n, b in enumerate(hidden, 1)}  # fmt: skip
    letters |= {b.id: symbol("o") for b in plain.blocks if b.kind == "output"}
    told = tuple(replace(b, label=letters.get(b.id, b.label)) for b in plain.blocks)
    panels = [
        Plate(network.folded(replace(plain, blocks=told), look), "feed-forward network"),
        Plate(network.folded(looped, look), "recurrent network"),
    ]
    scene = panels[1].scene
    for mark in [s for s in scene.shapes.values() if s.id.startswith("_delay_")][:1]:
        at = (mark.x + 8, mark.y - 17)
        scene.texts.append(Text(*at, words("recurrent edge"), 11.5, MUTED, "start"))
    return Drawing(beside(panels, "A feed-forward and a recurrent network"))


def unfolding(cell: Any, on_edges: bool = False, style: Styled = "print") -> Drawing:
    """A cell of any number of layers, folded, and unfolded around a step t.

    >>> import rnn
    >>> unfolding(rnn.Stack([rnn.RNNCell(3, 5), rnn.RNNCell(5, 5, 2)]))
    <Drawing: x, h_1, h_2, o, folded and unfolded over 3 steps>
    """
    return draw(cell, steps="t", on_edges=on_edges, style=style)


def recurrences(cell: RNNCell, style: Styled = "print") -> Drawing:
    """The three recurrences of a cell with an output layer, each folded and unfolded.

    >>> import rnn
    >>> recurrences(rnn.RNNCell(3, 5, 2))
    <Drawing: hidden-to-hidden, output-to-hidden, output-to-output>
    """
    if not isinstance(cell, RNNCell):
        raise refused("recurrences", "an RNNCell with outputs, such as RNNCell(3, 5, 2)", cell)
    look, panels = styled("recurrences", style), []
    for kind in RECURRENCES:
        folded = replace(cell, recurrence=kind).folded()
        view = circles(folded)
        recurrent = {k for link in view.links if link.delay for k in link.through}
        named = {k: label for k, label in weights.labels(folded).items() if k in recurrent}
        scene = network.both(view, choose("t"), look, named, headings=False)
        panels.append(Plate(scene, kind))
    return Drawing(stacked(panels, ", ".join(RECURRENCES)))


def activation(cell: Cell, concatenated: bool = True, style: Styled = "print") -> Drawing:
    """The activations of a cell as matrices and vectors, their sides to scale.

    Args:
        cell: any whose layers are activations of products and sums.
        concatenated: the weights side by side, inputs and states one above the other, as
            [W_xh W_hh] [x; h]; or one product for each.
        style: as `viz.draw` takes it.

    >>> import rnn
    >>> activation(rnn.RNNCell(3, 5, 2))
    <Drawing: Computing the activations of one time step>
    """
    flags("activation", concatenated=concatenated)
    look = styled("activation", style)
    found = matrices.rows(as_folded("activation", cell))
    if not found:
        raise ValueError(f"activation: {cell!r} has no activation of products and sums")
    return Drawing(matrices.written_out(found, look, concatenated))


def encoder_decoder(
    encoder: Cell, decoder: Cell, inputs: int = 3, outputs: int = 3, style: Styled = "print"
) -> Drawing:
    """A cell that reads, and another that starts from its last state and reads what it wrote.

    >>> import rnn
    >>> encoder_decoder(rnn.GRUCell(3, 5), rnn.GRUCell(5, 5))
    <Drawing: Encoder and decoder>
    """
    where, look = "encoder_decoder", styled("encoder_decoder", style)
    inputs = count(where, "inputs", inputs, LIMIT)
    outputs = count(where, "outputs", outputs, LIMIT)
    encoder, decoder = (as_cell(where, c) for c in (encoder, decoder))
    handed = handed_on(where, encoder, decoder)
    views = circles(encoder.folded()), circles(decoder.folded())
    return Drawing(pairs.handed_over(*views, handed, inputs, outputs, look))
