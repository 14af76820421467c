"""Primitives that work entry by entry and are smooth; operands broadcast.

Those that choose, and so have kinks, are in `minigrad.ops.kinks`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core.kinds import (
    POSITIVE,
    REAL,
    UNIT,
    as_array,
    bilinear,
    elementwise,
    entrywise,
    general,
    linear,
    stepwise,
    underflows,
)
from minigrad.facts import (
    ATOM,
    PRODUCT_OF,
    SATURATES,
    SHOWS_OPERAND,
    SUM_OF,
    SUMS,
    Formula,
    Lowering,
    Numerics,
    unit,
)
from minigrad.habits import REAL_PAIR

_PAIR = "(),()->()"


@linear(
    lambda g, a, b: g,
    lambda g, a, b: g,
    signature=_PAIR,
    label="+",
    kernel=np.add,
    lowering=Lowering(through=True, chain=SUMS),
)
def add(a: Any, b: Any) -> Any:
    """Sum of two tensors."""


@linear(
    lambda g, a, b: g,
    lambda g, a, b: -g,
    signature=_PAIR,
    label="−",
    kernel=np.subtract,
    lowering=Lowering(through=True),
    formula=Formula("a − b", SUM_OF, (SUM_OF, PRODUCT_OF)),
)
def subtract(a: Any, b: Any) -> Any:
    """Difference of two tensors."""


@bilinear(
    lambda g, a, b: g * b,
    lambda g, a, b: g * a,
    signature=_PAIR,
    label="×",
    kernel=np.multiply,
    lowering=Lowering(chain="multiply"),
    formula=Formula("a ⊙ b", PRODUCT_OF, (PRODUCT_OF, PRODUCT_OF)),
)
def multiply(a: Any, b: Any) -> Any:
    """Entrywise (Hadamard) product."""


@entrywise(
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: g / b * -y,
    domain=(REAL, POSITIVE),
    label="÷",
    kernel=np.true_divide,
    numerics=Numerics(bends=(None, np.abs)),
    formula=Formula("a / b", PRODUCT_OF, (PRODUCT_OF, ATOM)),
)
def divide(a: Any, b: Any) -> Any:
    """Entrywise quotient."""


@linear(
    lambda g, x: -g,
    signature="()->()",
    label="−",
    kernel=np.negative,
    lowering=Lowering(through=True),
    formula=Formula("−a", PRODUCT_OF, (PRODUCT_OF,)),
)
def negative(x: Any) -> Any:
    """The negative of every entry."""


@elementwise(lambda y, x: y, kernel=np.exp, numerics=Numerics(bends=(unit,)))
def exp(x: Any) -> Any:
    """Exponential function."""


@general(
    lambda g, y, x: g * y,
    lambda t, y, x: t * y,
    signature="()->()",
    label="exp",
    numerics=Numerics(bends=(unit,)),
    public=False,
)
@underflows
def likelihood(x: Any) -> Any:
    """exp(x) of a log-likelihood: unlike that of any number, its underflow is not raised."""
    return np.exp(x)


@entrywise(
    lambda g, y, x: g / x, domain=(POSITIVE,), kernel=np.log, numerics=Numerics(bends=(np.abs,))
)
def log(x: Any) -> Any:
    """Natural logarithm, for x > 0."""


@entrywise(
    lambda g, y, x: g / (1.0 + x),
    domain=(UNIT,),
    kernel=np.log1p,
    numerics=Numerics(bends=(lambda x: np.abs(1.0 + x),)),
)
def log1p(x: Any) -> Any:
    """log(1 + x) without loss of digits near 0, for x > −1."""


@elementwise(lambda y, x: exp(x), kernel=np.expm1, numerics=SATURATES)
def expm1(x: Any) -> Any:
    """exp(x) − 1 without loss of digits near 0."""


@elementwise(
    lambda y, x: 0.5 / y,
    domain=(POSITIVE,),
    label="√",
    kernel=np.sqrt,
    numerics=Numerics(bends=(np.abs,)),
)
def sqrt(x: Any) -> Any:
    """Square root, for x ≥ 0; its derivative is infinite at 0."""


@entrywise(
    lambda g, y, x: 2.0 * (g * x),
    label="x²",
    kernel=np.square,
    formula=Formula("a²", needs=(ATOM,)),
)
def square(x: Any) -> Any:
    """x times x."""


@elementwise(lambda y, x: 1.0 - y * y, kernel=np.tanh, numerics=SATURATES)
def tanh(x: Any) -> Any:
    """Hyperbolic tangent. The derivative 1 − y² needs only the output, and has its precision."""


def highest(dtype: np.dtype[Any]) -> float:
    """Up to where exp of such numbers is finite; σ has long been 1 there."""
    return {"f2": 11.0, "f4": 88.0, "c8": 88.0}.get(dtype.str[1:], 709.0)


@elementwise(lambda y, x: y * (1.0 - y), label="σ", numerics=SATURATES)
@underflows
def sigmoid(x: Any) -> Any:
    """Logistic function exp(x) / (1 + exp(x)), with full relative accuracy on both sides."""
    x = as_array(x)
    e = np.exp(np.minimum(x, highest(x.dtype)))
    return e / (e + 1.0)


@elementwise(lambda y, x: sigmoid(x), numerics=SATURATES)
@underflows
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), finite for every finite x, with full relative accuracy."""
    x = as_array(x)
    above = np.where(x.real > 0, x, 0)  # max(x, 0) that keeps a complex step
    return above + np.log1p(np.exp(np.where(x.real > 0, -1.0 * x, x)))


@elementwise(lambda y, x: cos(x), kernel=np.sin, numerics=SATURATES)
def sin(x: Any) -> Any:
    """Sine, x in radians."""


@elementwise(lambda y, x: -sin(x), kernel=np.cos, numerics=SATURATES)
def cos(x: Any) -> Any:
    """Cosine, x in radians."""


def _dtype(x: Any, dtype: Any) -> tuple[tuple[Any], dict[str, Any]]:
    name = np.dtype(dtype)
    if name.kind not in "fiubc":
        raise TypeError(f"astype: the dtype must be one of numbers, got {name}")
    if name.kind != "c" and getattr(getattr(x, "dtype", None), "kind", "") == "c":
        raise TypeError(
            f"astype: {name} has no place for the imaginary part of complex numbers; {REAL_PAIR}"
        )
    return (x,), {"dtype": name.name}


@linear(
    lambda g, x, dtype: g,  # the walk brings it to the precision of x
    signature="()->()",
    prepare=_dtype,
    sample=lambda r: ([(2,)], {"dtype": "float64"}),
    formula=SHOWS_OPERAND,
)
def astype(x: Any, dtype: str) -> Any:
    """The entries in another precision."""
    return as_array(x).astype(dtype)


@linear(
    lambda g, x: g,
    signature="()->()",
    label="=",
    lowering=Lowering(view=True, through=True),
    formula=SHOWS_OPERAND,
)
def alias(x: Any) -> Any:
    """The same values as a node of its own."""
    return as_array(x)[...]


@stepwise(1, lowering=Lowering(view=True), formula=SHOWS_OPERAND)
def detach(x: Any) -> Any:
    """The same values without their history: no gradient flows through (stop-gradient)."""
    return as_array(x)[...]
