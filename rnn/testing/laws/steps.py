"""Time: what a state carries, what a step may see, and BPTT as a sum over steps."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.folded import same_folded
from minigrad.testing.laws import Broken
from minigrad.tree import flatten, tree_map
from rnn.cell import Cell
from rnn.run import run
from rnn.testing.problem import DoesNotApply, Law, agree, causal, entry, problem, weigh

LAWS: dict[str, Law] = {}
law = entry(LAWS)


@law("split and continue")
def split(cell: Cell, seed: int) -> None:
    """run(a + b) is run(b) after run(a), in values and in gradients."""
    causal(cell)
    q = problem(cell, 5, 2, seed)
    cut = 1 + seed % 4

    def in_two(params: Any, xs: Any, start: Any) -> Any:
        first, middle = run(cell, params, xs[:cut], start)
        second, last = run(cell, params, xs[cut:], middle)
        return mg.concatenate([first, second]), last

    agree(in_two(q.params, q.xs, q.start), q.run(), "run in two parts", q.roundings())
    loss = lambda *args: weigh(*in_two(*args))
    found = mg.grad(loss, wrt=(0, 1, 2))(q.params, q.xs, q.start)
    agree(found, q.gradients(), "gradients through the seam", q.roundings())


@law("causality")
def causality(cell: Cell, seed: int) -> None:
    """∂y⁽ˢ⁾/∂x⁽ᵗ⁾ is exactly 0 for t > s, and not for t = s."""
    causal(cell)
    q = problem(cell, 5, 2, seed)
    s = seed % 5
    for unfolded in (False, True):
        one = lambda xs, u=unfolded: mg.sum(run(cell, q.params, xs, q.start, unfolded=u)[0][s])
        slope = mg.grad(one)(q.xs)
        agree(slope[s + 1 :], np.zeros_like(slope[s + 1 :]), f"∂y at {s + 1} by later inputs")
        if not np.any(slope[s]):
            raise Broken(f"the output at t = {s + 1} does not depend on the input at t = {s + 1}")


@law("time homogeneity")
def homogeneity(cell: Cell, seed: int) -> None:
    """A step does not know its number: begun later in the same state, it gives the same."""
    causal(cell)
    q = problem(cell, 5, 2, seed)
    early = q.xs[: 1 + seed % 3]
    _, middle = run(cell, q.params, early, q.start)
    late, _ = run(cell, q.params, np.concatenate([early, q.xs]), q.start)
    again, _ = run(cell, q.params, q.xs, middle)
    agree(late[len(early) :], again, "a later start", q.roundings())


@law("memory")
def memory(cell: Cell, seed: int) -> None:
    """The start state matters to the first outputs, and its gradient is that of differences."""
    causal(cell)
    q = problem(cell, 3, 2, seed)
    if not flatten(q.start)[0]:
        raise DoesNotApply("it has no state")
    for path, g in zip(
        flatten(q.start)[1].paths("state"), flatten(q.gradients()[2])[0], strict=True
    ):
        if not np.any(g):
            raise Broken(f"nothing depends on the start value {path}")


@law("BPTT = sum over steps")
def bptt_is_a_sum(cell: Cell, seed: int) -> None:
    """The gradient of a weight is the sum over steps of those of separate copies of it."""
    causal(cell)
    q = problem(cell, 4, 2, seed)

    def untied(copies: list[Any], s: int | None = None) -> Any:
        state, ys = q.start, []
        for params, x in zip(copies, q.xs, strict=True):
            y, state = run(cell, params, x[None], state)
            ys.append(y[0])
        return weigh(mg.stack(ys), state) if s is None else mg.sum(mg.sin(ys[s]))

    copies = [q.params] * q.steps
    parts = mg.grad(untied)(copies)
    total = parts[0]
    for part in parts[1:]:
        total = tree_map(np.add, total, part)
    agree(q.gradients()[0], total, "gradient of shared weights", 4 * q.roundings())
    early = mg.grad(lambda c: untied(c, 1))(copies)[2:]
    agree(early, tree_map(np.zeros_like, early), "a use later than the loss")


@law("fold and unfold")
def fold_and_unfold(cell: Cell, seed: int) -> None:
    """fold(unfold(F, T)) is F; and F's adjoint, unfolded, gives the gradients of the unfolded."""
    folded = cell.folded(2)
    delays = [abs(edge.delay) for edge in flatten(cell.edges())[0]]
    steps = max(delays, default=1) + 2
    if any(edge.delay < 0 for edge in flatten(cell.edges())[0]):
        raise DoesNotApply("an edge runs against time")
    if not same_folded(mg.fold(mg.unfold(folded, steps)), folded):
        raise Broken(f"fold(unfold(F, {steps})) is not F")
