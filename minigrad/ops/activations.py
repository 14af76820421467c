"""Activations beside those that are primitives: composed, and known to cells by their names."""

from __future__ import annotations

import math
from typing import Any

from minigrad.core.kinds import activation, negative_axes, public, rank
from minigrad.habits import explained
from minigrad.ops.composite import clip
from minigrad.ops.elementwise import expm1, sigmoid
from minigrad.ops.kinks import absolute, where
from minigrad.ops.shapes import cut, shape_of
from minigrad.ops.special import erfc


@activation
@explained
def gelu(x: Any) -> Any:
    """x times the probability that a normal number is below it (Hendrycks and Gimpel 2016)."""
    return 0.5 * x * erfc(x * -math.sqrt(0.5))


@activation
@explained
def silu(x: Any) -> Any:
    """x σ(x), also called swish."""
    return x * sigmoid(x)


@activation
@explained
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above 0, α(eˣ − 1) below; the derivative at 0 is α (Clevert et al. 2015)."""
    return where(x > 0, x, alpha * expm1(where(x > 0, 0.0, x)))


@activation
@explained
def selu(x: Any) -> Any:
    """The elu that keeps mean 0 and variance 1 from layer to layer (Klambauer et al. 2017)."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


@activation
@explained
def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """x above 0, a part of it below; the derivative at 0 is that part."""
    return where(x > 0, x, slope * x)


@activation
@explained
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return x / (1.0 + absolute(x))


@activation
@explained
def hardtanh(x: Any) -> Any:
    """x limited to [−1, 1]; the derivative at the ends is 1."""
    return clip(x, -1.0, 1.0)


@activation
@explained
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2 limited to [0, 1], as in PyTorch and Keras; the derivative at the ends is 1/6."""
    return clip(x / 6.0 + 0.5, 0.0, 1.0)


@public
@explained
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along an axis, gated by σ of the second (Dauphin et al. 2016)."""
    (axis,) = negative_axes(axis, rank(x), "glu")
    n = shape_of(x)[axis]
    if n % 2:
        raise ValueError(f"glu: axis {axis} is of size {n}, which has no halves")
    return cut(x, axis, 0, n // 2) * sigmoid(cut(x, axis, n // 2, n))
