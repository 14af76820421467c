"""Signs, and choices between two entries of which one may be no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import public, stepwise
from minigrad.facts import Numerics
from minigrad.habits import REAL_PAIR, explained
from minigrad.ops.kinks import absolute, maximum, minimum, where
from minigrad.ops.questions import isnan
from minigrad.ops.shapes import zeros_like


@stepwise(1, kernel=np.signbit, numerics=Numerics(kink=np.abs))
def signbit(x: Any) -> Any:
    """Whether an entry has a minus before it, also −0."""


@public
@explained
def copysign(a: Any, b: Any) -> Any:
    """The size of a with the sign of b."""
    size: Any = abs(float(a)) if type(a) in (int, float) else fabs(a)  # a number stays weak
    if hasattr(b, "dtype"):
        size = size + zeros_like(b)  # in the precision of both
    return where(signbit(b), -size, size)


@public
@explained
def heaviside(x: Any, h: Any) -> Any:
    """0 below 0, 1 above, h at 0."""
    if hasattr(x, "dtype"):
        h = h + zeros_like(x)  # in the precision of both
    return where(isnan(x), x, where(x < 0, 0.0, where(x > 0, 1.0, h)))


@public
@explained
def fabs(x: Any) -> Any:
    """Absolute value; the derivative at 0 is 0."""
    real = x if getattr(x, "dtype", np.dtype(type(x))).kind in "fc" else x * 1.0
    return absolute(real)


@public
@explained
def fmax(a: Any, b: Any) -> Any:
    """Entrywise maximum that takes a number before NaN; ties split the gradient equally."""
    return where(isnan(a), b, where(isnan(b), a, maximum(a, b)))


@public
@explained
def fmin(a: Any, b: Any) -> Any:
    """Entrywise minimum that takes a number before NaN; ties split the gradient equally."""
    return where(isnan(a), b, where(isnan(b), a, minimum(a, b)))


def _real(x: Any, where: str) -> Any:
    if getattr(x, "dtype", np.dtype(type(x))).kind == "c":
        raise TypeError(f"{where}: there are only derivatives of real numbers; {REAL_PAIR}")
    return x


@public
@explained
def positive(x: Any) -> Any:
    """x itself."""
    return x


@public
@explained
def conjugate(x: Any) -> Any:
    """x itself, of real numbers."""
    return _real(x, "conjugate")


@public
@explained
def real(val: Any) -> Any:
    """The value itself, of real numbers."""
    return _real(val, "real")


@public
@explained
def imag(val: Any) -> Any:
    """Zeros, of real numbers."""
    return zeros_like(_real(val, "imag"))
