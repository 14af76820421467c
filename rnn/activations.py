"""Activations by name: every function of one tensor that works entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import minigrad as mg
from minigrad.core import FUNCTIONS, PRIMITIVES, Primitive


@cache
def activations() -> dict[str, Callable[[Any], Any]]:
    """Those there are, by their public names; "identity" gives what it gets.

    >>> activations()["hard_sigmoid"](1.5)
    np.float64(0.75)
    """
    known = {name: f for name, f in FUNCTIONS.items() if name in mg.ops.__all__ and _is_one(f)}
    return {**known, "identity": PRIMITIVES["alias"]}


def _is_one(function: Any) -> bool:
    """Whether it is an elementwise primitive of one operand, or composed and declared as such."""
    if isinstance(function, Primitive):
        return function.kind == "elementwise" and len(function.rules) == 1
    return getattr(function, "by_entries", False)


def activation(name: str) -> Callable[[Any], Any]:
    """The function of a name."""
    return activations()[name]


def settle(cell: Any, *fields: str) -> None:
    """Put names in the place of the activations that a cell was given; None stays None.

    Raises:
        ValueError: there is no such activation; says which there are.
    """
    for field in fields:
        given = getattr(cell, field)
        if given is None:
            continue
        found = getattr(mg, given, None) if isinstance(given, str) else given  # "abs" is absolute
        name = found.name if isinstance(found, Primitive) else getattr(found, "__name__", given)
        if name not in activations():
            is_softmax = "softmax" in str(given)
            hint = "; softmax belongs to the loss, which takes logits" if is_softmax else ""
            raise ValueError(
                f"{type(cell).__name__}: unknown {field} {given!r}; there are "
                f"{', '.join(activations())}{hint}"
            )
        object.__setattr__(cell, field, str(name))
