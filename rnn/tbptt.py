"""Truncated backpropagation through time, for training: a run whose gradients reach back k₂ steps.

`rnn.bptt.truncation` studies what is lost by it. Source: Williams and Peng (1990), BPTT(h; h′);
Sutskever (2013), Training recurrent neural networks, section 2.8.6: TBPTT(k₁, k₂).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import minigrad as mg
from minigrad.tree import flatten, tree_map
from rnn.cell import Cell
from rnn.checks import sequence, whole
from rnn.run import run


def tbptt(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    state: Any = None,
    *,
    k1: int,
    k2: int,
    mask: Any = None,
    resets: Any = None,
) -> tuple[Any, Any]:
    """The outputs and last state of `rnn.run`, number for number, with truncated gradients.

    Steps are taken in blocks of k₁. The gradient of what is made of the outputs of a block goes
    back to the k₂-th step before the block's end, and no further; a block that the sequence cuts
    short goes back as far as if it were whole. k₁ = k₂ are windows with a carried state, k₁ = 1
    lets every output reach back over k₂ steps. Any loss of the outputs may be differentiated, in
    `rnn.fit` by `predict=functools.partial(rnn.tbptt, k1=…, k2=…)` with `carry=True`.

    For k₂ > k₁ the steps that blocks have in common are made again for each: values cost k₂/k₁ + 1
    times as much, for k₁ = k₂ once.

    Args:
        cell: any whose edges run forward in time.
        params: from `cell.init`.
        xs: `(T, B, X)`, or class indices `(T, B)`.
        state: start values, as in `rnn.run`.
        k1: steps from one backward run to the next.
        k2: steps that one goes back, at least k₁.
        mask: as in `rnn.run`; k₁ and k₂ count padding too.
        resets: as in `rnn.run`: samples begin anew, each where it does.

    Raises:
        ValueError: not 1 ≤ k₁ ≤ k₂, or an edge runs against time.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell, xs = rnn.LSTMCell(2, 3), np.ones((6, 1, 2))
    >>> last = lambda xs: mg.sum(rnn.tbptt(cell, cell.init(0), xs, k1=2, k2=4)[0][-1])
    >>> np.flatnonzero(mg.grad(last)(xs).any((1, 2))).tolist()      # of the last 4 steps
    [2, 3, 4, 5]
    """
    whole("tbptt", "k1", k1)
    whole("tbptt", "k2", k2, least=k1)
    if any(edge.delay < 0 for edge in flatten(cell.edges())[0]):
        raise ValueError(
            f"tbptt: {cell.label} has edges that run against time, so no step is the last that a "
            "gradient reaches"
        )
    T = sequence(cell, xs)[0].shape[0]

    def steps(begin: int, end: int, state: Any) -> tuple[Any, Any]:
        own, again = (None if part is None else part[begin:end] for part in (mask, resets))
        return run(cell, params, xs[begin:end], state, mask=own, resets=again)

    if k1 >= T:
        return steps(0, T, state)
    found, at = [], 0  # `state` is that before step `at`, from 0
    for begin in range(0, T, k1):
        first = max(0, begin + k1 - k2)
        if first > at:
            _, state = steps(at, first, state)
            state, at = tree_map(mg.detach, state), first
        ys, last = steps(first, min(begin + k1, T), state)
        found.append(ys[begin - first :])
        if k1 == k2:
            state, at = tree_map(mg.detach, last), begin + k1
    return mg.concatenate(found), last
