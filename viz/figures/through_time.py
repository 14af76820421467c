"""Backpropagation through time, and what runs when."""

from __future__ import annotations

from typing import Any

from minigrad.folded import folded_adjoint
from minigrad.lower.pipeline import prepared
from viz.given import Styled, flags, styled
from viz.given import folded as as_folded
from viz.output.drawing import Drawing
from viz.quotients.adjoints import named, reads, summed
from viz.quotients.circles import circles
from viz.quotients.roles import lagged
from viz.quotients.steps import choose
from viz.textbook import pairs
from viz.views.draw import draw


def backward(cell: Any, steps: int | str = "t", style: Styled = "print") -> Drawing:
    """Backpropagation through time: the adjoint, folded and unfolded, running against time.

    >>> import rnn
    >>> backward(rnn.RNNCell(3, 5, 2))
    <Drawing: ∂o, ∂h, ∂x, folded and unfolded over 3 steps>
    """
    folded = lagged(as_folded("backward", cell))
    return draw(folded_adjoint(folded).backward, steps=steps, style=style)


def forward_and_backward(cell: Any, steps: int | str = "t", style: Styled = "print") -> Drawing:
    """The forward run and, above it, the adjoint that runs back through the same steps.

    >>> import rnn
    >>> forward_and_backward(rnn.RNNCell(3, 5, 2), steps=3)
    <Drawing: Forward and backward through time>
    """
    look = styled("forward_and_backward", style)
    folded = lagged(as_folded("forward_and_backward", cell))
    pair = folded_adjoint(folded)
    views = circles(folded), circles(pair.backward)
    saved, gradients = reads(pair, *views), summed(named(pair), views[1])
    return Drawing(pairs.there_and_back(*views, choose(steps), look, saved, gradients))


def schedule(cell: Any, backward: bool = False, style: Styled = "print") -> Drawing:
    """What runs once and what in loops over time, as `rnn.run` and its gradient run it.

    >>> import rnn
    >>> schedule(rnn.LSTMCell(3, 5))
    <Drawing: LSTMCell, schedule>
    """
    flags("schedule", backward=backward)
    if not backward:
        return draw(cell, "schedule", style=style)
    folded = prepared(as_folded("schedule", cell)).folded
    return draw(folded_adjoint(folded), "schedule", style=style)
