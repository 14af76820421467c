"""Three independent derivatives along random directions, and what they may differ by.

Reverse mode, forward mode, and one that uses no derivative rule at all. The bound is derived from
the graph (see `rounding`), so a relative error of 1e-9 is found and cancellation is no alarm.

There are three answers. What comes to a kink, or has an infinite slope, is held still, and the rest
is compared. Where a derivative itself moves as far as two are apart when every value is moved by
one rounding, as in a chaotic loop, it cannot be judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minigrad.autodiff import jvp, vjp
from minigrad.core import Array, Tensor, ancestors, pull_back
from minigrad.testing.flat import Flat, plain
from minigrad.testing.numeric import (
    COMPLEX_LIMIT,
    MARGIN,
    Kink,
    Line,
    across,
    both_sides,
    complex_step,
    differences,
    fastest,
    nearest_kink,
    richardson,
    step_size,
    weigh,
)
from minigrad.testing.rounding import EPSILON, ROUNDINGS, PathScale, cotangents, expanded, precision

TINY = float(np.finfo(float).tiny)
APART = 16
"""Up to so many inputs are moved one at a time, which finds smaller faults."""
STIRRED = 4
"""How often every value is moved by a rounding, to see how far the derivative moves."""


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
        kink: the nearest kink, if it is so near that no independent derivative exists there.
        unjudged: what cannot be judged and why, None where all could be.
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
    unjudged: str | None = None
    is_cut: bool = False

    @property
    def worst(self) -> Comparison:
        """The comparison that comes nearest to its bound, or is farthest beyond it."""
        return max(self.comparisons, key=_excess)

    def __repr__(self) -> str:
        if not self.comparisons:
            why = f" cannot be judged: {self.unjudged}" if self.unjudged else ": nothing to compare"
            return f"<GradientCheck{why}>"
        kink = f", kink: {self.kink}" if self.kink else ""
        verdict = "ok" if self.holds else "FAILED"
        if self.holds and self.unjudged is not None:
            verdict = f"cannot be judged: {self.unjudged}"
        return (
            f"<GradientCheck {verdict}: {len(self.comparisons)} comparisons, "
            f"worst at {_excess(self.worst):.2g} of what is allowed, method {self.method}{kink}>"
        )

    @property
    def holds(self) -> bool:
        """Whether no comparison shows a fault."""
        return all(c.holds for c in self.comparisons)


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
            wanted, off = richardson(Line(f, f.points, along, seeds))
            result.method, result.is_cut = "differences", True
            result.comparisons.append(Comparison("differences", -1, 0.0, wanted, off, 0.0))
            return result
        own = [w for y, w in zip(tensors, seeds, strict=True) if any(y is o for o in outputs)]
        _, pull = vjp(lambda *xs: f(*xs), *f.points)
        back = pull([w.astype(plain(y).dtype) if type(y) is Tensor else w
                     for y, w in zip(tensors, seeds, strict=True)])  # fmt: skip
        at = _At(f, outputs, own, seeds, leaves, back, rng)
        _steep(at, result)
        along = [np.where(np.isfinite(g), v, 0.0) for g, v in zip(back, along, strict=True)]
        groups = [[k] for k in range(len(leaves))] if len(leaves) <= APART else []
        for group in groups or [list(range(len(leaves)))]:
            _adjoint(at, result, group, along)
        if method != "adjoint":
            _independent(at, result, along, method)
    return result


class _At:
    """A function at a point: its gradient by rules, and its graph with loops step by step."""

    def __init__(
        self, f: Flat, outputs: list[Tensor], own: list[Array], seeds: list[Array],
        leaves: list[Tensor], back: Any, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.f, self.seeds, self.back, self.rng = f, seeds, back, rng
        self.given, self.own = (outputs, leaves), own
        self.paths = PathScale(outputs, own)
        self.leaves = leaves
        if any(x.primitive is not None and x.primitive.kind == "loop" for x in self.paths.nodes):
            self.leaves, ys = expanded(*self.given)
            inner = [(y, w) for y, w in zip(ys, own, strict=True) if type(y) is Tensor]
            self.paths = PathScale([y for y, _ in inner], [w for _, w in inner])
        self.epsilon = EPSILON * max(precision(x) for x in self.paths.nodes
                                     if type(x._data) is np.ndarray)  # fmt: skip

    def along(self, group: Sequence[int], directions: Sequence[Array]) -> float:
        """The path scale where these leaves move and all others stand still."""
        return self.paths.along([self.leaves[k] for k in group], [directions[k] for k in group])

    def reverse(self, group: Sequence[int], along: Sequence[Array]) -> float:
        """⟨Jᵀ w, v⟩ where these leaves move and all others stand still."""
        return _inner([self.back[k] for k in group], [along[k] for k in group])

    def stirred(self, along: Sequence[Array]) -> tuple[float, float]:
        """How far roundings may move value and derivative, found by moving every value by one."""
        values = [weigh([y.data for y in self.given[0]], self.own)]
        slopes = [_inner(self.back, along)]
        for _ in range(STIRRED):
            fresh, ys = expanded(*self.given, self.rng)
            values.append(weigh([plain(y) for y in ys], self.own))
            start = cotangents(
                [y for y in ys if type(y) is Tensor],
                [w for y, w in zip(ys, self.own, strict=True) if type(y) is Tensor],
            )
            back = pull_back(ancestors(*ys), start, {x.serial for x in fresh}, recorded=False)
            slopes.append(_inner([back.get(x.serial, np.zeros(x.shape)) for x in fresh], along))
        # A value at the edge of its domain may be moved beyond; nothing follows from NaN.
        far = [np.abs(np.subtract(xs[1:], xs[0])) for xs in (values, slopes)]
        value, slope = (float(np.max(x, initial=0.0, where=np.isfinite(x))) for x in far)
        for g, x, v in zip(self.back, self.f.points, along, strict=True):
            value += EPSILON * float(np.sum(np.abs(np.where(v != 0, g * x, 0.0))))  # of x + h v
        return MARGIN * value, MARGIN * slope

    def moves(self, along: Sequence[Array], h: float) -> float:
        """How far the derivative by rules moves on a step to either side."""
        slopes = []
        for side in (0.0, h, -h):
            points = [x + side * v for x, v in zip(self.f.points, along, strict=True)]
            outputs, pull = vjp(lambda *xs: self.f(*xs), *points)
            seeds = [w.astype(plain(y).dtype) for w, y in zip(self.seeds, outputs, strict=True)]
            slopes.append(_inner(pull(seeds), along))
        return float(np.max(np.abs(np.subtract(slopes[1:], slopes[0]))))


def _inner(back: Sequence[Array], along: Sequence[Array]) -> float:
    """⟨g, v⟩; an entry that stands still takes no part, whatever its slope."""
    parts = (np.where(v != 0, g, 0.0) * v for g, v in zip(back, along, strict=True))
    return float(sum(map(np.sum, parts)))


def _steep(at: _At, result: GradientCheck) -> None:
    """Entries whose gradient is not finite: a fault, unless there is no slope at all."""
    f = at.f
    for k, g in enumerate(at.back):
        for index in np.argwhere(~np.isfinite(g))[:APART]:
            along = [np.zeros(x.shape) for x in f.points]
            along[k][tuple(index)] = 1.0
            line = Line(f, f.points, along, at.seeds)
            wanted, off = richardson(line)
            name = f.place(k, tuple(index))
            if both_sides(line) is None and np.isfinite(wanted + off):
                result.comparisons.append(
                    Comparison("differences", k, float(g[tuple(index)]), wanted, off, 0.0)
                )
            else:
                result.unjudged = f"{name} has no finite slope"


def _adjoint(at: _At, result: GradientCheck, group: list[int], along: Sequence[Array]) -> None:
    """⟨w, J v⟩ = ⟨Jᵀ w, v⟩ where only the leaves in `group` move."""
    f = at.f

    def part(*chosen: Any) -> list[Any]:
        points: list[Any] = list(f.points)
        for k, x in zip(group, chosen, strict=True):
            points[k] = x
        return f(*points)

    _, forward = jvp(part, [f.points[k] for k in group], [along[k] for k in group])
    wanted = sum(float(np.sum(w * t)) for w, t in zip(at.seeds, forward, strict=True))
    if result.unjudged is not None and not np.isfinite(wanted):
        return  # 0 · ∞ where an entry of infinite slope is held still
    size = at.along(group, along)
    result.comparisons.append(Comparison(
        "reverse and forward mode", group[0] if len(group) == 1 else -1, at.reverse(group, along),
        wanted, ROUNDINGS * EPSILON * size, size,
    ))  # fmt: skip


def _independent(at: _At, result: GradientCheck, along: Sequence[Array], method: str) -> None:
    """Reverse mode against a derivative without rules, all leaves moving together."""
    f, nodes, everything = at.f, at.paths.nodes, range(len(at.leaves))
    size = at.along(everything, along)
    largest = max(float(np.max(np.abs(x.data), initial=0.0)) for x in nodes if x.dtype.kind == "f")
    close = 64 * at.epsilon * (1 + largest)
    speed = fastest(nodes, at.paths.tangents)
    near = max(close, 2 * step_size(f.points, along, speed, at.epsilon))
    kink = nearest_kink(nodes, at.paths.tangents)
    if kink is not None and kink.distance < near:
        result.kink = kink
        along = _held(at, along, near)
        size = at.along(everything, along)
        kink = nearest_kink(nodes, at.paths.tangents)
    if not any(map(np.any, along)) or (kink is not None and kink.distance < close):
        return
    result.method, wanted, off, step = _without_rules(at, along, method, speed, kink)
    if not np.isfinite(wanted):
        result.unjudged = "a small step leaves the domain of the function"
        return
    found = Comparison(
        result.method, -1, at.reverse(everything, along), wanted,
        ROUNDINGS * EPSILON * size + off, size,
    )  # fmt: skip
    if not found.holds and np.isfinite(found.got):
        far = at.stirred(along)[1]
        known = max(abs(found.got), abs(found.wanted))
        wider = replace(found, allowed=found.allowed + far)
        found = wider if wider.holds else found
        if found.holds and far > np.sqrt(at.epsilon) * known:
            result.unjudged = (
                f"the derivative, {found.got:.3g}, itself moves by {far:.2g} "
                "when every value is moved by one rounding"
            )
        far = 0.0 if found.holds or not step else max(off, at.moves(along, step))
        if far > known / 2:
            result.unjudged = (
                f"the derivative, {found.got:.3g}, itself moves by {far:.2g} over a step of "
                f"{step:.2g}, and shorter differences are rounding"
            )
            return
    result.comparisons.append(found)


def _held(at: _At, along: Sequence[Array], near: float) -> list[Array]:
    """The directions with every entry held still that moves an operand to a kink."""
    start = across(at.paths.nodes, at.paths.tangents, near, at.rng)
    wanted = {x.serial for x in at.leaves}
    moving = pull_back(at.paths.nodes, start, wanted, recorded=False)
    none = np.zeros(())
    return [
        np.where(moving.get(x.serial, none) != 0, 0.0, v)
        for x, v in zip(at.leaves, along, strict=True)
    ]


def _without_rules(
    at: _At, along: Sequence[Array], method: str, speed: float, kink: Kink | None
) -> tuple[str, float, float, float]:
    """The way, the derivative, what it may be off by (its rules' rounding apart), and the step."""
    line = Line(at.f, at.f.points, along, at.seeds)
    curved = [
        x for node in at.paths.nodes if node.primitive and node.primitive.numerics.bends
        for x in node.parents if type(x) is Tensor
    ]  # fmt: skip
    is_small = all(np.max(np.abs(x.data), initial=0.0) <= COMPLEX_LIMIT for x in curved)
    # That of a small part which is not holomorphic would be wrong, and the whole seem right.
    passes = all(x.primitive.numerics.holomorphic for x in at.paths.nodes if x.primitive)
    exact = None
    if passes and (method == "complex" or (method == "auto" and is_small)):
        exact = complex_step(line)
    most = kink.distance / 4 if kink is not None else np.inf
    if exact is not None:
        rough, off = richardson(line, 0.0, speed, most)
        if abs(exact - rough) <= off:
            return "complex step", exact, 0.0, 0.0
    noise = at.stirred(along)[0]
    rough, off, step = differences(line, noise, speed, most)
    if exact is not None and (abs(exact - rough) <= off or np.isnan(rough)):
        return "complex step", exact, 0.0, 0.0
    if method == "complex":
        raise ValueError(
            "check_gradients: a complex step does not come through this function, or it is not "
            "holomorphic; method='auto' takes differences there"
        )
    return "differences", rough, off, step
