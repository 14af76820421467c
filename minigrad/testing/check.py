"""`check_gradients`: whether the gradient of a function is right, and if not, where it goes wrong.

Three independent derivatives along random directions must agree: reverse mode, forward mode, and
one that uses no derivative rule at all. What they may differ by is derived from the graph (see
`rounding`), so a relative error of 1e-9 is found and cancellation is no false alarm.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.autodiff import jvp, vjp
from minigrad.core import Tensor
from minigrad.testing.laws import Broken
from minigrad.testing.numeric import (
    COMPLEX_LIMIT,
    COMPLEX_UNSAFE,
    Kink,
    complex_step,
    fastest,
    nearest_kink,
    richardson,
    step_size,
)
from minigrad.testing.rounding import EPSILON, ROUNDINGS, PathScale, expanded
from minigrad.tree import flatten

Array = np.ndarray[Any, np.dtype[Any]]
METHODS = ("auto", "adjoint", "complex", "differences")
TALLY = {"checks": 0, "kinks": 0, "failed": 0}
"""What was checked in this process, for the summary line of a test run."""

TINY = float(np.finfo(float).tiny)
APART = 16
"""Up to so many inputs are moved one at a time, which finds smaller faults."""


@dataclass(frozen=True)
class Comparison:
    """Two derivatives along one direction.

    Attributes:
        what: "reverse and forward mode", or how the second was computed.
        leaf: the number of the input that moves, −1 for all together.
        got, wanted: the two numbers; allowed: what they may differ by; scale: S.
    """

    what: str
    leaf: int
    got: float
    wanted: float
    allowed: float
    scale: float

    @property
    def holds(self) -> bool:
        """Whether they agree; NaN does not, nor does a number with infinity."""
        # Below the smallest normal number digits are lost, whatever the path.
        return abs(self.got - self.wanted) <= self.allowed + TINY or self.got == self.wanted


@dataclass
class GradientCheck:
    """What a check found.

    Attributes:
        names: of the inputs' leaves.
        comparisons: all that were made.
        method: how the independent derivative was computed.
        kink: the nearest kink, if it is so near that no independent derivative exists.
        is_cut: no result is a tensor, so no gradient can reach the inputs.

    >>> import minigrad as mg
    >>> check = check_gradients(lambda x, y: mg.sin(x) * y, 1.0, 2.0)
    >>> check.names, [c.what for c in check.comparisons][1:]
    (['x', 'y'], ['reverse and forward mode', 'complex step'])
    >>> abs(check.worst.got - check.worst.wanted) <= check.worst.allowed
    True
    """

    names: list[str]
    comparisons: list[Comparison] = field(default_factory=list)
    method: str = "adjoint"
    kink: Kink | None = None
    is_cut: bool = False

    @property
    def worst(self) -> Comparison:
        """The comparison that comes nearest to its bound, or is farthest beyond it."""
        return max(self.comparisons, key=_excess)

    def __repr__(self) -> str:
        if not self.comparisons:
            return "<GradientCheck: nothing to differentiate>"
        kink = f", kink: {self.kink}" if self.kink else ""
        ok = all(c.holds for c in self.comparisons)
        return (
            f"<GradientCheck {'ok' if ok else 'FAILED'}: {len(self.comparisons)} comparisons, "
            f"worst at {_excess(self.worst):.2g} of what is allowed, method {self.method}{kink}>"
        )


def _excess(c: Comparison) -> float:
    off = 0.0 if c.got == c.wanted else abs(c.got - c.wanted)
    if np.isnan(off):
        return float("inf")
    return off / c.allowed if c.allowed else (float("inf") if off else 0.0)


class Flat:
    """A function of nested arguments as one of its float leaves, with a list of results."""

    def __init__(self, fn: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.fn = fn
        leaves, self.tree = flatten(tuple(inputs))
        # A check needs double precision: rounding of single hides the errors it looks for.
        self.leaves = [_wide(x) for x in leaves]
        self.moving = [k for k, x in enumerate(self.leaves) if x.dtype.kind == "f"]
        self.names = [_argument_names(fn, inputs)[k] for k in self.moving]
        self.points = [self.leaves[k] for k in self.moving]

    def __call__(self, *points: Any) -> list[Any]:
        """The results for float leaves alone."""
        leaves: list[Any] = list(self.leaves)
        for k, x in zip(self.moving, points, strict=True):
            leaves[k] = x
        return flatten(self.fn(*self.tree.unflatten(leaves)))[0]


def _wide(x: Any) -> Array:
    array = np.array(getattr(x, "data", x) if type(x) is Tensor else x)
    return array.astype(float) if array.dtype.kind == "f" else array


def _argument_names(fn: Callable[..., Any], inputs: Sequence[Any]) -> list[str]:
    """`x`, `p.W_hh`, `xs[0]`: the parameter's name in the function's signature, and the path."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for k, value in enumerate(inputs):
        positional = k < len(parameters) and parameters[k].kind != inspect.Parameter.VAR_POSITIONAL
        prefix = parameters[k].name if positional else f"input {k + 1}"
        names += flatten(value)[1].paths(prefix)
    return names


def compare(f: Flat, seed: int = 0, method: str = "auto") -> GradientCheck:
    """All derivatives along random directions; nothing is raised."""
    rng = np.random.default_rng(seed)
    result = GradientCheck(f.names)
    leaves = [Tensor(x, name) for x, name in zip(f.points, f.names, strict=True)]
    with np.errstate(all="ignore"):
        tensors = f(*leaves)
        outputs = [y for y in tensors if type(y) is Tensor and y.dtype.kind == "f"]
        if not f.points:
            return result
        seeds = [np.asarray(rng.normal(size=np.shape(_plain(y)))) for y in tensors]
        along = [np.asarray(rng.normal(size=x.shape)) for x in f.points]
        if not outputs:  # right for a constant; otherwise something cut the graph
            wanted, off = richardson(f, f.points, along, seeds, 0.0)
            result.method, result.is_cut = "differences", True
            result.comparisons.append(Comparison("differences", -1, 0.0, wanted, off, 0.0))
            return result
        own = [w for y, w in zip(tensors, seeds, strict=True) if any(y is o for o in outputs)]
        scale = _Scale(outputs, own, leaves)
        _, pull = vjp(lambda *xs: f(*xs), *f.points)
        back = pull([w.astype(_plain(y).dtype) if type(y) is Tensor else w
                     for y, w in zip(tensors, seeds, strict=True)])  # fmt: skip
        groups = [[k] for k in range(len(leaves))] if len(leaves) <= APART else []
        for group in groups or [list(range(len(leaves)))]:
            result.comparisons.append(_adjoint(f, group, along, seeds, back, scale))
        if method != "adjoint":
            _independent(f, result, along, seeds, back, scale, method)
    return result


def _plain(y: Any) -> Any:
    return y.data if type(y) is Tensor else np.asarray(y)


class _Scale:
    """The path scale along directions of some of the leaves, loops taken step by step."""

    def __init__(self, outputs: list[Tensor], seeds: list[Array], leaves: list[Tensor]) -> None:
        self.leaves = leaves
        self.paths = PathScale(outputs, seeds)
        self.ops = {node.primitive.name for node in self.paths.nodes if node.primitive}
        if "scan" in self.ops:
            parts = [(expanded(y, leaves), w) for y, w in zip(outputs, seeds, strict=True)]
            self.inner = [
                (fresh, PathScale([y], [w])) for (fresh, y), w in parts if type(y) is Tensor
            ]
        else:
            self.inner = [(leaves, self.paths)]

    def along(self, group: Sequence[int], directions: Sequence[Array]) -> float:
        """S where these leaves move and all others stand still."""
        moved = [directions[k] for k in group]
        return sum(paths.along([leaves[k] for k in group], moved) for leaves, paths in self.inner)


def _adjoint(
    f: Flat, group: list[int], along: Sequence[Array], seeds: Sequence[Array], back: Any,
    scale: _Scale,
) -> Comparison:  # fmt: skip
    """⟨w, J v⟩ = ⟨Jᵀ w, v⟩ where only the leaves in `group` move."""

    def part(*chosen: Any) -> list[Any]:
        points: list[Any] = list(f.points)
        for k, x in zip(group, chosen, strict=True):
            points[k] = x
        return f(*points)

    _, forward = jvp(part, [f.points[k] for k in group], [along[k] for k in group])
    got = sum(float(np.sum(back[k] * along[k])) for k in group)
    wanted = sum(float(np.sum(w * t)) for w, t in zip(seeds, forward, strict=True))
    size = scale.along(group, along)
    return Comparison(
        "reverse and forward mode", group[0] if len(group) == 1 else -1, got, wanted,
        ROUNDINGS * EPSILON * size, size,
    )  # fmt: skip


def _independent(
    f: Flat, result: GradientCheck, along: Sequence[Array], seeds: Sequence[Array], back: Any,
    scale: _Scale, method: str,
) -> None:  # fmt: skip
    """Reverse mode against a derivative without rules, all leaves moving together."""
    size = scale.along(range(len(f.points)), along)
    kink = nearest_kink(scale.paths.nodes, scale.paths.tangents)
    largest = max(float(np.max(np.abs(x.data), initial=0.0)) for x in scale.paths.nodes
                  if x.dtype.kind == "f")  # fmt: skip
    safe = not scale.ops & COMPLEX_UNSAFE and largest <= COMPLEX_LIMIT
    got = float(sum(np.sum(g * v) for g, v in zip(back, along, strict=True)))
    allowed = ROUNDINGS * EPSILON * size
    unsafe = sorted(scale.ops & COMPLEX_UNSAFE)
    if method == "complex" and unsafe:
        raise ValueError(
            f"check_gradients: a complex step does not come through {', '.join(unsafe)}; "
            "method='auto' takes differences there"
        )
    if (method == "auto" and safe) or method == "complex":
        if kink is not None and kink.distance < 64 * EPSILON * (1 + largest):
            result.kink = kink
            return
        try:
            wanted = complex_step(f, f.points, along, seeds)
        except (TypeError, ValueError):
            if method == "complex":
                raise
        else:
            result.method = "complex step"
            result.comparisons.append(Comparison("complex step", -1, got, wanted, allowed, size))
            return
    speed = max(fastest(paths.nodes, paths.tangents) for _, paths in scale.inner)
    if kink is not None and kink.distance < 2 * step_size(f.points, along, speed):
        result.kink = kink
        return
    wanted, off = richardson(f, f.points, along, seeds, size, speed)
    result.method = "differences"
    result.comparisons.append(Comparison("differences", -1, got, wanted, off + allowed, size))


def check_gradients(
    fn: Callable[..., Any],
    *inputs: Any,
    order: int = 1,
    method: str = "auto",
    seed: int = 0,
    artifacts: Any = None,
) -> GradientCheck:
    """Check every derivative of `fn` at `inputs`; the result says how near it was.

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
    from minigrad.testing.promises import check_promises
    from minigrad.testing.report import mismatch

    if method not in METHODS:
        raise ValueError(f"check_gradients: unknown method {method!r}; there are {METHODS}")
    if not callable(fn):
        raise TypeError(f"check_gradients takes a function and its inputs, got {fn!r:.60}")
    if order < 1:
        raise ValueError(f"check_gradients: order is 1 for gradients, 2 for theirs, got {order}")
    f = Flat(fn, inputs)
    _has_derivative(f)
    broken = check_promises(f, seed)
    result = compare(f, seed, method)
    TALLY["checks"] += 1
    TALLY["kinks"] += result.kink is not None
    if broken or not all(c.holds for c in result.comparisons):
        TALLY["failed"] += 1
        folder = artifacts or os.environ.get("MINIGRAD_ARTIFACTS")
        raise mismatch(f, result, broken, seed, folder)
    if order > 1:
        check_gradients(_pulled(f, seed), *f.points, order=order - 1, method=method, seed=seed + 1)
    return result


def _has_derivative(f: Flat) -> None:
    """Raise where there is nothing to compare: no floats, or numbers that are not finite."""
    if not f.points:
        told = ", ".join(f"{x.dtype}{list(x.shape)}" for x in f.leaves) or "no arrays"
        raise ValueError(f"check_gradients: nothing to differentiate; the inputs are {told}")
    for name, x in zip(f.names, f.points, strict=True):
        if not np.all(np.isfinite(x)):
            raise ValueError(f"check_gradients: {name} has entries that are not finite: {x!r:.60}")
    with np.errstate(all="ignore"):
        outputs = f(*(Tensor(x, name) for x, name in zip(f.points, f.names, strict=True)))
    for y in outputs:
        array = np.asarray(_plain(y))
        if array.dtype.kind not in "fiub":
            raise TypeError(f"check_gradients: the function must return arrays, got {y!r:.60}")
        if not np.all(np.isfinite(array)):
            raise ValueError(
                f"check_gradients: the result has entries that are not finite: {array!r:.60}; "
                "there is no gradient to compare, choose other inputs"
            )


def _pulled(f: Flat, seed: int) -> Callable[..., Any]:
    """The gradient of a random combination of the results, as a function of the inputs."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        seeds = [np.asarray(rng.normal(size=np.shape(_plain(y)))) for y in f(*f.points)]

    def gradient(*points: Any) -> Any:
        _, pull = vjp(lambda *xs: f(*xs), *points)
        return pull(seeds)

    return gradient


__all__ = ["Broken", "Comparison", "Flat", "GradientCheck", "check_gradients", "compare"]
