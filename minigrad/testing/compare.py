"""Three independent derivatives along random directions, and what they may differ by.

Reverse mode, forward mode, and one that uses no derivative rule at all. The bound is derived from
the graph (see `rounding`), so a relative error of 1e-9 is found and cancellation is no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.autodiff import jvp, vjp
from minigrad.core import Array, Tensor
from minigrad.testing.flat import Flat, plain
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
    >>> check = mg.testing.check_gradients(lambda x, y: mg.sin(x) * y, 1.0, 2.0)
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
        seeds = [np.asarray(rng.normal(size=np.shape(plain(y)))) for y in tensors]
        along = [np.asarray(rng.normal(size=x.shape)) for x in f.points]
        if not outputs:  # right for a constant; otherwise something cut the graph
            wanted, off = richardson(f, f.points, along, seeds, 0.0)
            result.method, result.is_cut = "differences", True
            result.comparisons.append(Comparison("differences", -1, 0.0, wanted, off, 0.0))
            return result
        own = [w for y, w in zip(tensors, seeds, strict=True) if any(y is o for o in outputs)]
        scale = _Scale(outputs, own, leaves)
        _, pull = vjp(lambda *xs: f(*xs), *f.points)
        back = pull([w.astype(plain(y).dtype) if type(y) is Tensor else w
                     for y, w in zip(tensors, seeds, strict=True)])  # fmt: skip
        groups = [[k] for k in range(len(leaves))] if len(leaves) <= APART else []
        for group in groups or [list(range(len(leaves)))]:
            result.comparisons.append(_adjoint(f, group, along, seeds, back, scale))
        if method != "adjoint":
            _independent(f, result, along, seeds, back, scale, method)
    return result


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
