"""The stages of a cell with numbers: what each of its named values is, step by step, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigrad.core import Array
from rnn.bptt.recorded import recorded
from rnn.bptt.table import Result, Table, distinct, joined, number, percent
from rnn.cell import Cell

UNITS = 6
"""How many units of a value a table shows."""


@dataclass(frozen=True, eq=False, repr=False)
class Stages(Result):
    """The named values of a cell at every step.

    Attributes:
        cell: its name; `sample`: which of the B samples is printed; `steps`: how many it has.
        values: by name, in the order in which a step computes them, `(T, B, H)`.
        meanings: what a name stands for, in words, where the cell tells it.
    """

    cell: str
    sample: int
    steps: int
    values: Mapping[str, Array]
    meanings: Mapping[str, str]
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"values": ("step t", "sample", "unit")}

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    @property
    def sentence(self) -> str:
        """The shares over all steps and units on average; of a cell without, the largest values."""
        if not self.steps:
            return "the sample has no step"
        shown = {
            name: self.values[name][: self.steps, self.sample] for name in distinct(self.values)
        }
        shares = [
            f"{name} {percent(np.mean(x))}"
            for name, x in shown.items()
            if self.meanings.get(name, "").startswith("percent")
        ]
        if shares:
            return f"on average over steps and units: {joined(shares)}"
        sizes = [f"|{name}| {number(float(np.max(np.abs(x))))}" for name, x in shown.items()]
        return f"the largest of each over steps and units: {joined(sizes)}"

    def table(self) -> Table:
        """One row a step and value: those with a meaning, or all where none has."""
        names = distinct(self.values)
        names = [name for name in names if name in self.meanings] or names
        sizes = [self._row(name, 0).size for name in names if self.steps]
        units = min(UNITS, max(sizes, default=0))
        told = any(name in self.meanings for name in names)
        rows = []
        for t in range(self.steps):
            for name in names:
                meaning = self.meanings.get(name, "")
                show = percent if meaning.startswith("percent") else float
                numbers = [show(x) for x in self._row(name, t)[:units]]
                fill = [None] * (units - len(numbers))
                rows.append((t + 1, name, *[meaning] * told, *numbers, *fill))
        header = ("t", "value", *["what it is"] * told, *(f"unit {k + 1}" for k in range(units)))
        title = f"{self.cell}, sample {self.sample + 1}, step by step"
        return Table(title, header, tuple(rows), (self.sentence,))

    def drawn(self, axes: Any) -> None:
        """The means over the units of every value, over the steps."""
        for name in [n for n in self.values if n in self.meanings] or self.values:
            means = [float(np.mean(x[self.sample])) for x in self.values[name][: self.steps]]
            axes.plot(range(1, len(means) + 1), means, ".-", label=name)
        axes.set(xlabel="step t", title=f"{self.cell}: means over the units")
        axes.legend()

    def _row(self, name: str, t: int) -> Array:
        row: Array = self.values[name][t, self.sample].ravel()
        return row


def stages(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    sample: int = 0,
    state: Any = None,
    lengths: Any = None,
) -> Stages:
    """The named values of a cell at every step, in order, with what they stand for.

    What a name stands for is told by the cell, in `cell.meanings`.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        sample: which of the B samples is printed; the arrays hold all.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, rnn
    >>> cell = rnn.LSTMCell(1, 1)
    >>> p = {name: 0.5 * np.ones_like(w) for name, w in cell.init(0).items()}
    >>> print(rnn.bptt.stages(cell, p, np.ones((1, 1, 1))))
    LSTMCell, sample 1, step by step
    t  value  what it is                  unit 1
    1  f      percent to remember         73.1 %
    1  i      percent of it to add        73.1 %
    1  C̃      potential long-term memory   0.762
    1  C      new long-term memory         0.557
    1  o      percent to show             73.1 %
    1  h      new short-term memory         0.37
    on average over steps and units: f 73.1 %, i 73.1 % and o 73.1 %
    """
    run = recorded(cell, params, xs, None, state, lengths)
    if not 0 <= sample < run.ys.shape[1]:
        raise ValueError(f"stages: there is no sample {sample}; there are {run.ys.shape[1]}")
    steps = run.steps if lengths is None else int(lengths[sample])
    return Stages(cell.label, sample, steps, run.values, meanings_of(cell))


def meanings_of(cell: Cell) -> dict[str, str]:
    """What the names of a cell, and of the cells it is made of, stand for.

    >>> import rnn
    >>> meanings_of(rnn.Stack([rnn.Dense(2, 2), rnn.LSTMCell(2, 2)]))["layer2.f"]
    'percent to remember'
    """
    found = dict(cell.meanings)
    parts: Any = getattr(cell, "parts", dict)
    for name, part in parts().items():
        found |= {f"{name}.{inner}": words for inner, words in meanings_of(part).items()}
    return found
