"""Laws of recurrent networks, to hold a cell of your own to, and strategies that draw networks.

A gradient test says that backward fits forward. That forward is a recurrent network at all, that
it carries its state, keeps samples apart and ignores padding, is what these laws say. They stand in
`laws`, by what they are about; `problem` is the cell on a sequence that each runs, `networks` draws
cells, and `strategies` does it for Hypothesis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from minigrad.extras import needed
from minigrad.testing.laws import Broken, raised
from minigrad.testing.progress import doing
from rnn.cell import Cell
from rnn.testing.laws import LAWS
from rnn.testing.laws.runs import RUNS
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

    >>> import rnn
    >>> card = all_laws(rnn.Dense(3, 2), seeds=[0])
    >>> card.broken, card.verdicts["causality"], card.verdicts["saturation"]
    ([], '', 'not: it has no gates f, i, o and memory C')
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
    _is_cell("assert_law", cell)
    with doing(f"the law {name!r} of {cell}, seed {seed}"), np.errstate(all="ignore"):
        LAWS[name](cell, seed)


def all_laws(cell: Cell, seeds: Iterable[int] = range(3)) -> Card:
    """The report card of a cell: every law, on several draws of weights and sequences.

    A cell that cannot be run breaks the law "runs", and no other is tried.

    >>> import rnn
    >>> all_laws(rnn.RNNCell(3, 4), seeds=[0]).ok
    True
    """
    _is_cell("all_laws", cell)
    draws = list(seeds)
    if not draws:
        raise ValueError("all_laws: no seeds, so no law would be tried; leave them out for three")
    verdicts: dict[str, str] = {}
    errors: dict[str, Exception] = {}
    for name in LAWS:
        verdicts[name] = "not: the cell does not run" if RUNS in errors else ""
        for seed in draws if not verdicts[name] else ():
            try:
                assert_law(name, cell, seed)
            except DoesNotApply as reason:
                verdicts[name] = f"not: {reason}"
            except Exception as error:  # whatever a cell of someone else's does is its verdict
                verdicts[name] = str(error) if isinstance(error, Broken) else raised(error)
                errors[name] = error
            if verdicts[name]:
                break
    return Card(repr(cell), verdicts, errors)


def _is_cell(asked: str, cell: Any) -> None:
    if not isinstance(cell, Cell):
        raise TypeError(f"{asked} takes a cell, such as LSTMCell(3, 4), got {cell!r:.60}")


def __getattr__(name: str) -> Any:
    """The strategies, which import Hypothesis, when they are asked for."""
    if name not in STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    needed("hypothesis", "testing", f"rnn.testing.{name}")
    return getattr(import_module("rnn.testing.strategies"), name)
