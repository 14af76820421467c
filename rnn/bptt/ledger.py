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


MOST = 250_000_000
"""Bytes of tables at most; making them takes about eight times as much."""

NEAR = 0.9
"""The share of a gradient that counts as most of it."""


@dataclass(frozen=True, eq=False, repr=False)
class Account(Result):
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
        shares = self.shares
        return np.array([np.trace(shares, offset=-k) for k in range(len(shares))])

    @property
    def near(self) -> int:
        """The steps back within which the shares are 90 to 110 % of the whole, and stay so."""
        if not np.any(self.gradient):
            return 0
        apart = np.abs(np.cumsum(self.lags()) - 1) > 1 - NEAR
        return int(np.max(np.nonzero(apart)[0], initial=-1)) + 1

    @property
    def sentence(self) -> str:
        """How far back a loss has to reach."""
        return (
            f"‖dL/d{self.name}‖ = {np.linalg.norm(self.gradient):.4g}; {NEAR:.0%} of it are from "
            f"at most {self.near} back"
        )

    def table(self) -> Table:
        """The shares by loss step and use step."""
        T = len(self.norms)
        rows: list[tuple[Any, ...]] = [
            (s + 1, *map(_share, row), _share(row.sum())) for s, row in enumerate(self.shares)
        ]
        rows.append(("all", *map(_share, self.shares.sum(0)), _share(self.shares.sum())))
        return Table(
            f"percent of dL/d{self.name} by loss step s (rows) and use step t (columns)",
            ("s", *(f"t = {t + 1}" for t in range(T)), "all"),
            tuple(rows),
            (self.sentence,),
        )

    def drawn(self, axes: Any) -> None:
        """The norms as a heat map."""
        heat(axes, self.norms, STEPS, f"‖part of dL/d{self.name}‖")


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

    @property
    def sentence(self) -> str:
        """How far back the losses have to reach for every parameter."""
        if not self.accounts:
            return "there is no parameter"
        name = max(self.accounts, key=lambda name: self[name].near)
        return (
            f"farthest back reaches {name}: {NEAR:.0%} of its gradient are from at most "
            f"{self[name].near} back"
        )

    def table(self) -> Table:
        """For each parameter: its gradient's norm, and the shares by how far back they come from.

        With one parameter alone: the shares by loss step and use step.
        """
        if len(self.accounts) == 1:
            (account,) = self.accounts.values()
            return account.table()
        most = max(len(a.norms) for a in self.accounts.values())
        columns = range(min(most, 6))
        rows = []
        for a in self.accounts.values():
            lags = a.lags()
            near = (percent(lags[k]) for k in columns)
            far = percent(lags[len(columns) :].sum())
            rows.append((a.name, float(np.linalg.norm(a.gradient)), *near, far))
        return Table(
            f"dL/dW by how many steps a loss reaches back, s − t: {self.cell}, L = {self.loss:.6g}",
            ("W", "‖dL/dW‖", *(f"{k} back" for k in columns), "farther"),
            tuple(rows),
            ("shares are signed projections on the gradient; they add up to 100 %", self.sentence),
        )

    def drawn(self, axes: Any) -> None:
        """The norms of the first account as a heat map."""
        next(iter(self.accounts.values())).drawn(axes)


def ledger(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    lengths: Any = None,
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
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.
        of: names of parameters; all if None.
        entries: keep the entries, T² arrays of each parameter's shape, beside their norms.

    Raises:
        LookupError: there is no such parameter.
        ValueError: the tables of T² numbers for each parameter would take more than 250 MB.

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
    ‖dL/dW_hh‖ = 1.017; 90% of it are from at most 1 back
    """
    run = recorded(cell, params, xs, loss, state, lengths)
    names = [of] if isinstance(of, str) else list(run.params if of is None else of)
    missing = [name for name in names if name not in run.params]
    if missing:
        raise LookupError(f"ledger: no parameter {missing[0]}; there are {', '.join(run.params)}")
    numbers = sum(2 + entries * run.gradient[name].size for name in names)
    if (taken := run.steps**2 * numbers * run.ys.itemsize) > MOST:
        raise ValueError(
            f"ledger: tables of loss step by use step for {len(names)} parameters take "
            f"{taken / 1e9:.3g} GB at T = {run.steps:,} (limit {MOST / 1e9:g} GB, as making them "
            "takes eight times that); study fewer steps, or of one parameter"
        )
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
