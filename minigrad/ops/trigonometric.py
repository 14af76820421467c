"""Angles and hyperbolas: what sin and cos leave over, entry by entry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.core.kinds import BEYOND, INSIDE, POSITIVE, REAL, elementwise, entrywise, public
from minigrad.facts import SATURATES, Numerics, unit
from minigrad.habits import explained
from minigrad.ops.elementwise import cos, sin, sqrt, square, tanh
from minigrad.ops.kinks import absolute, equal, shut, where

_TO_ONE = Numerics(bends=(lambda x: 1.0 - np.abs(x),))
"""Of what has a pole at 1 and −1."""
_ENDS = {"domain": (INSIDE,), "numerics": _TO_ONE}


@elementwise(lambda y, x: 1.0 + y * y, domain=(INSIDE,), kernel=np.tan, numerics=SATURATES)
def tan(x: Any) -> Any:
    """Tangent, x in radians."""


@entrywise(lambda g, y, x: g / sqrt((1.0 - x) * (1.0 + x)), kernel=np.arcsin, **_ENDS)
def arcsin(x: Any) -> Any:
    """Inverse sine in [−π/2, π/2], for |x| ≤ 1; its derivative is infinite at the ends."""


@entrywise(lambda g, y, x: -g / sqrt((1.0 - x) * (1.0 + x)), kernel=np.arccos, **_ENDS)
def arccos(x: Any) -> Any:
    """Inverse cosine in [0, π], for |x| ≤ 1; its derivative is infinite at the ends."""


@entrywise(lambda g, y, x: g * _turn(1.0, x, 1.0), kernel=np.arctan, numerics=SATURATES)
def arctan(x: Any) -> Any:
    """Inverse tangent in [−π/2, π/2]."""


@elementwise(lambda y, x: cosh(x), kernel=np.sinh, numerics=Numerics(bends=(unit,)))
def sinh(x: Any) -> Any:
    """Hyperbolic sine."""


@elementwise(lambda y, x: sinh(x), kernel=np.cosh, numerics=Numerics(bends=(unit,)))
def cosh(x: Any) -> Any:
    """Hyperbolic cosine."""


@entrywise(lambda g, y, x: g / hypot(x, 1.0), kernel=np.arcsinh, numerics=Numerics(bends=(unit,)))
def arcsinh(x: Any) -> Any:
    """Inverse hyperbolic sine."""


@entrywise(
    lambda g, y, x: g / sqrt(x - 1.0) / sqrt(x + 1.0),
    domain=(BEYOND,),
    kernel=np.arccosh,
    numerics=Numerics(bends=(lambda x: x - 1.0,)),
)
def arccosh(x: Any) -> Any:
    """Inverse hyperbolic cosine, for x ≥ 1; its derivative is infinite at 1."""


@entrywise(lambda g, y, x: g / ((1.0 - x) * (1.0 + x)), kernel=np.arctanh, **_ENDS)
def arctanh(x: Any) -> Any:
    """Inverse hyperbolic tangent, for |x| < 1."""


def _over(side: Any, y: Any) -> Any:
    """A side by the hypotenuse; 0 where both sides are."""
    return shut(equal(y, 0), side / where(equal(y, 0), 1.0, y))


@entrywise(
    lambda g, y, a, b: g * _over(a, y),
    lambda g, y, a, b: g * _over(b, y),
    kernel=np.hypot,
    numerics=Numerics(bends=(np.abs, np.abs)),
)
def hypot(a: Any, b: Any) -> Any:
    """√(a² + b²) without overflow on the way; the derivatives at (0, 0) are 0."""


def _turn(side: Any, a: Any, b: Any) -> Any:
    """side / (a² + b²) without overflow."""
    r = hypot(a, b)
    return side / r / r


@entrywise(
    lambda g, y, a, b: g * _turn(b, a, b),
    lambda g, y, a, b: g * _turn(-a, a, b),
    domain=(REAL, POSITIVE),
    kernel=np.arctan2,
    numerics=Numerics(bends=(np.abs, np.abs), saturates=True),
)
def arctan2(a: Any, b: Any) -> Any:
    """The angle of the point (b, a) in [−π, π]: it jumps at a = 0, b < 0; not for (0, 0)."""


# --- made of these --------------------------------------------------------------------------------


@public
@explained
def degrees(x: Any) -> Any:
    """An angle in radians as degrees."""
    return x * (180.0 / math.pi)


@public
@explained
def radians(x: Any) -> Any:
    """An angle in degrees as radians."""
    return x * (math.pi / 180.0)


@public
@explained
def rad2deg(x: Any) -> Any:
    """NumPy's other name of `degrees`."""
    return degrees(x)


@public
@explained
def deg2rad(x: Any) -> Any:
    """NumPy's other name of `radians`."""
    return radians(x)


_SINC = [(-1.0) ** k / math.factorial(2 * k + 1) for k in range(12)]


@public
@explained
def sinc(x: Any) -> Any:
    """sin(πx) / (πx), 1 at 0; by its series where |πx| < 1, so with all derivatives."""
    angle = math.pi * x
    near = absolute(angle) < 1.0
    u = square(where(near, angle, 0.0))
    series: Any = 0.0
    for c in reversed(_SINC):
        series = series * u + c
    far = where(near, 1.0, angle)
    return where(near, series, sin(far) / far)


@public
@explained
def sec(x: Any) -> Any:
    """1 / cos(x)."""
    return 1.0 / cos(x)


@public
@explained
def csc(x: Any) -> Any:
    """1 / sin(x)."""
    return 1.0 / sin(x)


@public
@explained
def cot(x: Any) -> Any:
    """1 / tan(x)."""
    return 1.0 / tan(x)


@public
@explained
def sech(x: Any) -> Any:
    """1 / cosh(x)."""
    return 1.0 / cosh(x)


@public
@explained
def csch(x: Any) -> Any:
    """1 / sinh(x)."""
    return 1.0 / sinh(x)


@public
@explained
def coth(x: Any) -> Any:
    """1 / tanh(x)."""
    return 1.0 / tanh(x)
