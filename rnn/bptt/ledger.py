"""The ledger: the gradient of a parameter, by the step of the loss and the step of its use.

dL/dW = Σ_s Σ_t (what the loss at step s gives W through its use at step t). The rows are one
folded graph, the adjoint whose cotangents have the loss step as one more axis in front.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.bptt.adjoints import Adjoint
from rnn.bptt.recorded import Loss, Recorded, recorded
from rnn.bptt.table import Result, Table, heat, percent
from rnn.cell import Cell

STEPS = ("loss step s", "use step t")


@dataclass(frozen=True, eq=False, repr=False)
class Account:
    """The part of one parameter in the ledger.

    Attributes:
        name: of the parameter W; `gradient`: dL/dW.
        norms: ‖entry‖ `(T, T)`: row the loss step s, column the use step t.
        projections: the part of each entry along dL/dW, signed: they add up to ‖dL/dW‖.
        entries: the entries themselves `(T, T, ...)`, if they were asked for.
    """

    name: str
    gradient: Array
    norms: Array
    projections: Array
    entries: Array | None = None
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "norms": STEPS,
        "projections": STEPS,
        "entries": (*STEPS, "..."),
    }

    @property
    def shares(self) -> Array:
        """The projections as shares of the whole, which add up to 1; zeros if the whole is 0."""
        whole = float(np.linalg.norm(self.gradient))
        return self.projections / whole if whole else np.zeros_like(self.projections)

    def lags(self) -> Array:
        """The shares by s − t, from 0 on: how far back the loss reaches. Shape `(T,)`."""
        T = len(self.norms)
        return np.array([np.trace(self.shares, offset=-k) for k in range(T)])


@dataclass(frozen=True, eq=False, repr=False)
class Ledger(Result):
    """dL/dW by loss step and use step, for each parameter.

    Attributes:
        cell: its name; `loss`: its value.
        accounts: by the name of the parameter.
    """

    cell: str
    loss: float
    accounts: Mapping[str, Account]
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = Account.axes

    def __getitem__(self, name: str) -> Account:
        if name not in self.accounts:
            raise KeyError(f"ledger: no parameter {name}; there are {', '.join(self.accounts)}")
        return self.accounts[name]

    def table(self) -> Table:
        """For each parameter: its gradient's norm, and the shares by how far back they come from.

        With one parameter alone: the shares by loss step and use step.
        """
        if len(self.accounts) == 1:
            (account,) = self.accounts.values()
            T = len(account.norms)
            rows: list[tuple[Any, ...]] = [
                (s + 1, *map(_share, row), _share(row.sum()))
                for s, row in enumerate(account.shares)
            ]
            uses = map(_share, account.shares.sum(0))
            rows.append(("all", *uses, _share(account.shares.sum())))
            return Table(
                f"percent of dL/d{account.name} by loss step s (rows) and use step t (columns)",
                ("s", *(f"t = {t + 1}" for t in range(T)), "all"),
                tuple(rows),
                (f"{self.cell}: L = {self.loss:.6g}, "
                 f"‖dL/d{account.name}‖ = {np.linalg.norm(account.gradient):.4g}",),
            )  # fmt: skip
        most = max(len(a.norms) for a in self.accounts.values())
        columns = range(min(most, 6))
        rows = [
            (
                a.name,
                float(np.linalg.norm(a.gradient)),
                *(percent(a.lags()[k]) for k in columns),
                percent(a.lags()[len(columns) :].sum()),
            )
            for a in self.accounts.values()
        ]
        return Table(
            f"dL/dW by how many steps a loss reaches back, s − t: {self.cell}, L = {self.loss:.6g}",
            ("W", "‖dL/dW‖", *(f"{k} back" for k in columns), "farther"),
            tuple(rows),
            ("shares are signed projections on the gradient; they add up to 100 %",),
        )

    def drawn(self, axes: Any) -> None:
        """The norms of the first account as a heat map."""
        account = next(iter(self.accounts.values()))
        heat(axes, account.norms, STEPS, f"‖part of dL/d{account.name}‖")


def ledger(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    of: str | Sequence[str] | None = None,
    entries: bool = False,
) -> Ledger:
    """The gradient of each parameter, split by loss step s and use step t.

    A loss step is a step whose output y⁽ˢ⁾ the loss reads: what comes in through ∂L/∂y⁽ˢ⁾. In a
    causal cell an entry is exactly 0 where the use is later than the loss.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them; zeros if None.
        of: names of parameters; all if None.
        entries: keep the entries, T² arrays of each parameter's shape, beside their norms.

    Source: Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural
    networks, equations 3 and 4.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5, 0.25]).reshape(3, 1, 1)
    >>> book = rnn.bptt.ledger(cell, p, xs, lambda ys: mg.sum(ys), of="W_hh")
    >>> print(book)
    percent of dL/dW_hh by loss step s (rows) and use step t (columns)
      s  t = 1  t = 2  t = 3    all
      1      0      0      0      0
      2      0   37.5      0   37.5
      3      0   13.3   49.3   62.5
    all      0   50.7   49.3  100.0
    RNNCell: L = 2.00788, ‖dL/dW_hh‖ = 1.017
    """
    run = recorded(cell, params, xs, loss, state)
    names = [of] if isinstance(of, str) else list(run.params if of is None else of)
    missing = [name for name in names if name not in run.params]
    if missing:
        raise LookupError(f"ledger: no parameter {missing[0]}; there are {', '.join(run.params)}")
    found = _rows(run, names, entries)
    accounts = {}
    for name, (squares, along, *parts) in zip(names, found, strict=True):
        gradient = run.gradient[name]
        accounts[name] = Account(
            name,
            gradient,
            np.sqrt(squares).T,
            along.T,
            np.swapaxes(parts[0], 0, 1) if parts else None,
        )
    assert run.loss is not None
    return Ledger(cell.label, run.loss, accounts)


def _rows(run: Recorded, names: Sequence[str], entries: bool) -> list[list[Array]]:
    """For each parameter: squared norms and projections `(t, s)`, and entries if asked for."""
    T = run.steps
    adjoint = Adjoint(run.folded, T, run.inputs, [run.params.index(n) for n in names], [0])
    n = adjoint.at_once(T)
    directions = [_unit(run.gradient[name]) for name in names]

    def measured(parts: list[Any], directions: list[Any]) -> list[Any]:
        results = []
        for part, along in zip(parts, directions, strict=True):
            rows = mg.reshape(part, (n, -1))
            results += [mg.sum(rows * rows, axis=-1), mg.matmul(rows, mg.reshape(along, (-1,)))]
            results += [part] * entries
        return results

    pull = adjoint.rows(n, measured, directions)
    blocks = []
    for steps, seeds in one_loss_each(run, n):
        blocks.append([x[:, : len(steps)] for x in pull({0: seeds})])
    whole = [np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True)]
    each = 2 + entries
    return [whole[each * k : each * (k + 1)] for k in range(len(names))]


def one_loss_each(run: Recorded, n: int) -> Iterator[tuple[range, Array]]:
    """n steps at a time, and cotangents of the outputs `(T, n, B, O)`: each hears one's loss."""
    for first in range(0, run.steps, n):
        steps = range(first, min(first + n, run.steps))
        seeds = np.zeros((run.steps, n, *run.ys.shape[1:]), run.ys.dtype)
        seeds[steps, np.arange(len(steps))] = run.seeded[steps]
        yield steps, seeds


def _share(x: float) -> str:
    """Percent to one digit; 0 is exactly nothing, 0.0 is next to nothing."""
    return f"{100 * x:.1f}" if x else "0"


def _unit(g: Array) -> Array:
    norm = float(np.linalg.norm(g))
    return g / norm if norm else g
