"""Activations by name: the elementwise primitives of one operand, and what is composed of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minigrad as mg
from minigrad.core import PRIMITIVES, Primitive

COMPOSED: dict[str, Callable[[Any], Any]] = {
    "identity": PRIMITIVES["alias"],
    "hard_sigmoid": lambda z: mg.clip(z / 6.0 + 0.5, 0.0, 1.0),  # as in PyTorch and Keras 3
}
"""Those that are no primitive of their own."""


def names() -> list[str]:
    """Every name that `activation` knows."""
    known = (q for q in PRIMITIVES.values() if q.kind == "elementwise" and len(q.rules) == 1)
    return [*(q.name for q in known), *COMPOSED]


def activation(name: str) -> Callable[[Any], Any]:
    """The function of a name.

    >>> activation("hard_sigmoid")(1.5)
    np.float64(0.75)
    """
    return COMPOSED.get(name) or PRIMITIVES[name]


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
        name = found.name if isinstance(found, Primitive) else given
        if name not in names():
            is_softmax = "softmax" in str(given)
            hint = "; softmax belongs to the loss, which takes logits" if is_softmax else ""
            raise ValueError(
                f"{type(cell).__name__}: unknown {field} {given!r}; there are "
                f"{', '.join(names())}{hint}"
            )
        object.__setattr__(cell, field, str(name))
