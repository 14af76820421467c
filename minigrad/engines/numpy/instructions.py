"""Instructions: what a program does, as a list that can be printed, run or translated.

Operands say where they are: in which buffer, from which byte on, with which strides, and how far
they move at each step of a loop. Each instruction makes one value of those made before it. How the
list is written as Python is the matter of `source`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

# --- operands -----------------------------------------------------------------------------------


class View(NamedTuple):
    """A part of a buffer, the same at all times or moving with the steps of a loop.

    At step t it begins at byte `offset + step * t`; with a period, at that of step
    `(t + turn) % period`. What works on a whole chunk of steps sees all of them, time in front.
    """

    buffer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    label: str
    step: int | None = None
    period: int = 0
    turn: int = 0


class Constant(NamedTuple):
    """A number, or an array that the graph holds."""

    value: Any
    label: str


class Given(NamedTuple):
    """An argument, or what was made before in the same call; in a loop its part, if it moves."""

    name: str
    moves: bool = False


Operand = View | Constant | Given

# --- what is done with them ---------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """A function that gives another view of an array, mostly: a method and its argument."""

    method: str
    argument: Any

    def __call__(self, x: Any) -> Any:
        """The view."""
        return x[self.argument] if self.method == "item" else getattr(x, self.method)(self.argument)


class Call(NamedTuple):
    """An operation that writes into a buffer, by a function that takes it last."""

    op: str
    function: Callable[..., Any]
    operands: tuple[Operand, ...]
    out: View


class Make(NamedTuple):
    """An operation that allocates its result: copied into a buffer, or kept under a name."""

    op: str
    function: Callable[..., Any]
    operands: tuple[Operand, ...]
    out: View | str


class Product(NamedTuple):
    """A matrix product: `matmul`, `dot` (without gaps), or `contract`: leftᵀ right of all rows."""

    op: str
    left: Operand
    right: Operand
    out: View


class Reduce(NamedTuple):
    """A sum over axes."""

    source: Operand
    axes: tuple[int, ...]
    out: View


class Copy(NamedTuple):
    """Entries copied, and repeated where there are fewer."""

    source: Operand
    out: View


class Run(NamedTuple):
    """The results of another program, which has `instructions` too, kept under a name."""

    name: str
    program: Any
    operands: tuple[Operand, ...]


class Loop(NamedTuple):
    """Chunks of steps, in the direction of the loop: what runs for each, and what for each step.

    Views that move are those of all steps of a chunk in `first`, and of one in `each`.
    """

    steps: int
    chunk: int
    direction: int
    first: tuple[Instruction, ...]
    each: tuple[Instruction, ...]


class Listing(NamedTuple):
    """A whole program: its parameters, what is copied once, what a call does and gives back.

    A quiet one does not warn where exp(−x) overflows, as σ is 0 there.
    """

    parameters: tuple[str, ...]
    once: tuple[Copy, ...]
    body: tuple[Instruction, ...]
    results: tuple[Operand, ...]
    quiet: bool

    def __str__(self) -> str:
        return told(self)


Instruction = Call | Make | Product | Reduce | Copy | Run | Loop
Body = list[Instruction]


def told(x: Any) -> str:
    """An instruction or an operand as text: its fields, functions aside, blocks indented."""
    if isinstance(x, View):
        t = f"((t+{x.turn})%{x.period})" if x.period else "t"
        place = f"{x.buffer}:{x.offset}" + (f"{x.step:+}{t}" if x.step else "")
        return f"{x.label}[{place} {x.dtype} {x.shape} by {x.strides}]"
    if isinstance(x, Given):
        return f"{x.name}[t]" if x.moves else x.name
    if isinstance(x, Constant):
        number = np.ndim(x.value) == 0
        return str(x.value) if number else f"{x.label}[{x.value.dtype} {x.value.shape}]"
    if type(x) is tuple:
        return f"({', '.join(map(told, x))})"
    if not isinstance(x, tuple):
        return str(x)
    fields = x._asdict()  # type: ignore[attr-defined]  # all others are named
    blocks = [fields.pop(name) for name in ("once", "body", "first", "each") if name in fields]
    if isinstance(x, Run):
        blocks.append((x.program.instructions,))
    plain = ", ".join(told(field) for field in fields.values() if not callable(field))
    lines = "".join(f"\n{told(i)}" for block in blocks for i in block)
    return f"{type(x).__name__} {plain}{textwrap.indent(lines, '    ')}"
