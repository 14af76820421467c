"""The kinds of primitives, and what follows from the kind.

An elementwise primitive is given by its derivatives, a linear one by its transposes, a bilinear
one by the transposes of its two halves. The jvp (forward mode) follows from the kind, so it
cannot disagree with the definition; only `general` primitives spell out both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from minigrad.core.primitive import Primitive, Rule
from minigrad.core.tensor import FUNCTIONS, Tensor

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Primitive]

REAL = (-3.0, 3.0)
"""Domain of a real operand: the interval that tests draw from. Others narrow it."""
POSITIVE = (0.125, 4.0)
UNIT = (-0.875, 4.0)
INSIDE = (-0.875, 0.875)
BEYOND = (2.25, 6.0)
MATRIX = "matrix"
"""Square matrices with an inverse, and with eigenvalues that are positive and apart."""
INDEX = "index"
FLAG = "flag"


def zeros(like: Any) -> Any:
    """Zeros in the shape and dtype of an array or tensor."""
    return np.zeros(np.shape(getattr(like, "_data", like)), getattr(like, "dtype", None))


def elementwise(*derivatives: Rule | None, **about: Any) -> Decorator:
    """Each entry from the entries at its place; `derivatives[i](y, *xs)` is ∂y/∂xᵢ.

    A derivative of None marks an operand that has none (a condition, an index).
    """

    def times(derivative: Rule | None) -> Rule | None:
        if derivative is None:
            return None
        return lambda g, y, *xs, **attrs: g * derivative(y, *xs, **attrs)

    return entrywise(*map(times, derivatives), **about)


def entrywise(*rules: Rule | None, **about: Any) -> Decorator:
    """Each entry from the entries at its place; `rules[i](g, y, *xs)` is g times ∂y/∂xᵢ.

    For what is not to be computed as a product: a quotient, whose 1/b would overflow by itself,
    or a kink, which selects. One rule is the vjp and the jvp, as the derivative is a diagonal.
    """
    arity = len(rules)

    def push(tangents: Any, y: Any, xs: Any, attrs: Any) -> Any:
        terms = [
            rule(tangent, y, *xs, **attrs)
            for tangent, rule in zip(tangents, rules, strict=True)
            if tangent is not None and rule is not None
        ]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    return _made("elementwise", rules, push, about, **_by_entries(arity))


def _made(
    kind: str, rules: Sequence[Rule | None], push: Rule, about: dict[str, Any], **usual: Any
) -> Decorator:
    """The decorator that makes a forward function a primitive of some kind."""

    def define(forward: Callable[..., Any]) -> Primitive:
        return Primitive(forward.__name__, forward, rules, push, kind=kind, **{**usual, **about})

    return define


def _by_entries(operands: int) -> dict[str, Any]:
    """The signature and the domain of what works entry by entry."""
    return {"signature": ",".join(["()"] * operands) + "->()", "domain": (REAL,) * operands}


def underflows(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A forward in which what is too small for a number becomes 0, which is right: never raised."""

    @wraps(forward)
    def quietly(*xs: Any, **attrs: Any) -> Any:
        try:
            return forward(*xs, **attrs)
        except FloatingPointError:
            with np.errstate(under="ignore"):
                return forward(*xs, **attrs)

    return quietly


def linear(*rules: Rule | None, **about: Any) -> Decorator:
    """Linear in all operands together; `rules[i](g, *xs, **attrs)` is the transpose.

    An operand whose rule is None is not differentiated and passes to the jvp unchanged. Any number
    of operands have no rules, but a `joint`.
    """

    def pull(rule: Rule | None) -> Rule | None:
        if rule is None:
            return None
        return lambda g, y, *xs, **attrs: rule(g, *xs, **attrs)

    def define(forward: Callable[..., Any]) -> Primitive:
        def push(tangents: Any, y: Any, xs: Any, attrs: Any) -> Any:
            operands = [
                (zeros(x) if tangent is None else tangent) if primitive.moves(i) else x
                for i, (x, tangent) in enumerate(zip(xs, tangents, strict=True))
            ]
            return primitive(*operands, **attrs)

        primitive = Primitive(
            forward.__name__,
            forward,
            [pull(rule) for rule in rules],
            push,
            kind="linear",
            **{"domain": (REAL,) * (len(rules) or 1), **about},
        )
        return primitive

    return define


def bilinear(left: Rule, right: Rule, name: str | None = None, **about: Any) -> Decorator:
    """Linear in each of two operands; `left(g, a, b)` and `right(g, a, b)` are the transposes."""

    def define(forward: Callable[..., Any]) -> Primitive:
        def push(tangents: Any, y: Any, xs: Any, attrs: Any) -> Any:
            (da, db), (a, b) = tangents, xs
            if db is None:
                return primitive(da, b)
            if da is None:
                return primitive(a, db)
            return primitive(da, b) + primitive(a, db)

        primitive = Primitive(
            name or forward.__name__,
            forward,
            [
                lambda g, y, a, b: left(g, a, b),
                lambda g, y, a, b: right(g, a, b),
            ],
            push,
            kind="bilinear",
            **{"domain": (REAL, REAL), **about},
        )
        return primitive

    return define


def stepwise(operands: int, **about: Any) -> Decorator:
    """Piecewise constant: comparisons, sign, one-hot rows. The derivative is zero everywhere."""
    still: Rule = lambda tangents, y, xs, attrs: None
    return _made("stepwise", [None] * operands, still, about, **_by_entries(operands))


def general(vjp: Rule, jvp: Rule, **about: Any) -> Decorator:
    """One operand, both rules spelled out: `vjp(g, y, x, **attrs)`, `jvp(t, y, x, **attrs)`."""
    push: Rule = lambda tangents, y, xs, attrs: jvp(tangents[0], y, *xs, **attrs)
    return _made("general", [vjp], push, about, domain=(REAL,))


def several(*rules: Rule, push: Rule, **about: Any) -> Decorator:
    """Any operands: their vjps, `rules[i](g, y, *xs)`, and one jvp, `push(tangents, y, *xs)`.

    A tangent of None is zero.
    """
    whole: Rule = lambda tangents, y, xs, attrs: push(tangents, y, *xs, **attrs)
    return _made("general", rules, whole, about, domain=(REAL,) * len(rules))


def public(function: F, name: str | None = None) -> F:
    """A function composed of primitives, in the table beside them: `minigrad.name`."""
    FUNCTIONS[name or function.__name__] = function
    return function


def activation(function: F) -> F:
    """A public function of one tensor, each entry from that at its place: cells take its name."""
    function.by_entries = True  # type: ignore[attr-defined]  # as primitives have it
    return public(function)


def as_array(x: Any) -> Any:
    """An operand of a forward as an array: one of NumPy's, or as it is if it is like one."""
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def is_open(x: Any) -> bool:
    """Whether an operand stands for values to come: an engine makes its program of the forward.

    It is no array that can be looked at or written into; NumPy's functions apply to it.
    """
    return not isinstance(x, np.ndarray) and hasattr(x, "__array_function__")


def rank(x: Any) -> int:
    """Number of axes of an array, tensor or number."""
    return x.ndim if isinstance(x, Tensor | np.ndarray) else np.ndim(x)


def negative_axes(axis: Any, ndim: int, where: str) -> tuple[int, ...]:
    """Axes counted from the end, ascending and distinct; None means all of them."""
    if axis is None:
        return tuple(range(-ndim, 0))
    chosen = axis if isinstance(axis, tuple | list) else (axis,)
    if any(isinstance(a, bool) or not isinstance(a, int | np.integer) for a in chosen):
        raise TypeError(f"{where}: axis must be an int or a tuple of ints, got {axis!r}")
    result = tuple(sorted(int(a) - ndim if a >= 0 else int(a) for a in chosen))
    if any(not -ndim <= a < 0 for a in result) or len(set(result)) < len(result):
        raise ValueError(f"{where}: axis {axis!r} does not fit {ndim} axes")
    return result
