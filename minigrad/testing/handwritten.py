"""`check_vjp`: somebody's hand-written backward pass, in plain NumPy, against its own forward.

Nothing of the engine is used, so it checks a student's BPTT as well as ours. The report holds
facts only: which gradient and entry, from which step on, and which other gradient it equals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.testing.handwritten_report import report
from minigrad.testing.laws import Broken
from minigrad.testing.numeric import (
    MARGIN,
    Line,
    both_sides,
    complex_step,
    differences,
    jitter,
    place,
    richardson,
    step_size,
)
from minigrad.testing.progress import doing, now
from minigrad.testing.rounding import EPSILON, ROUNDINGS, precision

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
        line = Line(self, arrays, along, seeds)
        return (complex_step(line), 0.0) if self.is_complex else richardson(line, 0.0)


def check_vjp(
    f: Callable[..., Any],
    backward: Callable[..., Any],
    *arrays: Any,
    names: Sequence[str] | None = None,
    time_axis: int | None = None,
    seed: int = 0,
) -> tuple[str, ...]:
    """Check a backward pass written by hand; gives what cannot be judged, in words.

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
    An entry cannot be judged where there is no slope, such as that of the square root at 0, or none
    that is known: in a chaotic loop the derivative itself moves with every rounding.

    Raises:
        AssertionError: with the report; or f or backward breaks a promise: writes into what it is
            given, gives another form, or another value at every call.
        ValueError: there is nothing to check: no floats, or values that are not finite.
        TypeError: f gives something else than arrays.

    >>> import numpy as np
    >>> check_vjp(np.tanh, lambda g, y, x: (g * (1 - y * y),), np.ones(3))
    ()
    >>> check_vjp(np.sqrt, lambda g, y, x: (g / (2 * y),), np.array([0.0, 4.0]))
    ('x[0] has no finite slope',)
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
    forward = _Forward(f)
    first, several = _first_run(f, values, told)
    y = [np.asarray(part) for part in first]
    if time_axis is not None and not -y[0].ndim <= time_axis < y[0].ndim:
        raise ValueError(
            f"check_vjp: time_axis {time_axis} does not fit the result's shape {y[0].shape}"
        )
    rng = np.random.default_rng(seed)
    seeds = [np.asarray(rng.normal(size=part.shape)) for part in y]
    problem = _Problem(forward, backward, values, told, y, several)
    # Steps leave domains, and slopes may be infinite.
    with doing("check_vjp"), doing("running backward"), np.errstate(all="ignore"):
        problem.forward = _Forward(f, problem.takes_complex(seeds, rng))
        given = problem.gradients(seeds)
        numeric = problem.numeric(seeds)
        unjudged = problem.look_again(given, numeric, seeds)
        wrong = [k for k in numeric if not np.all(problem.within(k, given[k], numeric[k]))]
        if wrong:
            raise Broken(report(problem, given, numeric, wrong, seeds, time_axis))
    return tuple(unjudged)


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
        self.values, self.names, self.several = values, names, several
        self.moving = [k for k, x in enumerate(values) if x.dtype.kind == "f"]
        self.given: list[Any] = []
        self.sizes: dict[int, float] = {}
        self.epsilon = EPSILON * max(map(precision, map(np.asarray, y)))
        self.y = [np.asarray(part, float) for part in y]

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
            array = np.asarray(given[k])
            self.epsilon = max(self.epsilon, EPSILON * precision(array))
            given[k] = array.astype(float)
        return given

    def takes_complex(self, seeds: Sequence[Array], rng: Any) -> bool:
        """Whether the forward is holomorphic in each array: differences know the same derivative.

        A complex step may come through and be wrong: |x + ih| is real.
        """
        for k in self.moving:
            along = self._along(k, rng.normal(size=self.values[k].shape))
            line = Line(self.forward, self._at(), along, seeds)
            exact, (rough, off) = complex_step(line), richardson(line)
            if exact is None or not abs(exact - rough) <= off:
                return False
        return True

    def _at(self) -> list[Array]:
        return [x.copy() for x in self.values]

    def _along(self, k: int, direction: Array) -> list[Array]:
        """A direction in which array k moves alone."""
        along = [np.zeros(x.shape) for x in self.values]
        along[k] = direction
        return along

    def _unit(self, k: int, index: tuple[int, ...]) -> list[Array]:
        along = self._along(k, np.zeros(self.values[k].shape))
        along[k][index] = 1.0
        return along

    def numeric(self, seeds: Sequence[Array]) -> dict[int, tuple[Array, Array]]:
        """For each float array its gradient without any rule, and what it may be off by."""
        found = {}
        for k in self.moving:
            slope, off = np.zeros(self.values[k].shape), np.zeros(self.values[k].shape)
            for n, index in enumerate(np.ndindex(slope.shape)):
                now(f"differentiating by entry {n + 1} of {slope.size} of {self.names[k]}")
                along = self._unit(k, index)
                slope[index], off[index] = self.forward.slope(self._at(), along, seeds)
            found[k] = (slope, off)
            # A result is known to ε of its size, and backward may compute with it.
            largest = max(float(np.max(np.abs(part), initial=0.0)) for part in self.y)
            widest = float(np.max(np.abs(self.values[k]), initial=1.0))
            steepest = float(np.max(np.abs(slope), initial=0.0, where=np.isfinite(slope)))
            self.sizes[k] = steepest + max(1.0, largest / widest)
        return found

    def look_again(self, given: list[Any], numeric: Any, seeds: Sequence[Array]) -> list[str]:
        """Look at each wrong entry again, and say which cannot be judged.

        Is it at a kink, then any slope between both sides is right. Is the forward not holomorphic
        there? Does the derivative itself move that far when rounding does?
        """
        told, self.given = [], given
        for k, (slope, off) in numeric.items():
            is_wrong = False
            for at in np.argwhere(~self.within(k, given[k], numeric[k])):
                index = tuple(int(i) for i in at)
                line = Line(self.forward, self._at(), self._unit(k, index), seeds)
                sides = both_sides(line)
                if sides is not None and not np.isfinite(sides).all():
                    told.append(f"{self.names[k]}{place(index)} has no finite slope")
                    off[index] = np.inf
                    continue
                known = differences(line)
                smooth = self.forward.is_complex and abs(slope[index] - known[0]) <= known[1]
                if sides is not None and not smooth:
                    slope[index] = (sides[0] + sides[1]) / 2
                    off[index] = abs(sides[0] - sides[1]) / 2 * (1 + KINKED)
                elif np.isfinite(given[k][index]) and not is_wrong:
                    if smooth:
                        off[index] = self._rounding(k, index, seeds)
                    else:
                        slope[index], off[index] = self._by_differences(k, index, known, seeds)
                    is_wrong = not self.within(k, given[k], (slope, off))[index]
                    size = max(abs(slope[index]), abs(given[k][index]))
                    if not is_wrong and off[index] > np.sqrt(EPSILON) * size:
                        told.append(
                            f"{self.names[k]}{place(index)}: cannot be judged, the derivative "
                            f"{given[k][index]:.3g} moves with every rounding"
                        )
        return told

    def _rounding(self, k: int, index: tuple[int, ...], seeds: Sequence[Array]) -> float:
        """How far rounding may move the derivative by a complex step, and that of backward."""
        along = self._unit(k, index)

        def exact(t: float) -> Any:
            moved = self._at()
            moved[k] += t * along[k]
            return complex_step(Line(self.forward, moved, along, seeds))

        step = step_size(self._at(), along)
        given = jitter(lambda t: self._backward(k, index, t * along[k], seeds), step)
        return MARGIN * (jitter(exact, step) + given)

    def _by_differences(
        self, k: int, index: tuple[int, ...], known: tuple[float, float, float], seeds: Any
    ) -> tuple[float, float]:
        """What is known of an entry, and what it may be off by: ∞ if nothing is known."""
        slope, off, step = known
        size = max(abs(slope), abs(self.given[k][index]))
        along = step * self._unit(k, index)[k]
        here = self.given[k][index]
        far = max(abs(self._backward(k, index, h * along, seeds) - here) for h in (1, -1))
        return slope, np.inf if max(far, off) > size / 2 else off

    def _backward(self, k: int, index: tuple[int, ...], step: Array, seeds: Any) -> float:
        """What backward gives for an entry a step of its array further on."""
        there = self._at()
        there[k] += step
        y = self.forward(*(x.copy() for x in there))
        moved = _Problem(self.forward, self.backward, there, self.names, y, self.several)
        return float(moved.gradients(seeds)[k][index])

    def within(self, k: int, given: Array, numeric: tuple[Array, Array]) -> Any:
        """Entries that agree: to rounding of the largest entry, and the error of differences."""
        slope, off = numeric
        terms = sum(part.size for part in self.y)
        allowed = off + ROUNDINGS * self.epsilon * self.sizes[k] * terms
        return (np.abs(given - slope) <= allowed) | (off == np.inf)
