"""Primitives that choose, entry by entry: they have kinks, or no slope anywhere.

Subgradients at kinks: relu′(0) = 0, absolute′(0) = 0, clip′ = 1 at its ends, maximum and minimum
split equally between tied operands.

A kink selects, it does not multiply. Where it has shut a path (relu and clip outside, the operand
that lost in maximum, minimum and where, absolute at 0, the entries that lost in max and min),
nothing goes back, whatever arrives: √relu(x) at −1 has the derivative 0 although √ at 0 has none,
because the function is constant there. Everywhere else a cotangent of 0 is a number like any other
and 0·∞ is NaN: (√x)² at 0 has the derivative 1, not 0. So keep operands, not results, out of where
they have no derivative: `where(x > 0, sqrt(where(x > 0, x, 1.0)), 0.0)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.kinds import FLAG, REAL, Decorator, entrywise, linear, public, rank, stepwise
from minigrad.facts import Formula, Numerics
from minigrad.habits import REAL_PAIR


def _apart(a: Any, b: Any) -> Any:
    """The distance from a kink where two operands are equal."""
    return np.abs(np.subtract(a, b, dtype=float))


def shut(flag: Any, g: Any) -> Any:
    """The rule of all kinks: nothing goes back where the path is shut, g elsewhere."""
    return where(flag, 0.0, g)


@entrywise(lambda g, y, x: shut(x <= 0, g), numerics=Numerics(kink=np.abs))
def relu(x: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0."""
    return np.maximum(x, 0)


@entrywise(
    lambda g, y, x: shut(equal(x, 0), g * sign(x)),
    label="|x|",
    kernel=np.abs,
    numerics=Numerics(kink=np.abs, holomorphic=False),
)
def absolute(x: Any) -> Any:
    """Absolute value; the derivative at 0 is 0."""


abs = public(absolute, "abs")  # as in NumPy


def _unless(lost: Any, a: Any, b: Any, g: Any) -> Any:
    """Of two operands the winner's part of g, half of it at a tie."""
    return shut(lost, where(equal(a, b), 0.5 * g, g))


# NumPy takes the place to write to of these two by its name only.
def _greater(a: Any, b: Any, out: Any = None) -> Any:
    return np.maximum(a, b, out=out)


def _smaller(a: Any, b: Any, out: Any = None) -> Any:
    return np.minimum(a, b, out=out)


@entrywise(
    lambda g, y, a, b: _unless(less(a, b), a, b, g),
    lambda g, y, a, b: _unless(less(b, a), a, b, g),
    label="max",
    kernel=_greater,
    numerics=Numerics(kink=_apart),
)
def maximum(a: Any, b: Any) -> Any:
    """Entrywise maximum; ties split the gradient equally."""


@entrywise(
    lambda g, y, a, b: _unless(less(b, a), a, b, g),
    lambda g, y, a, b: _unless(less(a, b), a, b, g),
    label="min",
    kernel=_smaller,
    numerics=Numerics(kink=_apart),
)
def minimum(a: Any, b: Any) -> Any:
    """Entrywise minimum; ties split the gradient equally."""


def _bounds(x: Any, low: Any = None, high: Any = None) -> tuple[tuple[Any], dict[str, Any]]:
    for bound in (low, high):
        if bound is not None and rank(bound) != 0:
            raise TypeError(f"clip: bounds are numbers, got {bound!r:.60}; use minimum and maximum")
    # Python numbers are weak; a bound that is not there leaves whole numbers as they are.
    low, high = (b.item() if hasattr(b, "dtype") else b for b in (low, high))
    if not (-np.inf if low is None else low) <= (np.inf if high is None else high):
        raise ValueError(f"clip: the lower bound {low!r} must not exceed the upper bound {high!r}")
    return (x,), {"low": low, "high": high}


def _from_ends(x: Any, low: float | None, high: float | None) -> Any:
    """The distance from the nearer of the bounds that there are."""
    ends = [np.abs(x - end) for end in (low, high) if end is not None]
    return np.min(ends, axis=0) if ends else np.full(np.shape(x), np.inf)


def _inside(g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    g = g if low is None else shut(x < low, g)
    return g if high is None else shut(x > high, g)


@entrywise(
    _inside,
    prepare=_bounds,
    sample=lambda r: ([(r.randint(1, 3), 2)], {"low": -1.0, "high": r.choice((0.5, 1.5))}),
    numerics=Numerics(kink=_from_ends),
)
def clip(x: Any, low: float | None, high: float | None) -> Any:
    """x limited to [low, high]; the derivative at the bounds is 1."""
    return np.clip(x, low, high)


def _either(flag: Any, a: Any, b: Any, out: Any = None) -> Any:
    y = np.where(flag, a, b)
    if out is None:
        return y
    out[...] = y
    return out


@linear(
    None,
    lambda g, flag, a, b: where(flag, g, 0.0),
    lambda g, flag, a, b: where(flag, 0.0, g),
    signature="(),(),()->()",
    domain=(FLAG, REAL, REAL),
    kernel=_either,
)
def where(flag: Any, a: Any, b: Any) -> Any:
    """a where flag is true, b elsewhere."""


def _sign(x: Any, out: Any = None) -> Any:
    if x.dtype.kind == "c" if type(x) is np.ndarray else isinstance(x, complex):
        raise TypeError(
            "that of complex numbers is not constant, and there are only derivatives of real "
            f"numbers; {REAL_PAIR}"
        )
    return np.sign(x, out)


@stepwise(1, kernel=_sign, numerics=Numerics(kink=np.abs))
def sign(x: Any) -> Any:
    """−1, 0 or 1; the derivative is 0 everywhere."""


def _comparison(sign: str, kernel: Callable[..., Any]) -> Decorator:
    """1 where it holds, 0 elsewhere."""
    return stepwise(
        2,
        label=sign,
        kernel=kernel,
        numerics=Numerics(kink=_apart),
        formula=Formula(f"[a {sign} b]"),
    )


@_comparison(">", np.greater)
def greater(a: Any, b: Any) -> Any:
    """a > b, entrywise."""


@_comparison("≥", np.greater_equal)
def greater_equal(a: Any, b: Any) -> Any:
    """a ≥ b, entrywise."""


@_comparison("<", np.less)
def less(a: Any, b: Any) -> Any:
    """a < b, entrywise."""


@_comparison("≤", np.less_equal)
def less_equal(a: Any, b: Any) -> Any:
    """a ≤ b, entrywise."""


@_comparison("=", np.equal)
def equal(a: Any, b: Any) -> Any:
    """a = b, entrywise."""


@_comparison("≠", np.not_equal)
def not_equal(a: Any, b: Any) -> Any:
    """a ≠ b, entrywise."""


@stepwise(2, label="∧", domain=(FLAG, FLAG), kernel=np.logical_and)
def logical_and(a: Any, b: Any) -> Any:
    """True where both are."""


@stepwise(1, label="¬", domain=(FLAG,), kernel=np.logical_not)
def logical_not(a: Any) -> Any:
    """True where a is false."""
