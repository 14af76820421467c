"""Primitives that work entry by entry; operands broadcast.

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

from minigrad.core.kinds import (
    FLAG,
    POSITIVE,
    REAL,
    UNIT,
    Decorator,
    as_array,
    bilinear,
    elementwise,
    entrywise,
    general,
    linear,
    public,
    rank,
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


def _apart(a: Any, b: Any) -> Any:
    """The distance from a kink where two operands are equal."""
    return np.abs(np.subtract(a, b, dtype=float))


def shut(flag: Any, g: Any) -> Any:
    """The rule of all kinks: nothing goes back where the path is shut, g elsewhere."""
    return where(flag, 0.0, g)


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


_HIGHEST = {"f2": 11.0, "f4": 88.0, "c8": 88.0}
"""Where exp is finite, and σ has long been 1."""


def highest(dtype: np.dtype[Any]) -> float:
    """Up to where exp of such numbers is finite; σ has long been 1 there."""
    return _HIGHEST.get(dtype.str[1:], 709.0)


@elementwise(lambda y, x: y * (1.0 - y), label="σ", numerics=SATURATES)
@underflows
def sigmoid(x: Any) -> Any:
    """Logistic function exp(x) / (1 + exp(x)), with full relative accuracy on both sides."""
    x = as_array(x)
    e = np.exp(np.minimum(x, highest(x.dtype)))
    return e / (e + 1.0)


@entrywise(lambda g, y, x: shut(x <= 0, g), numerics=Numerics(kink=np.abs))
def relu(x: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0."""
    return np.maximum(x, 0)


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


@entrywise(
    lambda g, y, x: shut(equal(x, 0), g * sign(x)),
    label="|x|",
    kernel=np.abs,
    numerics=Numerics(kink=np.abs),
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
