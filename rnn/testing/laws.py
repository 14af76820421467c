"""Laws of recurrence, on any cell: time, batches, padding, weights, and BPTT.

A law raises `Broken` with the numbers, or `DoesNotApply` where a cell has not what it is about.
They are the numbered laws L31 to L50 of the literature on testing such networks, and a few that
belong to this library: one run on the graph, compiled and folded is the same run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.folded import same_folded
from minigrad.testing.check import check_gradients
from minigrad.testing.laws import Broken
from minigrad.tree import flatten, tree_map
from rnn.cell import Cell
from rnn.cells import LSTMCell, concatenated
from rnn.compose import Bidirectional, Stack
from rnn.run import run
from rnn.testing import equations
from rnn.testing.problem import DoesNotApply, Problem, agree, problem, weigh

Law = Callable[[Cell, int], None]
LAWS: dict[str, Law] = {}
"""Every recurrent law by its name."""


def law(name: str) -> Callable[[Law], Law]:
    """Enter a function into the table of laws."""
    return lambda function: LAWS.setdefault(name, function)


def causal(cell: Cell) -> None:
    """Go on only if no edge runs against time."""
    if any(edge.delay < 0 for edge in flatten(cell.edges())[0]):
        raise DoesNotApply("an edge runs against time")


def shapes_of(seed: int) -> tuple[int, int]:
    """A number of steps and of samples."""
    rng = np.random.default_rng(seed)
    return int(rng.integers(3, 6)), int(rng.integers(2, 4))


# --- one run in many ways -----------------------------------------------------------------------


@law("repeatable")
def repeatable(cell: Cell, seed: int) -> None:
    """A second run gives the same bits, and nothing given is changed."""
    q = problem(cell, 4, 2, seed)
    before = tree_map(np.copy, (q.params, q.xs, q.start))
    first = q.run(), q.gradients()
    agree((q.run(), q.gradients()), first, "the second run")
    agree((q.params, q.xs, q.start), before, "what was given")


@law("equations")
def by_single_numbers(cell: Cell, seed: int) -> None:
    """The numbers of a loop over single numbers, for the cells whose equations are known."""
    q = problem(cell, 3, 2, seed)
    try:
        wanted = equations.sequence(cell, q.params, q.xs, q.start)
    except KeyError:
        raise DoesNotApply("its equations are not written down") from None
    agree(q.run(), wanted, "run", q.roundings())


@law("step")
def one_step(cell: Cell, seed: int) -> None:
    """A sequence of no steps gives the start state; of one step, what `step` gives."""
    q = problem(cell, 1, 2, seed)
    nothing = Problem(cell, q.params, q.xs[:0], q.start)
    agree(nothing.run()[1], q.start, "the state after no steps")
    causal(cell)
    oldest = tree_map(lambda s, e: s if e.delay == 1 else s[0], q.start, cell.edges())
    y, *_ = cell.step(q.params, q.xs[0], *oldest)
    agree(q.run()[0][0], y, "the first output", q.roundings())


@law("compiled = eager")
def compiled_is_eager(cell: Cell, seed: int) -> None:
    """A scan, the steps on the graph, and a compiled program give the same values and gradients."""
    q = problem(cell, *shapes_of(seed), seed)
    agree(q.run(unfolded=True), q.run(), "unfolded", q.roundings())
    agree(q.gradients(unfolded=True), q.gradients(), "unfolded gradients", q.roundings())
    for lengths in (None, np.arange(q.xs.shape[1]) + q.steps + 1 - q.xs.shape[1]):
        wanted = mg.value_and_grad(q.loss(lengths), wrt=(0, 1, 2))(q.params, q.xs, q.start)
        program = mg.compile(mg.value_and_grad(q.loss(lengths), wrt=(0, 1, 2)))
        for _ in range(2):
            found = program(q.params, q.xs, q.start)
            agree(found, wanted, "compiled", q.roundings())


@law("two runs, then both backwards")
def two_runs(cell: Cell, seed: int) -> None:
    """A run keeps what its backward reads, whatever runs in between."""
    q = problem(cell, 4, 2, seed)
    other = problem(cell, 4, 2, seed + 1)
    both = [
        run(cell, p, mg.Tensor(r.xs), r.start) for r in (q, other) for p in [r.params.tensors()]
    ]
    values = [np.array(ys.data) for ys, _ in both]
    agree(values, [q.run()[0], other.run()[0]], "the first run's outputs", q.roundings())
    _, pull = mg.vjp(q.loss(), q.params, q.xs, q.start)
    other.gradients()
    other.run()
    agree(pull(np.ones(())), q.gradients(), "gradients after another run", q.roundings())


@law("gradient")
def gradient(cell: Cell, seed: int) -> None:
    """Reverse mode, forward mode and an independent derivative agree."""
    q = problem(cell, 3, 2, seed)
    check_gradients(q.loss(unfolded=True), q.params, q.xs, q.start, seed=seed)
    check_gradients(q.loss(), q.params, q.xs, q.start, seed=seed)


@law("second order")
def second_order(cell: Cell, seed: int) -> None:
    """The Hessian times a vector is that of the steps on the graph."""
    q = problem(cell, 3, 2, seed)
    rng = np.random.default_rng(seed)
    v = tree_map(lambda w: 0.25 * rng.normal(size=w.shape), q.params)
    one: Any = lambda unfolded: lambda p: q.loss(unfolded=unfolded)(p, q.xs, q.start)
    found, wanted = (mg.hvp(one(unfolded), q.params, v) for unfolded in (False, True))
    agree(found, wanted, "Hessian times a vector", 16 * q.roundings())


# --- time ---------------------------------------------------------------------------------------


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


# --- batches and padding ------------------------------------------------------------------------


@law("batch permutation")
def batch_permutation(cell: Cell, seed: int) -> None:
    """Samples may stand in any order, and one alone is its row of the batch."""
    q = problem(cell, 4, 3, seed)
    ys, state = q.run()
    for rows in ([2, 0, 1], [1]):
        pick: Any = lambda s, rows=rows: s[..., rows, :]
        part = Problem(cell, q.params, pick(q.xs), tree_map(pick, q.start))
        agree(part.run(), (pick(ys), tree_map(pick, state)), f"samples {rows}", q.roundings())


@law("padding")
def padding(cell: Cell, seed: int) -> None:
    """A ragged batch is its samples run alone, whatever the padding holds."""
    T, lengths = 4, [4, 0, 2]
    q = problem(cell, T, 3, seed)
    dead = np.arange(T)[:, None] >= np.array(lengths)
    dirty = Problem(cell, q.params, np.where(dead[..., None], np.nan, q.xs), q.start)
    ys, state = dirty.run(lengths)
    slopes = dirty.gradients(lengths)[1]
    for b, n in enumerate(lengths):
        row: Any = lambda s, b=b: s[..., b : b + 1, :]
        alone = Problem(cell, q.params, row(q.xs[:n]), tree_map(row, q.start))
        found = (ys[:n, b : b + 1], tree_map(row, state))
        agree(found, alone.run(), f"sample {b} of length {n}", q.roundings())
        agree(ys[n:, b], np.zeros_like(ys[n:, b]), f"outputs of sample {b} behind its end")
        agree(slopes[n:, b], np.zeros_like(slopes[n:, b]), f"gradient by padding of sample {b}")


@law("class indices = one-hot rows")
def class_indices(cell: Cell, seed: int) -> None:
    """Integers stand for rows of zeros with a one, in values and gradients."""
    q = problem(cell, 4, 2, seed)
    classes = np.random.default_rng(seed).integers(0, cell.inputs, q.xs.shape[:2])
    rows = Problem(cell, q.params, np.eye(cell.inputs)[classes], q.start)
    found = run(cell, q.params, classes, q.start)
    agree(found, rows.run(), "run on classes", q.roundings())
    loss = lambda p: weigh(*run(cell, p, classes, q.start))
    agree(mg.grad(loss)(q.params), rows.gradients()[0], "gradients", 4 * q.roundings())


# --- weights ------------------------------------------------------------------------------------


@law("hidden permutation")
def hidden_permutation(cell: Cell, seed: int) -> None:
    """Hidden units may stand in any order, if their weights do too."""
    q = problem(cell, 3, 2, seed)
    H = getattr(cell, "hidden", None)
    plain = all(name[:3] in ("W_x", "W_h") or name[:2] in ("b_", "w_") for name in q.params)
    edges = flatten(cell.edges())[0]
    if not plain or H is None or getattr(cell, "outputs", None) or cell.width != H or not edges:
        raise DoesNotApply("its units are not told apart by the names of its weights")
    order = np.random.default_rng(seed).permutation(H)
    units: Any = lambda s: s[..., order]
    params = type(q.params)(
        (name, units(w)[order] if name.startswith("W_h") else units(w))
        for name, w in q.params.items()
    )
    turned = Problem(cell, params, q.xs, tree_map(units, q.start))
    agree(turned.run(), tree_map(units, q.run()), f"units {order.tolist()}", q.roundings())


@law("saturation")
def saturation(cell: Cell, seed: int) -> None:
    """f = 1, i = 0 carries the memory; f = 0, i = 1 writes it; o = 0 is silent."""
    q = problem(cell, 1, 2, seed)
    if not {"b_f", "b_i", "b_o", "b_c"} <= set(q.params) or tuple(cell.state) != ("h", "C"):
        raise DoesNotApply("it has no gates f, i, o and memory C")
    H = q.params["b_f"].shape

    def gated(f: float, i: float, o: float) -> Any:
        biases = {"b_f": np.full(H, f), "b_i": np.full(H, i), "b_o": np.full(H, o)}
        return Problem(cell, type(q.params)({**q.params, **biases}), q.xs, q.start).run()

    h, C = q.start
    p, high, low = q.params, 800.0, -800.0
    agree(gated(high, low, 0.0)[1][1], C, "carry: C")
    candidate = np.tanh(q.xs[0] @ p["W_xc"] + h @ p["W_hc"] + p["b_c"])
    _, (shown, written) = gated(low, high, high)
    agree(written, candidate, "write: C", q.roundings())
    agree(shown, np.tanh(candidate), "write: h", q.roundings())
    ys, _ = gated(0.0, 0.0, low)
    agree(ys, np.zeros_like(ys), "silent: h", 1)


@law("concatenated = separate")
def concatenated_weights(cell: Cell, seed: int) -> None:
    """[x, h] @ [W_x; W_h] is x @ W_x + h @ W_h."""
    q = problem(cell, 1, 2, seed)
    into = [
        name[3:] for name in q.params if name.startswith("W_x") and f"W_h{name[3:]}" in q.params
    ]
    if not into or not isinstance(q.params[f"W_x{into[0]}"], np.ndarray):
        raise DoesNotApply("it has no weights W_x· and W_h· into one unit")
    rng = np.random.default_rng(seed)
    for unit in into:
        names = [f"W_{s}{unit}" for s in "xho" if f"W_{s}{unit}" in q.params]
        rows = [rng.normal(size=(2, q.params[n].shape[0])) for n in names]
        joined = np.concatenate(rows, 1) @ concatenated(q.params, unit)
        apart = sum(v @ q.params[n] for v, n in zip(rows, names, strict=True))
        agree(joined, apart, f"into {unit}", 16 * q.roundings())


@law("layers compose")
def layers_compose(cell: Cell, seed: int) -> None:
    """A stack is its layers run one after the other; both directions are two runs."""
    q = problem(cell, 4, 2, seed)
    if isinstance(cell, Stack):
        xs, ends = q.xs, []
        for (name, layer), start in zip(cell.parts().items(), q.start, strict=True):
            xs, end = run(layer, q.params[name], xs, start)
            ends.append(end)
        agree(q.run(), (xs, tuple(ends)), "layer by layer", q.roundings())
    elif isinstance(cell, Bidirectional):
        p = q.params
        there, end = run(cell.forward, p["forward"], q.xs, q.start[0])
        back, first = run(cell.backward, p["backward"], q.xs[::-1], q.start[1])
        whole = np.concatenate([there, back[::-1]], axis=-1)
        agree(q.run(), (whole, (end, first)), "direction by direction", q.roundings())
    else:
        raise DoesNotApply("it is one cell")


__all__ = ["LAWS", "LSTMCell", "law"]
