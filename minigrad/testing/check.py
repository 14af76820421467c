"""`check_gradients`: whether every derivative of a function is right, and if not, a report."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.autodiff import vjp
from minigrad.testing.artifacts import ARTIFACTS, save
from minigrad.testing.compare import GradientCheck, compare
from minigrad.testing.flat import Flat, has_derivative, plain
from minigrad.testing.progress import doing
from minigrad.testing.promises import check_promises
from minigrad.testing.report import mismatch

METHODS = ("auto", "adjoint", "complex", "differences")
TALLY = {"checks": 0, "kinks": 0, "unjudged": 0, "failed": 0}
"""What was checked in this process, for the summary line of a test run."""


def check_gradients(
    fn: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    method: str = "auto",
    seed: int = 0,
    artifacts: Any = None,
) -> GradientCheck:
    """Check every derivative of `fn` at `inputs`; the result says how near it was.

    It says too what cannot be judged, in `unjudged`: an infinite slope, or a derivative that moves
    with every rounding. That is no error, and no proof.

    Args:
        fn: a function of arrays, nested dictionaries, lists and tuples of them, written with
            minigrad; it returns one array or several.
        inputs: where to check. Integers and flags are passed on and not differentiated; float32
            becomes float64, whose rounding hides nothing.
        order: 2 also checks the derivative of the gradient.
        method: "adjoint" compares reverse and forward mode only; "complex" and "differences" also
            with a derivative without rules; "auto" chooses.
        seed: of the random directions.
        artifacts: a folder for the report, the program and its picture, should the check fail.

    Raises:
        GradientMismatch: with a report; it is an `AssertionError`.
        ValueError: there is no float among the inputs, or a number is not finite there.
        TypeError: `fn` is no function, or gives something else than arrays.

    >>> import minigrad as mg, numpy as np
    >>> check_gradients(lambda x, w: mg.tanh(x @ w), np.ones((2, 3)), np.ones((3, 2))).method
    'complex step'
    """
    if method not in METHODS:
        raise ValueError(f"check_gradients: unknown method {method!r}; there are {METHODS}")
    if not callable(fn):
        raise TypeError(f"check_gradients takes a function and its inputs, got {fn!r:.60}")
    if order < 1:
        raise ValueError(f"check_gradients: order is 1 for gradients, 2 for theirs, got {order}")
    f = Flat(fn, inputs)
    with doing("check_gradients"), doing("differentiating"):
        has_derivative(f)
        broken = check_promises(f, seed)
        result = compare(f, seed, method)
    TALLY["checks"] += 1
    TALLY["kinks"] += result.kink is not None
    TALLY["unjudged"] += result.unjudged is not None
    if broken or not result.holds:
        TALLY["failed"] += 1
        folder = artifacts or os.environ.get(ARTIFACTS)
        with doing("check_gradients"), doing("a gradient is wrong"):
            error = mismatch(f, result, broken, seed)
            if folder is not None:
                error.args = (f"{error}\n  {save(error, Path(folder))}",)
        raise error
    if order > 1 and result.unjudged is None:
        next_order = check_gradients(
            _pulled(f, seed), *f.points, order=order - 1, method=method, seed=seed + 1
        )
        result.unjudged = next_order.unjudged
    return result


def _pulled(f: Flat, seed: int) -> Callable[..., Any]:
    """The gradient of a random combination of the results, as a function of the inputs."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        seeds = [np.asarray(rng.normal(size=np.shape(plain(y)))) for y in f(*f.points)]

    def gradient(*points: Any) -> Any:
        _, pull = vjp(lambda *xs: f(*xs), *points)
        return pull(seeds)

    return gradient
