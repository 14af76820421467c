"""What is known of an operation besides its value and its derivatives: where each fact is stated.

A `Primitive` has one of each of these, given where the operation is defined. Whoever wants to know
something of an operation asks for the fact; no other file has a list of names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SUMS = "add"
"""The chain of sums; a chain is named by the operation of two operands that makes it up."""


@dataclass(frozen=True)
class Lowering:
    """What a program that runs an operation may do with it.

    Attributes:
        view: NumPy does it without moving an entry, most of the time.
        joins: it puts its operands side by side, in an array where each could be made.
        through: a sum over steps passes through it.
        weight: which operand is a matrix, that can stand beside others and be scaled by columns.
        chain: the operation of two operands whose chains it is a part of, and can be regrouped.
    """

    view: bool = False
    joins: bool = False
    through: bool = False
    weight: int | None = None
    chain: str | None = None


PLAIN = Lowering()
"""Nothing is known: it computes its result from its operands, one step at a time."""

Bend = Callable[[Any], Any]


def unit(x: Any) -> Any:
    """The bend of a function such as sin, which has a scale of its own."""
    return 1.0


@dataclass(frozen=True)
class Numerics:
    """What bounds the rounding of an operation, and where differences do not know its slope.

    Attributes:
        bends: for each operand `bend(x)`, how far x can move before the slope is another one, |x|
            for a function such as log; None for one in which the operation is straight.
        saturates: its slope is the small difference of numbers near 1, or of a large argument.
        kink: `kink(*operands, **attrs)`, how far entries are from where there is no derivative;
            an axis over which they compete has size 1.
        holomorphic: a complex step goes through: of complex numbers it makes no size, no conjugate.
    """

    bends: tuple[Bend | None, ...] = ()
    saturates: bool = False
    kink: Callable[..., Any] | None = None
    holomorphic: bool = True


STRAIGHT = Numerics()
"""Linear, or a product: the size of what is added tells all of its rounding."""
SATURATES = Numerics(bends=(unit,), saturates=True)
"""Of functions that level off, and of those whose argument is reduced."""

SUM_OF, PRODUCT_OF, MATRIX, ATOM = 1, 2, 3, 4
"""How tightly the parts of a formula hold together."""


@dataclass(frozen=True)
class Formula:
    """How an operation is written.

    Attributes:
        pattern: what is written, with the letters a and b for its operands.
        holds: how tightly the whole holds together.
        needs: how tightly a and b must, so as not to be put in brackets.
    """

    pattern: str
    holds: int = ATOM
    needs: tuple[int, ...] = (0, 0)


SHOWS_OPERAND = Formula("a")
"""Of what changes nothing that a formula shows: it is as tight as its operand."""
