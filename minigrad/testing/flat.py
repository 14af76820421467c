"""A function of nested arguments as one of its float leaves, which is what is differentiated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, Tensor
from minigrad.testing.numeric import place
from minigrad.tree import flatten


class Flat:
    """A function of nested arguments as one of its float leaves, with a list of results."""

    def __init__(self, fn: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.fn = fn
        leaves, self.tree = flatten(tuple(inputs))
        # A check needs double precision: rounding of single hides the errors it looks for.
        self.leaves = [_wide(x) for x in leaves]
        self.moving = [k for k, x in enumerate(self.leaves) if x.dtype.kind == "f"]
        self.names = [_argument_names(fn, inputs)[k] for k in self.moving]
        self.points = [self.leaves[k] for k in self.moving]

    def place(self, k: int, index: Sequence[int]) -> str:
        """The name of one entry of a float leaf."""
        return self.names[k] + place(index)

    def __call__(self, *points: Any) -> list[Any]:
        """The results for float leaves alone."""
        leaves: list[Any] = list(self.leaves)
        for k, x in zip(self.moving, points, strict=True):
            leaves[k] = x
        return flatten(self.fn(*self.tree.unflatten(leaves)))[0]


def _wide(x: Any) -> Array:
    array = np.array(getattr(x, "data", x) if type(x) is Tensor else x)
    return array.astype(float) if array.dtype.kind == "f" else array


def _argument_names(fn: Callable[..., Any], inputs: Sequence[Any]) -> list[str]:
    """`x`, `p.W_hh`, `xs[0]`: the parameter's name in the function's signature, and the path."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for k, value in enumerate(inputs):
        positional = k < len(parameters) and parameters[k].kind != inspect.Parameter.VAR_POSITIONAL
        prefix = parameters[k].name if positional else f"input {k + 1}"
        names += flatten(value)[1].paths(prefix)
    return names


def plain(y: Any) -> Any:
    """The numbers of a result, without its graph."""
    return y.data if type(y) is Tensor else np.asarray(y)


def has_derivative(f: Flat) -> None:
    """Raise where there is nothing to compare: no floats, or numbers that are not finite."""
    if not f.points:
        told = ", ".join(f"{x.dtype}{list(x.shape)}" for x in f.leaves) or "no arrays"
        raise ValueError(f"check_gradients: nothing to differentiate; the inputs are {told}")
    for name, x in zip(f.names, f.points, strict=True):
        if not np.all(np.isfinite(x)):
            raise ValueError(f"check_gradients: {name} has entries that are not finite: {x!r:.60}")
    with np.errstate(all="ignore"):
        outputs = f(*(Tensor(x, name) for x, name in zip(f.points, f.names, strict=True)))
    for y in outputs:
        array = np.asarray(plain(y))
        if array.dtype.kind not in "fiub":
            raise TypeError(f"check_gradients: the function must return arrays, got {y!r:.60}")
        if not np.all(np.isfinite(array)):
            raise ValueError(
                f"check_gradients: the result has entries that are not finite: {array!r:.60}; "
                "there is no gradient to compare, choose other inputs"
            )
