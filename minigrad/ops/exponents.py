"""Powers, logarithms to other bases, and sums of what stands in the exponent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.kinds import POSITIVE, REAL, elementwise, entrywise, public, underflows
from minigrad.facts import Numerics, unit
from minigrad.habits import explained
from minigrad.ops.elementwise import log, sigmoid
from minigrad.ops.kinks import equal, where

_POSITIVE: Any = {"domain": (POSITIVE,), "numerics": Numerics(bends=(np.abs,))}


def _power_base(y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):  # a weak number, which `where` would make a double
        return b * power(a, b - 1) if b else 0.0
    # b·a^(b−1) is 0·∞ at a = b = 0, where the derivative of a⁰ = 1 is 0.
    constant = equal(b, 0)
    return where(constant, 0.0, b * power(a, where(constant, 1.0, b - 1)))


def _power_exponent(y: Any, a: Any, b: Any) -> Any:
    return where(a > 0, y * log(where(a > 0, a, 1.0)), 0.0)


@elementwise(
    _power_base,
    _power_exponent,
    domain=(POSITIVE, REAL),
    label="^",
    numerics=Numerics(bends=(np.abs, None)),
)
def power(a: Any, b: Any) -> Any:
    """a to the power b. The derivative by b is 0 where a ≤ 0."""
    if isinstance(b, int) and getattr(a, "dtype", None) is not None:
        b = float(b) if a.dtype.kind in "fc" else b
    return np.power(a, b)


@elementwise(lambda y, x: y * math.log(2), kernel=np.exp2, numerics=Numerics(bends=(unit,)))
def exp2(x: Any) -> Any:
    """2 to the power x."""


@entrywise(lambda g, y, x: g / x / math.log(2), kernel=np.log2, **_POSITIVE)
def log2(x: Any) -> Any:
    """Logarithm to base 2, for x > 0."""


@entrywise(lambda g, y, x: g / x / math.log(10), kernel=np.log10, **_POSITIVE)
def log10(x: Any) -> Any:
    """Logarithm to base 10, for x > 0."""


@entrywise(lambda g, y, x: g / y / y / 3.0, label="∛", kernel=np.cbrt, **_POSITIVE)
def cbrt(x: Any) -> Any:
    """Cube root of any number; its derivative is infinite at 0."""


@elementwise(
    lambda y, a, b: sigmoid(a - b),
    lambda y, a, b: sigmoid(b - a),
    numerics=Numerics(bends=(unit, unit), saturates=True),
)
@underflows
def logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)), finite wherever both are."""
    return np.logaddexp(a, b)


@public
@explained
def logaddexp2(a: Any, b: Any) -> Any:
    """log₂(2ᵃ + 2ᵇ), finite wherever both are."""
    return logaddexp(a * math.log(2), b * math.log(2)) / math.log(2)


@public
@explained
def reciprocal(x: Any) -> Any:
    """1 / x of real numbers."""
    if getattr(x, "dtype", np.dtype(type(x))).kind in "iub":
        raise TypeError("reciprocal: NumPy's of whole numbers is cut to whole ones; write 1 / x")
    return 1.0 / x


@public
@explained
def float_power(a: Any, b: Any) -> Any:
    """a to the power b in double precision."""
    return power(*(x if isinstance(x, float) else x * np.ones((), float) for x in (a, b)))
