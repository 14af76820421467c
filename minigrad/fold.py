"""Folding: from a graph of T tagged steps back to one step with delayed edges.

`embed` finds all loops of a graph and what is around them, `fold` gives the one loop alone. The
certificate is for the whole: put together again, the parts give the graph, node by node. So a fold
is never wrong: what does not give the graph again is refused, in words that say where.
"""

from __future__ import annotations

from minigrad.errors import FoldError
from minigrad.folded import Folded
from minigrad.folding.embedded import Embedded
from minigrad.folding.embedding import Embedding
from minigrad.graph import Graph, difference


def fold(graph: Graph) -> Folded:
    """The folded graph of the loop in a graph.

    The operations of the loop must be tagged with their step, as `rnn.run` and
    `minigrad.scope(name, t=t)` do. `embed` tells what is around the loop, a first step that
    differs included.

    Raises:
        ValueError: no step is tagged, steps differ, or there are several loops; the message says
            where.

    >>> import minigrad as mg, numpy as np
    >>> def loop(w, xs, h):
    ...     for t, x in enumerate(xs, 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(x + h * w))
    ...     return h
    >>> mg.fold(mg.trace(loop, 0.5, [1.0] * 7, 0.0)).recurrences
    (Recurrence(output=0, input=2, delay=1, name='h'),)
    """
    loops = embed(graph).loops
    if len(loops) > 1:
        spans = ", ".join(f"t = {loop.first} … {loop.first + loop.T - 1}" for loop in loops)
        raise FoldError(
            f"fold: the graph has {len(loops)} loops ({spans}); minigrad.embed(graph).loops "
            "gives them"
        )
    return loops[0].folded


def embed(graph: Graph) -> Embedded:
    """The loops in a graph, and the graph around them.

    Raises:
        ValueError: steps differ, a loop cannot be cut out, or its values are read in a way that
            says nothing about other numbers of steps; the message says where.

    >>> import minigrad as mg, numpy as np
    >>> def loss(w, xs):
    ...     h, hs = 0.0, []
    ...     for t in range(1, len(xs) + 1):
    ...         with mg.scope("rnn", t=t):
    ...             h = mg.named("h", mg.tanh(xs[t - 1] + h * w))
    ...             hs.append(h)
    ...     return mg.sum(mg.stack(hs))
    >>> found = mg.embed(mg.trace(loss, 0.5, np.ones(7)))
    >>> found, len(found.unfold(100))
    (<Embedded: <Folded step of 6 nodes, recurrences: h delay 1>, 7 steps>, 405)
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"fold takes a graph, got {graph!r:.60}; trace(f, ...) gives one")
    found = Embedding(graph).embedded()
    off = difference(graph, found.again())
    if off is not None:
        raise FoldError(f"fold: unfolding does not give the graph again: {off}")
    return found


__all__ = ["embed", "fold"]
