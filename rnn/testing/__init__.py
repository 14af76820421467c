"""Laws of recurrent networks, to hold a cell of your own to; strategies and faults to plant.

A gradient test says that backward fits forward. That forward is a recurrent network at all, that
it carries its state, keeps samples apart and ignores padding, is what these laws say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from minigrad.testing.laws import Broken
from rnn.cell import Cell
from rnn.testing.laws import LAWS
from rnn.testing.problem import DoesNotApply, Problem, problem

STRATEGIES = ("cells", "recurrent_networks", "sequences")

__all__ = [
    "LAWS", "Broken", "Card", "DoesNotApply", "Problem", "all_laws", "assert_law", "cells",
    "problem", "recurrent_networks", "sequences",
]  # fmt: skip


@dataclass(frozen=True)
class Card:
    """What became of each law.

    Attributes:
        about: the cell.
        verdicts: by the name of the law: "" where it holds, "not: …" where it does not apply, and
            what is wrong otherwise.
        errors: what was raised, by the names of the broken laws.
    """

    about: str
    verdicts: dict[str, str]
    errors: dict[str, Exception] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether no law is broken."""
        return not self.broken

    @property
    def broken(self) -> list[str]:
        """The names of the laws that do not hold."""
        return list(self.errors)

    def __str__(self) -> str:
        lines = [self.about]
        for name, verdict in self.verdicts.items():
            first, _, rest = verdict.partition("\n")
            if first.startswith("not: "):
                lines.append(f"  -       {name}: {first[5:]}")
            else:
                lines.append(f"  {'BROKEN' if first else 'holds '}  {name}")
                lines += [f"          {line}" for line in (first, *rest.splitlines()) if first]
        return "\n".join(lines)

    __repr__ = __str__


def assert_law(name: str, cell: Cell, seed: int = 0) -> None:
    """Raise `Broken`, an `AssertionError`, if a law of `LAWS` does not hold for a cell.

    Raises:
        Broken: with the entry and both numbers.
        DoesNotApply: the cell has not what the law is about.

    >>> import rnn
    >>> assert_law("split and continue", rnn.LSTMCell(3, 4))
    """
    if name not in LAWS:
        raise ValueError(f"assert_law: unknown law {name!r}; there are {', '.join(LAWS)}")
    if not isinstance(cell, Cell):
        raise TypeError(f"assert_law takes a cell, such as LSTMCell(3, 4), got {cell!r:.60}")
    with np.errstate(all="ignore"):
        LAWS[name](cell, seed)


def all_laws(cell: Cell, seeds: Any = range(3)) -> Card:
    """The report card of a cell: every law, on several draws of weights and sequences.

    >>> import rnn
    >>> all_laws(rnn.RNNCell(3, 4), seeds=[0]).ok
    True
    """
    verdicts: dict[str, str] = {}
    errors: dict[str, Exception] = {}
    for name in LAWS:
        verdict = ""
        for seed in seeds:
            try:
                assert_law(name, cell, seed)
            except DoesNotApply as reason:
                verdict = f"not: {reason}"
            except Exception as error:  # whatever a cell of someone else's does is its verdict
                kind = "" if isinstance(error, Broken) else f"{type(error).__name__}: "
                verdict, errors[name] = f"{kind}{error}", error
            if verdict:
                break
        verdicts[name] = verdict
    return Card(repr(cell), verdicts, errors)


def __getattr__(name: str) -> Any:
    """The strategies, which import Hypothesis, when they are asked for."""
    if name not in STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("rnn.testing.strategies"), name)
