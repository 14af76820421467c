"""`check_vjp`: somebody's hand-written backward pass, in plain NumPy, against its own forward.

Nothing of the engine is used, so it checks a student's BPTT as well as ours. The report holds
facts only: which gradient and entry, from which step on, and which other gradient it equals.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.testing.handwritten_report import report
from minigrad.testing.laws import Broken
from minigrad.testing.numeric import STEP, both_sides, richardson, weigh
from minigrad.testing.rounding import EPSILON, ROUNDINGS

KINKED = 1e-6
"""One-sided slopes are known that well; the slope of choice is often one of them."""


@dataclass(frozen=True)
class _Forward:
    """The function with its results as a list, and which derivative it allows."""

    f: Callable[..., Any]
    is_complex: bool = False

    def __call__(self, *arrays: Array) -> list[Any]:
        y = self.f(*arrays)
        return list(y) if isinstance(y, tuple | list) else [y]

    def slope(self, arrays: Sequence[Array], along: Sequence[Array], seeds: Any) -> Any:
        """The derivative of Σ ⟨seed, f⟩ along a direction, and what it may be off by."""
        if not self.is_complex:
            return richardson(self, arrays, along, seeds, 1.0)
        moved = self(*(x + 1j * STEP * v for x, v in zip(arrays, along, strict=True)))
        return float(np.imag(weigh(moved, seeds)) / STEP), 0.0


def check_vjp(
    f: Callable[..., Any],
    backward: Callable[..., Any],
    *arrays: Any,
    names: Sequence[str] | None = None,
    time_axis: int | None = None,
    seed: int = 0,
) -> None:
    """Check a backward pass written by hand.

    Args:
        f: the forward, `f(*arrays)` gives an array or a tuple of them.
        backward: `backward(g, y, *arrays)` gives one gradient for each array, None where there is
            none; g and y have the form of f's result.
        arrays: where to check; float arrays are differentiated.
        names: of the arrays, for the report; None for those that backward gives them.
        time_axis: the axis of the (first) result that counts steps; the report then says at which
            steps a loss has a wrong gradient.
        seed: of the random cotangent.

    At a kink, such as relu at 0, any slope between that on the left and that on the right is right.

    Raises:
        AssertionError: with the report; or f or backward breaks a promise: writes into what it is
            given, gives another form, or another value at every call.
        ValueError: there is nothing to check: no floats, or values that are not finite.
        TypeError: f gives something else than arrays.

    >>> import numpy as np
    >>> check_vjp(np.tanh, lambda g, y, x: (g * (1 - y * y),), np.ones(3))
    """
    values = [
        np.array(x, float) if np.asarray(x).dtype.kind == "f" else np.array(x) for x in arrays
    ]
    told = list(names) if names is not None else _names(backward, len(values))
    if len(told) != len(values):
        raise ValueError(f"check_vjp: {len(values)} arrays, but {len(told)} names: {told}")
    if not any(x.dtype.kind == "f" for x in values):
        told_types = ", ".join(f"{n} {x.dtype}" for n, x in zip(told, values, strict=True))
        raise ValueError(f"check_vjp: no array of floats to differentiate by; got {told_types}")

    def moved(*arrays: Array) -> Any:  # what is no float, such as rows to read, stays as it is
        return f(*(x if at.dtype.kind == "f" else at.copy()
                   for x, at in zip(arrays, values, strict=True)))  # fmt: skip

    forward = _Forward(moved)
    first, several = _first_run(f, values, told)
    y = [np.asarray(part, float) for part in first]
    if time_axis is not None and not -y[0].ndim <= time_axis < y[0].ndim:
        raise ValueError(
            f"check_vjp: time_axis {time_axis} does not fit the result's shape {y[0].shape}"
        )
    rng = np.random.default_rng(seed)
    seeds = [np.asarray(rng.normal(size=part.shape)) for part in y]
    problem = _Problem(forward, backward, values, told, y, several)
    problem.forward = _Forward(moved, problem.takes_complex(seeds, rng))
    given = problem.gradients(seeds)
    numeric = problem.numeric(seeds)
    problem.widen_at_kinks(given, numeric, seeds)
    wrong = [k for k in numeric if not np.all(problem.within(k, given[k], numeric[k]))]
    if wrong:
        raise Broken(report(problem, given, numeric, wrong, seeds, time_axis))


def _names(backward: Callable[..., Any], count: int) -> list[str]:
    """What `backward(g, y, x, W)` calls the arrays; their numbers if it names them otherwise."""
    try:
        parameters = list(signature(backward).parameters.values())
    except (TypeError, ValueError):  # no function written in Python
        parameters = []
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][2:]
    return names if len(names) == count else [f"array {k + 1}" for k in range(count)]


def _first_run(
    f: Callable[..., Any], values: Sequence[Array], names: Sequence[str]
) -> tuple[list[Any], bool]:
    """The results as a list, and whether there may be several; what f promises is checked."""
    inputs = [x.copy() for x in values]
    given = f(*inputs)
    several = isinstance(given, tuple | list)
    results = list(given) if several else [given]
    for y in results:
        array = np.asarray(y)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"check_vjp: f must return an array or several, got {y!r:.60}")
        if not np.all(np.isfinite(array)):
            raise ValueError(
                f"check_vjp: f gives entries that are not finite ({array!r:.60}); take other arrays"
            )
    for name, before, after in zip(names, values, inputs, strict=True):
        if not np.array_equal(before, after, equal_nan=True):
            raise Broken(f"f changes its input {name}, and backward would be given the changed one")
    again = f(*(x.copy() for x in values))
    if not all(map(np.array_equal, results, again if several else [again])):
        raise Broken("f gives other values when it is run again on the same arrays")
    return results, several


class _Problem:
    """A forward and a backward at a point."""

    def __init__(
        self, forward: _Forward, backward: Any, values: list[Array], names: list[str],
        y: list[Array], several: bool,
    ) -> None:  # fmt: skip
        self.forward, self.backward = forward, backward
        self.values, self.names, self.y, self.several = values, names, y, several
        self.moving = [k for k, x in enumerate(values) if x.dtype.kind == "f"]

    def gradients(self, seeds: Sequence[Array]) -> list[Any]:
        """What backward gives, its form and purity checked."""
        inputs = [x.copy() for x in self.values]
        g, y = [w.copy() for w in seeds], [part.copy() for part in self.y]
        given = self.backward(
            tuple(g) if self.several else g[0], tuple(y) if self.several else y[0], *inputs
        )
        if given is None or isinstance(given, dict | str):
            raise Broken(
                f"backward returned {given!r:.60}, wanted a tuple of gradients by "
                f"{', '.join(self.names)}"
            )
        given = list(given) if isinstance(given, tuple | list) else [given]
        if len(given) != len(self.values):
            raise Broken(
                f"backward gives {len(given)} gradients for {len(self.values)} arrays "
                f"({', '.join(self.names)})"
            )
        for name, before, after in zip(self.names, self.values, inputs, strict=True):
            if not np.array_equal(before, after, equal_nan=True):
                raise Broken(f"backward changes its input {name}")
        if not all(np.array_equal(a, b) for a, b in zip(g, seeds, strict=True)):
            raise Broken("backward writes into the cotangent g it is given")
        for k in self.moving:
            wanted = self.values[k].shape
            if given[k] is None:
                raise Broken(
                    f"backward gives None for {self.names[k]}, wanted a gradient of shape {wanted}"
                )
            if np.shape(given[k]) != wanted:
                raise Broken(
                    f"the gradient by {self.names[k]} has shape {np.shape(given[k])}, "
                    f"the array {wanted}"
                )
            given[k] = np.array(given[k], float)
        return given

    def takes_complex(self, seeds: Sequence[Array], rng: Any) -> bool:
        """Whether a complex step comes through the forward, and agrees with differences."""
        along = [
            rng.normal(size=x.shape) if k in self.moving else np.zeros(x.shape)
            for k, x in enumerate(self.values)
        ]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                value, _ = _Forward(self.forward.f, True).slope(self._at(), along, seeds)
        except (TypeError, ValueError, Warning):
            return False
        rough, off = self.forward.slope(self._at(), along, seeds)
        return bool(abs(value - rough) <= 16 * off)

    def _at(self) -> list[Array]:
        return [x.copy() for x in self.values]

    def numeric(self, seeds: Sequence[Array]) -> dict[int, tuple[Array, Array]]:
        """For each float array its gradient without any rule, and what it may be off by."""
        found = {}
        for k in self.moving:
            slope, off = np.zeros(self.values[k].shape), np.zeros(self.values[k].shape)
            for index in np.ndindex(slope.shape):
                along = [np.zeros(x.shape) for x in self.values]
                along[k][index] = 1.0
                slope[index], off[index] = self.forward.slope(self._at(), along, seeds)
            found[k] = (slope, off)
        return found

    def widen_at_kinks(self, given: list[Any], numeric: Any, seeds: Sequence[Array]) -> None:
        """Where a wrong entry is at a kink: the middle of both slopes, and half their distance."""
        for k, (slope, off) in numeric.items():
            for index in np.argwhere(~self.within(k, given[k], numeric[k])):
                along = [np.zeros(x.shape) for x in self.values]
                along[k][tuple(index)] = 1.0
                sides = both_sides(_Forward(self.forward.f), self._at(), along, seeds)
                if sides is not None:
                    slope[tuple(index)] = (sides[0] + sides[1]) / 2
                    off[tuple(index)] = abs(sides[0] - sides[1]) / 2 * (1 + KINKED)

    def within(self, k: int, given: Array, numeric: tuple[Array, Array]) -> Any:
        """Entries that agree: to rounding of the largest entry, and the error of differences."""
        slope, off = numeric
        whole = float(np.max(np.abs(slope), initial=0.0)) + 1.0
        terms = sum(part.size for part in self.y)
        return np.abs(given - slope) <= off + ROUNDINGS * EPSILON * whole * terms
