"""Derivatives that use no rule of ours: complex step, extrapolated differences; and kinks.

Im f(x + ih)/h has no subtraction, so h can be tiny and the result is right to rounding (Squire and
Trapp 1998), if f is holomorphic: |x| is not. That is asked: both derivatives must agree (Cauchy and
Riemann). Elsewhere Richardson's extrapolation of central differences gives a derivative and an
estimate of its own error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.core import Array, Tensor
from minigrad.testing.rounding import EPSILON

STEP = 1e-30

COMPLEX_LIMIT = 32.0
"""Complex kernels of curved functions keep only absolute digits for larger arguments."""


MARGIN = 8
"""How many times a measured spread an error may be."""


def weigh(outputs: Sequence[Any], seeds: Sequence[Array]) -> Any:
    """Σ ⟨seed, output⟩ over all outputs."""
    return sum((np.sum(np.asarray(y) * w) for y, w in zip(outputs, seeds, strict=True)), 0.0)


@dataclass(frozen=True)
class Line:
    """Σ ⟨seed, output⟩ of a function whose arguments move along a line.

    Attributes:
        f: the function, of arrays, with a sequence of results.
        points: its arguments; those that are not of floats stay, an index as an index.
        along: for each argument its direction.
        seeds: for each output its weights.
    """

    f: Callable[..., Sequence[Any]]
    points: Sequence[Array]
    along: Sequence[Array]
    seeds: Sequence[Array]

    def outputs(self, h: complex) -> Sequence[Any]:
        """What f gives h further on."""
        pairs = zip(self.points, self.along, strict=True)
        return self.f(*(x + h * v if x.dtype.kind == "f" else x for x, v in pairs))

    def __call__(self, h: Any) -> Any:
        """The weighted sum h further on."""
        return weigh(self.outputs(h), self.seeds)


def complex_step(line: Line) -> float | None:
    """The derivative by a complex step; None where f does not take complex numbers.

    Where f is not holomorphic the number means nothing; compare it with `richardson`'s.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            moved = line.outputs(1j * STEP)
            if not any(map(np.iscomplexobj, moved)):
                return None
            return float(np.imag(weigh(moved, line.seeds)) / STEP)
    except Exception:  # whatever a forward of someone else does with complex numbers
        return None


def step_size(
    points: Sequence[Array], along: Sequence[Array], speed: float = 0.0, epsilon: float = EPSILON
) -> float:
    """Half of the size of what moves times ε to the 1/5, for a direction of any length.

    `speed` is how fast the arguments of functions like sin and exp move, in units of their own: a
    step across a whole period would see nothing of the slope. `epsilon` is the relative error of
    the function's values.
    """
    sizes = [np.max(np.abs(x), initial=0.0) for x, v in zip(points, along, strict=True)
             if x.dtype.kind == "f" and np.any(v)]  # fmt: skip
    size = max([*map(float, sizes), 1e-3])
    longest = max([float(np.max(np.abs(v), initial=0.0)) for v in along] + [1e-300])
    return float(min(0.5 * size * epsilon**0.2 / longest, REACH / max(speed, 1e-300)))


REACH = 1 / 32
"""How far a difference may move an argument, in units of how far its function is straight."""


def fastest(nodes: Sequence[Tensor], tangents: dict[int, Any]) -> float:
    """The greatest speed of an argument of a curved function, in units of its own."""
    found = [0.0]
    for node in nodes:
        bends = node.primitive.numerics.bends if node.primitive is not None else ()
        for x, bend in zip(node.parents, bends, strict=False):  # most have none
            if type(x) is not Tensor or x.serial not in tangents or bend is None or not x.size:
                continue
            moved = np.abs(tangents[x.serial])
            found.append(float(np.max(moved / np.maximum(bend(x.data), 1e-300))))
    return max(found)


def extrapolated(central: Callable[[float], Any], h: float) -> tuple[Any, Any]:
    """A limit by Richardson's extrapolation from h, h/2 and h/4, and how far its parts differ."""
    rough, fine, finest = central(h), central(h / 2), central(h / 4)
    first, second = (4 * fine - rough) / 3, (4 * finest - fine) / 3
    return (16 * second - first) / 15, abs(second - first)


def richardson(
    line: Line, noise: float | None = None, speed: float = 0.0, most: float = np.inf
) -> tuple[float, float]:
    """The derivative by three central differences, and what it may be off by.

    `noise` is how far rounding may move the values that are subtracted, measured if it is not
    given; `most` is the longest step. A step that leaves the domain is made shorter.
    """
    noise = noise_of(line) if noise is None else noise
    values = float(weigh([np.abs(y) for y in line.f(*line.points)], [*map(np.abs, line.seeds)]))
    noise = max(4 * EPSILON * values, noise)
    relative = noise / values if values else EPSILON
    central = lambda h: float((line(h) - line(-h)) / (2 * h))
    h = min(step_size(line.points, line.along, speed, min(max(relative, EPSILON), 1e-3)), most)
    for _ in range(4):
        best, apart = extrapolated(central, h)
        if np.isfinite(best):
            break
        h /= 64
    return best, 3 * apart + 2 * noise / (h / 4)


def differences(
    line: Line, noise: float | None = None, speed: float = 0.0, most: float = np.inf
) -> tuple[float, float, float]:
    """The best that differences of three steps know, what it may be off by, and its step.

    A longer step has less noise, but is believed only if it agrees with the shorter ones.
    """
    noise = noise_of(line) if noise is None else noise
    usual = min(step_size(line.points, line.along, speed), most)
    found = (0.0, np.inf, 0.0)
    for h in (2.0**-20 * usual, 2.0**-10 * usual, most):  # the last is bounded by the noise
        slope, off = richardson(line, noise, speed, h)
        if not off >= found[1] and not abs(slope - found[0]) > off + found[1]:
            found = slope, off, min(h, usual)
    return found


def noise_of(line: Line) -> float:
    """How far rounding may move the values on a line, measured."""
    return MARGIN * jitter(line, step_size(line.points, line.along))


def place(index: Sequence[int]) -> str:
    """An entry as it is written behind a name; nothing for the only one.

    >>> place((0, 2)), place(())
    ('[0, 2]', '')
    """
    return f"[{', '.join(str(int(i)) for i in index)}]" if len(index) else ""


def jitter(line: Callable[[float], Any], step: float) -> float:
    """How far rounding moves a function, found on tiny steps along a line.

    Of a smooth function nothing is left in sixth differences, of errors of one size a known
    multiple of it (Hamming 1962; Moré and Wild 2011, Estimating computational noise). Errors may
    change rarely, such as those of (10¹⁰ + x) − 10¹⁰, so steps of many lengths are tried.
    """
    found = 0.0
    for part in (1e-9, 1e-6, 1e-3, 1 / 37, 1 / 19, 1 / 7):
        sixth = np.diff([float(line(k * part * step)) for k in range(1, 14)], 6)
        found = max(found, float(np.sqrt(np.mean(sixth * sixth) / 924)))  # 924 = 12!/(6! 6!)
    return found


def both_sides(line: Line) -> tuple[float, float] | None:
    """The slopes on the left and on the right; None where they meet.

    Where a function is smooth, half the step halves how far they are apart; at a kink it does not.
    Both are infinite where no slope exists, as of the square root at 0.
    """
    h = step_size(line.points, line.along)
    here = weigh(line.f(*line.points), line.seeds)

    def side(h: float) -> float:
        return float((line(h) - here) / h)

    def slope(h: float) -> float:
        return 2 * side(h / 2) - side(h)  # the part that grows with h falls out

    if not np.isfinite(side(h) - side(-h)) or _grows(side, h) or _grows(side, -h):
        return -np.inf, np.inf
    left, right = slope(-h), slope(h)
    steps = [h / 2**k for k in (0, 1, 2, 5, 10, 15)]
    ahead, behind = [side(h) for h in steps], [side(-h) for h in steps]
    apart = np.abs(np.subtract(ahead, behind))
    size = max(abs(left), abs(right))
    # A chaotic function has other slopes on every step; those at a kink stay.
    stay = max(np.ptp(ahead), np.ptp(behind)) < 0.25 * apart[0]
    is_kink = stay and min(apart) > max(0.75 * apart[0], 1e-6 * size)
    return (left, right) if is_kink else None


def _grows(side: Callable[[float], float], h: float) -> bool:
    """Whether a one-sided slope has no limit: it grows each time the step is halved."""
    sizes = [abs(side(h / 2**k)) for k in (0, 2, 4, 6)]
    return all(b > 1.25 * a for a, b in pairwise(sizes))


# --- kinks --------------------------------------------------------------------------------------


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
    found = [
        Kink(node.primitive.name, float(np.min(ways)))
        for node, ways in _ways(nodes, tangents)
        if node.primitive is not None and np.any(ways < np.inf)
    ]
    return min(found, key=lambda kink: kink.distance, default=None)


def across(
    nodes: Sequence[Tensor], tangents: dict[int, Any], within: float, rng: np.random.Generator
) -> dict[int, Any]:
    """Random cotangents, by serial number, of the operands that come to a kink within a step."""
    found: dict[int, Any] = {}
    for node, ways in _ways(nodes, tangents):
        near = ways < within
        for x in node.parents:
            if type(x) is Tensor and x.serial in tangents and np.any(near):
                part = np.zeros(np.broadcast_shapes(near.shape, x.shape))
                part += np.where(near, rng.normal(size=part.shape), 0.0)
                lead = tuple(range(part.ndim - x.ndim))
                part = part.sum(lead) if lead else part
                short = tuple(k for k in range(x.ndim) if x.shape[k] < part.shape[k])
                part = part.sum(short, keepdims=True) if short else part
                found[x.serial] = found.get(x.serial, 0.0) + part
    return found


def _ways(nodes: Sequence[Tensor], tangents: dict[int, Any]) -> Iterator[tuple[Tensor, Array]]:
    """Nodes with kinks, and for each entry how far it is to go until the nearest."""
    for node in nodes:
        if node.primitive is None or node.primitive.numerics.kink is None:
            continue
        xs = [np.asarray(getattr(x, "_data", x)) for x in node.parents]
        gap = node.primitive.numerics.kink(*xs, **node.attrs)
        if not gap.size:
            continue
        speed: Any = 0.0
        for x in node.parents:
            if type(x) is Tensor and x.serial in tangents:
                moved = np.abs(tangents[x.serial])
                over = [k for k in range(-moved.ndim, 0) if gap.shape[k] < moved.shape[k]]
                speed = speed + np.max(moved, tuple(over), keepdims=True)
        if np.any(speed):
            with np.errstate(all="ignore"):
                yield node, np.where(speed > 0, gap / np.asarray(speed), np.inf)
