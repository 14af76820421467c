"""Steps: whole numbers near a real one, quotients without their fractions, and remainders.

What is constant between its steps has the derivative 0 everywhere, and stays in a graph as an
operation. A remainder moves with what is divided: its derivative is 1, and −⌊a/b⌋ by b.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from minigrad.core.kinds import POSITIVE, REAL, entrywise, public, stepwise
from minigrad.facts import Formula, Numerics
from minigrad.habits import explained


def _to_whole(x: Any) -> Any:
    """How far x is from the nearest whole number."""
    return np.abs(x - np.rint(x))


@stepwise(1, kernel=np.floor, numerics=Numerics(kink=_to_whole), formula=Formula("⌊a⌋"))
def floor(x: Any) -> Any:
    """The greatest whole number that is not greater."""


@stepwise(1, kernel=np.ceil, numerics=Numerics(kink=_to_whole), formula=Formula("⌈a⌉"))
def ceil(x: Any) -> Any:
    """The smallest whole number that is not smaller."""


@stepwise(1, kernel=np.trunc, numerics=Numerics(kink=_to_whole))
def trunc(x: Any) -> Any:
    """The whole number next to x on the side of 0."""


@stepwise(1, kernel=np.rint, numerics=Numerics(kink=lambda x: _to_whole(x + 0.5)))
def rint(x: Any) -> Any:
    """The nearest whole number; of two, the even one."""


def _to_multiple(a: Any, b: Any) -> Any:
    """How far a is from a multiple of b."""
    rest = np.remainder(a, b)
    return np.minimum(rest, b - rest)


_DIVIDED: Any = {"domain": (REAL, POSITIVE), "numerics": Numerics(kink=_to_multiple)}


@stepwise(2, kernel=np.floor_divide, label="÷⌊⌋", **_DIVIDED)
def floor_divide(a: Any, b: Any) -> Any:
    """⌊a / b⌋."""


@entrywise(
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g * floor_divide(a, b),
    label="mod",
    kernel=np.remainder,
    **_DIVIDED,
)
def remainder(a: Any, b: Any) -> Any:
    """a − b⌊a / b⌋, of the sign of b; the derivative at multiples is that beside them."""


@public
@explained
def mod(a: Any, b: Any) -> Any:
    """NumPy's other name of `remainder`."""
    return remainder(a, b)


@public
@explained
def divmod(a: Any, b: Any) -> tuple[Any, Any]:
    """The pair ⌊a / b⌋ and a − b⌊a / b⌋."""
    return floor_divide(a, b), remainder(a, b)


@public
@explained
def round(a: Any, decimals: int = 0) -> Any:
    """x to a number of decimals, halves to the even neighbour, as NumPy computes it."""
    dtype, decimals = getattr(a, "dtype", np.dtype(type(a))), index(decimals)
    if dtype.kind in "iu" and decimals >= 0:
        return a
    tens = 10.0 ** (decimals if decimals >= 0 else -decimals)
    if decimals == 0:
        return rint(a)
    return rint(a * tens) / tens if decimals > 0 else rint(a / tens) * tens
