"""A primitive applied to something: operands and attributes drawn from its own definition.

Shapes come from the signature (or the definition's `sample`), values from the domain. Draws use
only the interface of `random.Random`, so Hypothesis can supply it and shrink.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from minigrad.core import Array, Primitive
from minigrad.core.kinds import FLAG, INDEX, MATRIX


@dataclass(frozen=True)
class Case:
    """One application of a primitive.

    Attributes:
        primitive: what is applied.
        operands: arrays, float64 where differentiable.
        attrs: canonical attributes.

    >>> import minigrad as mg
    >>> Case(mg.PRIMITIVES["sum"], (np.ones((2, 3)),), {"axis": (-1,), "keepdims": False}).apply(
    ...     np.full((2, 3), 2.0)
    ... )
    array([6., 6.])
    """

    primitive: Primitive
    operands: tuple[Array, ...]
    attrs: dict[str, Any]

    @property
    def wrt(self) -> tuple[int, ...]:
        """The operands that have a derivative."""
        return tuple(
            k
            for k, x in enumerate(self.operands)
            if x.dtype.kind == "f" and self.primitive.moves(k)
        )

    def apply(self, *chosen: Any) -> Any:
        """The primitive as a function of its differentiable operands alone."""
        operands: list[Any] = list(self.operands)
        for k, value in zip(self.wrt, chosen, strict=True):
            operands[k] = value
        return self.primitive(*operands, **self.attrs)

    def points(self) -> list[Array]:
        """The differentiable operands."""
        return [self.operands[k] for k in self.wrt]

    def __repr__(self) -> str:
        shapes = ", ".join(str(x.shape) for x in self.operands)
        return f"{self.primitive.name}({shapes}, {self.attrs})"


def draw_case(primitive: Primitive, random: Random, number: int | None = None) -> Case:
    """Operands and attributes for a primitive, broadcasting and empty shapes included.

    Where a primitive takes any number of operands, `number` says how many; up to 4 if None.

    >>> import minigrad as mg
    >>> case = draw_case(mg.PRIMITIVES["add"], Random(0))
    >>> np.shape(case.apply(*case.points())) == np.broadcast_shapes(*map(np.shape, case.operands))
    True
    """
    if primitive.sample is not None and primitive.joint is not None:
        given, attrs = primitive.sample(random, number or random.randint(1, 4))
    elif primitive.sample is not None:
        given, attrs = primitive.sample(random)
    else:
        given, attrs = _broadcastable(len(primitive.rules), random), {}
    values = np.random.default_rng(random.getrandbits(32))
    domain = primitive.domain
    operands = []
    for k, item in enumerate(given):
        if isinstance(item, np.ndarray):
            operands.append(item)
            continue
        kind = domain[min(k, len(domain) - 1)]
        if kind == FLAG:
            operands.append(values.random(item) < 0.5)
        elif kind == INDEX:
            operands.append(values.integers(0, 3, item))
        elif kind == MATRIX:
            moved = values.uniform(-0.125, 0.125, item)
            operands.append(moved + np.diag(np.arange(1.0, item[-1] + 1)))
        else:
            low, high = kind
            operands.append(np.asarray(values.uniform(low, high, item)))
    return Case(primitive, tuple(operands), attrs)


def _broadcastable(arity: int, random: Random) -> list[tuple[int, ...]]:
    """Shapes that broadcast together: missing leading axes, axes of size 1, sometimes size 0."""
    whole = tuple(random.choice((1, 2, 3, 3, 4, 0)) for _ in range(random.randint(0, 3)))
    shapes = []
    for _ in range(arity):
        kept = whole[random.randint(0, len(whole)) :] if random.random() < 0.3 else whole
        shapes.append(tuple(1 if random.random() < 0.2 else n for n in kept))
    return shapes
