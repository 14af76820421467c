"""Functions composed of primitives: their derivatives of every order follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import Tensor
from minigrad.core.kinds import activation, negative_axes, public, rank
from minigrad.habits import explained
from minigrad.ops.elementwise import astype, sqrt, square
from minigrad.ops.kinks import clip as limited
from minigrad.ops.kinks import equal, maximum, minimum, where
from minigrad.ops.reductions import sum
from minigrad.ops.shapes import shape_of


def wide(x: Any) -> tuple[Any, Any]:
    """x where its squares and sums fit, and what brings a result back.

    Half precision is added up in single, as NumPy does; whole numbers count as real ones.
    """
    dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    if dtype == np.float16:
        return astype(x, "float32"), lambda y: astype(y, "float16")
    return (x if dtype.kind in "fc" else astype(x, "float64")), lambda y: y


@public
@explained
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over axes, over all if none is given."""
    axes = negative_axes(axis, rank(x), "mean")
    count = int(np.prod([shape_of(x)[a] for a in axes]))
    if count == 0:
        raise ValueError(f"mean: no entries to average in shape {shape_of(x)} over axis {axis!r}")
    x, narrow = wide(x)
    return narrow(sum(x, axes, keepdims) / count)


@public
@explained
def var(x: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    """Variance over axes; the divisor is the number of entries less `ddof`."""
    axes = negative_axes(axis, rank(x), "var")
    count = int(np.prod([shape_of(x)[a] for a in axes])) - ddof
    if count <= 0:
        raise ValueError(
            f"var: {count + ddof} entries and ddof = {ddof} leave nothing to divide by"
        )
    x, narrow = wide(x)
    return narrow(sum(square(x - mean(x, axes, True)), axes, keepdims) / count)


def root(total: Any) -> Any:
    """Square root whose derivative at 0 is stated as 0 instead of infinite."""
    zero = equal(total, 0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, total)))


@public
@explained
def std(x: Any, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    """Standard deviation over axes; its derivative where all entries are equal is 0."""
    x, narrow = wide(x)
    return narrow(root(var(x, axis, keepdims, ddof)))


_NUMBERS = {float, int, type(None)}


@activation
@explained
def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x limited to [low, high]; the derivative at the bounds is 1, and bounds may be left out.

    Of bounds that are arrays or tensors the rules are those of `maximum` and `minimum`.
    """
    if {type(low), type(high)} <= _NUMBERS or not any(
        isinstance(b, Tensor) or rank(b) for b in (low, high) if b is not None
    ):
        return limited(x, low, high)
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)
