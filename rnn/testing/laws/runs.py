"""One run in many ways: repeated, step by step, compiled, differentiated, saved in between."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.testing.check import check_gradients
from minigrad.testing.laws import Broken
from minigrad.testing.numeric import place
from minigrad.tree import flatten, tree_map
from rnn import checkpoint
from rnn.cell import Cell
from rnn.edge import taken
from rnn.run import run
from rnn.testing.problem import (
    DoesNotApply,
    Law,
    Problem,
    agree,
    causal,
    entry,
    problem,
    shapes_of,
)

LAWS: dict[str, Law] = {}
law = entry(LAWS)
RUNS = "runs"
"""The first law; what it is broken by breaks all."""
LONGEST = 6
"""Steps of the longest sequence of any law."""


@law(RUNS)
def it_runs(cell: Cell, seed: int) -> None:
    """A sequence as long as any law's can be run and differentiated, and all numbers are finite.

    What overflows breaks this law alone: NaN agrees with nothing, so the others could not tell.
    """
    q = problem(cell, LONGEST, 3, seed)
    for what, numbers in (("result", q.run()), ("gradient", q.gradients())):
        found, tree = flatten(numbers)
        for path, value in zip(tree.paths(what), found, strict=True):
            bad = np.argwhere(~np.isfinite(value))
            if len(bad):
                index = tuple(map(int, bad[0]))
                raise Broken(
                    f"not finite: {path}{place(index)} is {value[index]}, and {len(bad) - 1} more "
                    f"of {np.size(value)} entries ({q.steps} steps, seed {seed})"
                )


@law("repeatable")
def repeatable(cell: Cell, seed: int) -> None:
    """A second run gives the same bits, and nothing given is changed."""
    q = problem(cell, 4, 2, seed)
    before = tree_map(np.copy, (q.params, q.xs, q.start))
    first = q.run(), q.gradients()
    agree((q.run(), q.gradients()), first, "the second run")
    agree((q.params, q.xs, q.start), before, "what was given")


@law("step")
def one_step(cell: Cell, seed: int) -> None:
    """A sequence of no steps gives the start state; of one step, what `step` gives."""
    q = problem(cell, 1, 2, seed)
    nothing = Problem(cell, q.params, q.xs[:0], q.start)
    agree(nothing.run()[1], q.start, "the state after no steps")
    causal(cell)
    y, *_ = cell.step(q.params, q.xs[0], *taken(cell.edges(), q.start))
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


@law("saved and loaded")
def saved_and_loaded(cell: Cell, seed: int) -> None:
    """Run, save, load and run on: the same bits as without saving, in values and gradients."""
    q = problem(cell, 4, 2, seed)
    _, middle = Problem(cell, q.params, q.xs[:2], q.start).run()
    with TemporaryDirectory() as folder:
        path = Path(folder, "weights.safetensors")
        try:
            checkpoint.save(path, q.params, cell, state=middle)
        except ImportError as error:
            raise DoesNotApply(str(error)) from None
        params, same, metadata = checkpoint.load(path)
    agree((params, metadata["state"]), (q.params, middle), "what was saved")
    without = Problem(cell, q.params, q.xs[2:], middle)
    loaded = Problem(same, params, q.xs[2:], metadata["state"])
    agree(loaded.run(), without.run(), "run on")
    agree(loaded.gradients(), without.gradients(), "gradients of the run on")
