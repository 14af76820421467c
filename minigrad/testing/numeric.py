"""Derivatives that use no rule of ours: complex step, extrapolated differences; and kinks.

Im f(x + ih)/h has no subtraction, so h can be tiny and the result is right to rounding (Squire and
Trapp 1998). Where a function does not take complex numbers, Richardson's extrapolation of central
differences gives a derivative and an estimate of its own error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import Array, Tensor
from minigrad.testing.rounding import EPSILON

STEP = 1e-30

COMPLEX_UNSAFE = frozenset(("absolute", "astype", "detach", "sign", "scan", "one_hot"))
"""Their results drop or misread a complex step: |x + ih| is real, detach lets it through."""

COMPLEX_LIMIT = 32.0
"""Complex kernels keep only absolute digits for large arguments; beyond it differences are used."""


def weigh(outputs: Sequence[Any], seeds: Sequence[Array]) -> Any:
    """Σ ⟨seed, output⟩ over all outputs."""
    return sum((np.sum(np.asarray(y) * w) for y, w in zip(outputs, seeds, strict=True)), 0.0)


def complex_step(
    f: Callable[..., Sequence[Any]],
    points: Sequence[Array],
    along: Sequence[Array],
    seeds: Sequence[Array],
) -> float:
    """The derivative of Σ ⟨seed, f⟩ by a complex step."""
    moved = f(*(x + 1j * STEP * v for x, v in zip(points, along, strict=True)))
    return float(np.imag(weigh(moved, seeds)) / STEP)


def step_size(points: Sequence[Array], along: Sequence[Array], speed: float = 0.0) -> float:
    """Half of the size of the inputs times ε to the 1/5, for a direction of any length.

    `speed` is how fast the arguments of functions like sin and exp move, in units of their own: a
    step across a whole period would see nothing of the slope.
    """
    size = max([float(np.max(np.abs(x), initial=0.0)) for x in points] + [1e-3])
    longest = max([float(np.max(np.abs(v), initial=0.0)) for v in along] + [1e-300])
    return float(min(0.5 * size * EPSILON**0.2 / longest, REACH / max(speed, 1e-300)))


REACH = 1 / 32
"""How far a difference may move the argument of a function of unit scale."""

UNIT_SCALE = frozenset(["sin", "cos", "tanh", "sigmoid", "softplus", "exp", "expm1", "logsumexp",
                        "softmax", "log_softmax", "likelihood"])  # fmt: skip
OWN_SCALE = {"log": 0, "sqrt": 0, "divide": 1, "power": 0}
"""Which operand they depend on in proportion to its size."""
CURVED = UNIT_SCALE | set(OWN_SCALE) | {"log1p"}


def fastest(nodes: Sequence[Tensor], tangents: dict[int, Any]) -> float:
    """The greatest speed of an argument of a curved function, in units of its own."""
    found = [0.0]
    for node in nodes:
        op = node.primitive.name if node.primitive is not None else ""
        for k, x in enumerate(node.parents):
            if type(x) is not Tensor or x.serial not in tangents or op not in CURVED or not x.size:
                continue
            moved = np.abs(tangents[x.serial])
            if op in UNIT_SCALE:
                found.append(float(np.max(moved)))
            elif OWN_SCALE.get(op) == k or op == "log1p":
                size = np.abs(x.data + (op == "log1p"))
                found.append(float(np.max(moved / np.maximum(size, 1e-300))))
    return max(found)


def extrapolated(central: Callable[[float], Any], h: float) -> tuple[Any, Any]:
    """What central differences of steps h, h/2 and h/4 tend to, and what it may be off by.

    >>> best, off = extrapolated(lambda h: (np.exp(h) - np.exp(-h)) / (2 * h), 0.125)
    >>> bool(abs(best - 1) < off < 1e-5)
    True
    """
    rough, fine, finest = central(h), central(h / 2), central(h / 4)
    first, second = (4 * fine - rough) / 3, (4 * finest - fine) / 3
    return (16 * second - first) / 15, 3 * np.abs(second - first)


def richardson(
    f: Callable[..., Sequence[Any]],
    points: Sequence[Array],
    along: Sequence[Array],
    seeds: Sequence[Array],
    scale: float,
    speed: float = 0.0,
) -> tuple[float, float]:
    """The derivative of Σ ⟨seed, f⟩ by three central differences, and what it may be off by.

    `scale` is the path scale of the derivative: the values that are subtracted have an error of
    about ε of it, besides ε of their own size.
    """
    h = step_size(points, along, speed)

    def central(h: float) -> float:
        ahead = weigh(f(*(x + h * v for x, v in zip(points, along, strict=True))), seeds)
        behind = weigh(f(*(x - h * v for x, v in zip(points, along, strict=True))), seeds)
        return float((ahead - behind) / (2 * h))

    best, off = extrapolated(central, h)
    size = max(float(np.max(np.abs(x), initial=0.0)) for x in points)
    longest = max(float(np.max(np.abs(v), initial=0.0)) for v in along)
    values = weigh([np.abs(y) for y in f(*points)], [np.abs(w) for w in seeds])
    noise = 4 * EPSILON * (float(values) + scale * size / max(longest, 1e-300)) / (h / 4)
    return best, off + noise


def both_sides(
    f: Callable[..., Sequence[Any]],
    points: Sequence[Array],
    along: Sequence[Array],
    seeds: Sequence[Array],
) -> tuple[float, float] | None:
    """The slopes of Σ ⟨seed, f⟩ on the left and on the right; None where they meet.

    Where a function is smooth, half the step halves how far they are apart; at a kink it does not.
    """
    h = step_size(points, along)
    here = weigh(f(*points), seeds)

    def side(h: float) -> float:
        there = weigh(f(*(x + h * v for x, v in zip(points, along, strict=True))), seeds)
        return float((there - here) / h)

    def slope(h: float) -> float:
        return 2 * side(h / 2) - side(h)  # the part that grows with h falls out

    left, right = slope(-h), slope(h)
    apart = [abs(side(step) - side(-step)) for step in (h, h / 2, h / 4)]
    size = max(abs(left), abs(right))
    is_kink = apart[2] > 0.75 * apart[0] and apart[2] > 1e-6 * size
    return (left, right) if is_kink else None


# --- kinks --------------------------------------------------------------------------------------

BY_DIFFERENCE = frozenset(
    ["maximum", "minimum", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal"]
)


KINKED = BY_DIFFERENCE | {"relu", "absolute", "sign", "clip", "max", "min"}


@dataclass(frozen=True)
class Kink:
    """A place where a function has no derivative, and how near it is.

    Attributes:
        op: the primitive.
        distance: of an operand to the place; relative to how fast it moves, if it does.
    """

    op: str
    distance: float

    def __str__(self) -> str:
        return f"{self.op} at a distance of {self.distance:.2g}"


def nearest_kink(nodes: Sequence[Tensor], tangents: dict[int, Any]) -> Kink | None:
    """The kink that moving along the tangents reaches first; None if there is none."""
    found: list[Kink] = []
    for node in nodes:
        if node.primitive is None:
            continue
        op = node.primitive.name
        gap = _gaps(op, node)
        if gap is None or not gap.size:
            continue
        speed = sum(
            float(np.max(np.abs(tangents[x.serial]), initial=0.0))
            for x in node.parents
            if type(x) is Tensor and x.serial in tangents
        )
        if speed:
            found.append(Kink(op, float(np.min(gap)) / speed))
    return min(found, key=lambda kink: kink.distance, default=None)


def _gaps(op: str, node: Tensor) -> Any:
    """Distances of a node's operands to its kinks, None where it has none."""
    if op not in KINKED:
        return None
    xs = [np.asarray(getattr(x, "_data", x)) for x in node.parents]
    if op in ("relu", "absolute", "sign"):
        return np.abs(xs[0])
    if op in BY_DIFFERENCE:
        return np.abs(np.subtract(*xs, dtype=float))
    if op == "clip":
        ends = [np.abs(xs[0] - node.attrs[end]) for end in ("low", "high")]
        return np.minimum(*ends)
    # What is left is max and min: how far apart the two are that compete.
    moved = np.moveaxis(xs[0], node.attrs["axis"], range(len(node.attrs["axis"])))
    rows = np.sort(moved.reshape(-1, *moved.shape[len(node.attrs["axis"]) :]), axis=0)
    if len(rows) < 2:
        return None
    return rows[-1] - rows[-2] if op == "max" else rows[1] - rows[0]
