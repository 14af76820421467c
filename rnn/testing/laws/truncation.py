"""Truncation: a gradient that is cut between steps is what is left of the whole one."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.tree import tree_map
from rnn.cell import Cell
from rnn.run import run
from rnn.testing.problem import Law, Problem, agree, causal, entry, problem, weigh

LAWS: dict[str, Law] = {}
law = entry(LAWS)


@law("truncation = detach")
def truncation(cell: Cell, seed: int) -> None:
    """Cut at a step, the gradient is that of starting there from a constant."""
    causal(cell)
    q = problem(cell, 4, 2, seed)

    def cut(params: Any) -> Any:
        _, middle = run(cell, params, q.xs[:2], q.start)
        return weigh(*run(cell, params, q.xs[2:], tree_map(mg.detach, middle)))

    _, middle = run(cell, q.params, q.xs[:2], q.start)
    rest = Problem(cell, q.params, q.xs[2:], middle)
    agree(mg.grad(cut)(q.params), rest.gradients()[0], "truncated gradient", q.roundings())


@law("truncated after k steps")
def every_k_steps(cell: Cell, seed: int) -> None:
    """Cut every k steps, the gradient is the sum over the pairs of loss and use between cuts.

    The table of pairs, ∂L⁽ˢ⁾/∂W through the use of W at step t alone, comes from separate copies
    of the weights. For k = 1, …, T more and more of it counts; for k = T it is the whole gradient.
    """
    causal(cell)
    q = problem(cell, 3, 2, seed)
    T = q.steps

    def truncated(params: Any, k: int) -> Any:
        state, total = q.start, 0.0
        for first in range(0, T, k):
            state = tree_map(mg.detach, state)
            ys, state = run(cell, params, q.xs[first : first + k], state)
            total = total + mg.sum(mg.sin(ys))
        return total

    def loss_at(copies: list[Any], s: int) -> Any:
        state = q.start
        for params, x in zip(copies[: s + 1], q.xs, strict=False):
            y, state = run(cell, params, x[None], state)
        return mg.sum(mg.sin(y))

    table = [mg.grad(lambda c, s=s: loss_at(c, s))([q.params] * T) for s in range(T)]
    for k in range(1, T + 1):
        kept = tree_map(np.zeros_like, q.params)
        for s in range(T):
            for t in range(s - s % k, s + 1):
                kept = tree_map(np.add, kept, table[s][t])
        found = mg.grad(lambda p, k=k: truncated(p, k))(q.params)
        agree(found, kept, f"cut after every {k} of {T} steps", 4 * q.roundings())
