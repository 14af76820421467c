"""How much of a gradient flows back to each step: ‖dL/dh⁽ᵗ⁾‖ over t, of networks side by side.

Source: Hochreiter (1991); Bengio, Simard and Frasconi (1994), Learning long-term dependencies with
gradient descent is difficult; Jozefowicz, Zaremba and Sutskever (2015), An empirical exploration of
recurrent network architectures, on the forget bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from minigrad.core import Array
from rnn.bptt.ladder import default_state
from rnn.bptt.recorded import Loss, recorded
from rnn.bptt.table import Result, Table, joined, number
from rnn.bptt.totals import total_by
from rnn.cell import Cell

Network = tuple[Cell, Mapping[str, Any]]


@dataclass(frozen=True, eq=False, repr=False)
class Flow(Result):
    """The size of the total derivative by a state at every step, for several networks.

    Attributes:
        networks: their names.
        states: for each the name of its state h.
        norms: ‖dL/dh⁽ᵗ⁾‖ `(networks, T)`, all samples together.
    """

    networks: tuple[str, ...]
    states: tuple[str, ...]
    norms: Array
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"norms": ("network", "step t")}

    @property
    def left(self) -> Array:
        """‖dL/dh⁽¹⁾‖ / ‖dL/dh⁽ᵀ⁾‖ of every network: what is left at the first step."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios: Array = self.norms[:, 0] / self.norms[:, -1]
        return ratios

    @property
    def sentence(self) -> str:
        """What is left of each gradient at the first step."""
        pairs = zip(self.networks, self.left, strict=True)
        told = [f"{number(float(x))} in {name}" for name, x in pairs]
        return f"of ‖dL/dh⁽ᵗ⁾‖ at t = {self.norms.shape[1]} there is left at t = 1: {joined(told)}"

    def table(self) -> Table:
        """One row a step, one column a network."""
        rows = tuple((t + 1, *map(float, column)) for t, column in enumerate(self.norms.T))
        others = {name for name in self.states if name.rpartition(".")[2] != "h"}
        notes = [f"h is the state {', '.join(self.states)}"] if others else []
        return Table(
            "‖dL/dh⁽ᵗ⁾‖, the total derivative by the state at every step",
            ("t", *self.networks), rows, (*notes, self.sentence),
        )  # fmt: skip

    def drawn(self, axes: Any) -> None:
        """The norms over t, on a logarithmic axis."""
        steps = range(1, self.norms.shape[1] + 1)
        shown = np.where(self.norms > 0, self.norms, np.nan)  # a logarithm shows no 0
        for name, norms in zip(self.networks, shown, strict=True):
            axes.plot(steps, norms, label=name)
        axes.set(xlabel="step t", ylabel="‖dL/dh⁽ᵗ⁾‖", yscale="log")
        axes.legend()


def flow(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    lengths: Any = None,
    of: str | None = None,
    beside: Mapping[str, Network] = MappingProxyType({}),
) -> Flow:
    """‖dL/dh⁽ᵗ⁾‖ at every step, of a cell and of others that read the same sequence.

    Args:
        cell: any with a state.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values of the cell, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.
        of: the name of h, any named value; the first state of each network if None.
        beside: other networks, `(cell, params)` by name.

    >>> import numpy as np, minigrad as mg, rnn
    >>> xs = np.random.default_rng(0).normal(size=(30, 1, 2))
    >>> last = lambda ys: mg.sum(mg.square(ys[-1]))
    >>> lstm = rnn.LSTMCell(2, 8, forget_bias=3.0)
    >>> cell = rnn.RNNCell(2, 8)
    >>> found = rnn.bptt.flow(cell, cell.init(0), xs, last, beside={"LSTM": (lstm, lstm.init(0))})
    >>> print(found.sentence)
    of ‖dL/dh⁽ᵗ⁾‖ at t = 30 there is left at t = 1: 2.62e-05 in RNNCell and 0.0764 in LSTM
    """
    networks: dict[str, Network] = {cell.label: (cell, params), **beside}
    found: dict[str, Any] = {}
    for name, (one, weights) in networks.items():
        run = recorded(one, weights, xs, loss, state if one is cell else None, lengths)
        h = default_state(run, first=True) if of is None else of
        (total,), _ = total_by(run, [run.node(h)])
        found[name] = h, np.linalg.norm(total.reshape(run.steps, -1), axis=1)
    states, norms = zip(*found.values(), strict=True)
    return Flow(tuple(found), states, np.array(norms))
