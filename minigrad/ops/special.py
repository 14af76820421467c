"""The error function, by the rational approximations of Cody (1969), and what is made of it.

Source: W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of
Computation 23 (1969), with the coefficients of his CALERF: near 0 for erf, up to 4 and beyond for
erfc, whose exp(−x²) is computed in two parts so as to keep its digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core.kinds import as_array, elementwise, underflows
from minigrad.facts import SATURATES
from minigrad.ops.elementwise import likelihood, square

_NEAR = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
         3.77485237685302021e2, 3.20937758913846947e3), (
         1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
         2.84423683343917062e3)  # fmt: skip
_MIDDLE = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
           6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
           1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3), (
           1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
           1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
           3.43936767414372164e3, 1.23033935480374942e3)  # fmt: skip
_FAR = (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
        1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4), (
        1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
        6.05183413124413191e-2, 2.33520497626869185e-3)  # fmt: skip


def _ratio(x: Any, parts: tuple[Sequence[float], Sequence[float]]) -> Any:
    """One polynomial by another, highest power first."""
    above, below = (_polynomial(x, part) for part in parts)
    return above / below


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    y: Any = 0.0
    for c in coefficients:
        y = y * x + c
    return y


def _both(x: Any) -> tuple[Any, Any, Any]:
    """erf(x) right for small |x|, erfc(|x|) right for others, and which is which."""
    size = np.where(x.real < 0, -1.0 * x, x)
    small = size.real < 0.46875
    near = np.where(small, x, 0.0)
    inner = near * _ratio(near * near, _NEAR)
    # Beyond 27 erfc is no number of double precision.
    size = np.where(size.real > 30.0, 30.0, np.where(small, 1.0, size))
    middle = _ratio(np.where(size.real > 4.0, 4.0, size), _MIDDLE)
    far = np.where(size.real > 4.0, size, 4.0)
    z = 1.0 / (far * far)
    outer = (1.0 / math.sqrt(math.pi) - z * _ratio(z, _FAR)) / far
    coarse = np.trunc(size.real * 16.0) / 16.0
    fall = np.exp(-coarse * coarse) * np.exp(-(size - coarse) * (size + coarse))
    return inner, fall * np.where(size.real > 4.0, outer, middle), small


def _wide(x: Any) -> tuple[Any, Any]:
    """x in at least single precision, and the dtype of the result."""
    x = as_array(x)
    kind = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
    return x.astype("float32" if kind == np.float16 else kind), kind


@elementwise(lambda y, x: likelihood(-square(x)) * (2.0 / math.sqrt(math.pi)), numerics=SATURATES)
@underflows
def erf(x: Any) -> Any:
    """The error function, 2/√π times the integral of exp(−t²) from 0 to x."""
    x, dtype = _wide(x)
    inner, tail, small = _both(x)
    outer = np.where(x.real < 0, tail - 1.0, 1.0 - tail)
    return np.where(small, inner, outer).astype(dtype)


@elementwise(lambda y, x: likelihood(-square(x)) * (-2.0 / math.sqrt(math.pi)), numerics=SATURATES)
@underflows
def erfc(x: Any) -> Any:
    """1 − erf(x), with full relative accuracy for large x too."""
    x, dtype = _wide(x)
    inner, tail, small = _both(x)
    outer = np.where(x.real < 0, 2.0 - tail, tail)
    return np.where(small, 1.0 - inner, outer).astype(dtype)
