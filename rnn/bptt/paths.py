"""All ways of the chain rule between two values: the product along each, by the steps it crosses.

Source: Pascanu, Mikolov and Bengio (2013), section 2: long-term and short-term contributions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigrad.core import Array
from rnn.bptt.chain import Chain, edges, local, written
from rnn.bptt.recorded import Loss
from rnn.bptt.table import Result, Table, percent
from rnn.cell import Cell

MOST = 20_000
"""How many paths are listed; their number grows without bound with the steps."""


@dataclass(frozen=True, eq=False)
class Path:
    """One way from the source to the target.

    Attributes:
        nodes: how the values on it are written, the source first.
        steps: how many steps it crosses.
        product: of the local Jacobians along it, `(n, m)`: entries of the target by the source's.
    """

    nodes: tuple[str, ...]
    steps: int
    product: Array


@dataclass(frozen=True, eq=False, repr=False)
class Paths(Result):
    """All ways from one value to another.

    Attributes:
        cell: its name; `source`, `target`: how the two are written.
        paths: all of them.
        shape: of the derivative, `(n, m)`.
    """

    cell: str
    source: str
    target: str
    paths: tuple[Path, ...]
    shape: tuple[int, int]
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"product": ("entry of target", "of source")}

    @property
    def derivative(self) -> Array:
        """The sum over all paths `(n, m)`."""
        return sum((p.product for p in self.paths), np.zeros(self.shape))

    @property
    def by_steps(self) -> dict[int, Array]:
        """The sums over the paths that cross as many steps."""
        found: dict[int, Array] = {}
        for p in sorted(self.paths, key=lambda p: p.steps):
            found[p.steps] = found.get(p.steps, np.zeros(self.shape)) + p.product
        return found

    def table(self) -> Table:
        """For each number of steps: how many paths, what they give, their share."""
        whole = self.derivative
        size = float(np.sum(whole * whole))
        rows = []
        for steps, part in self.by_steps.items():
            count = sum(p.steps == steps for p in self.paths)
            value = float(part.item()) if part.size == 1 else float(np.linalg.norm(part))
            share = percent(np.sum(part * whole) / size) if size else ""
            rows.append((steps, count, value, share))
        what = f"d{self.target}/d{self.source}"
        return Table(
            f"{what} over {len(self.paths)} path{'s' * (len(self.paths) != 1)}: {self.cell}",
            ("steps crossed", "paths", "sum" if whole.size == 1 else "‖sum‖", "share"),
            tuple(rows),
            (f"all of them add up to {what} = {whole.item():.6g}" if whole.size == 1
             else f"all of them add up to {what}, of norm {np.linalg.norm(whole):.6g}",),
        )  # fmt: skip

    def drawn(self, axes: Any) -> None:
        """What the paths that cross as many steps give, and how many they are."""
        found = self.by_steps
        sizes = [float(np.linalg.norm(part)) for part in found.values()]
        bars = axes.bar(list(found), sizes)
        axes.bar_label(bars, [sum(p.steps == steps for p in self.paths) for steps in found])
        what = f"d{self.target}/d{self.source}"
        axes.set(xlabel="steps crossed (above: how many paths)", ylabel=f"‖part of {what}‖",
                 title=self.cell)  # fmt: skip


def paths(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss | None,
    source: tuple[str, int | None],
    target: tuple[str, int | None] | None = None,
    state: Any = None,
    lengths: Any = None,
) -> Paths:
    """All chain-rule paths from one value to another, with the product along each.

    Those along which nothing comes, as their product is exactly 0, are left out.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number; None if not needed.
        source: name and step of the value to differentiate by; the step of a parameter is None.
        target: name and step of the value differentiated; the loss if None.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    Raises:
        ValueError: there are more than 20,000 paths; the message says how many.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5]).reshape(2, 1, 1)
    >>> print(rnn.bptt.paths(cell, p, xs, lambda ys: mg.sum(ys[1]), source=("W_xh", None)))
    dL/dW_xh over 2 paths: RNNCell
    steps crossed  paths    sum   share
                0      1   0.25  70.4 %
                1      1  0.105  29.6 %
    all of them add up to dL/dW_xh = 0.355283
    """
    chain = Chain(cell, params, xs, loss, state, lengths)
    start = chain.find(*source)
    end = chain.loss if target is None else chain.find(*target)
    # How many paths lead from the source to a node; where there are none, nothing is tried.
    count = {start.serial: 1}
    for node in chain.nodes:
        if node.serial > start.serial:
            ways = sum(count.get(x.serial, 0) for _, x in edges(node))
            if ways:
                count[node.serial] = ways
    total = count.get(end.serial, 0)
    if total > MOST:
        raise ValueError(
            f"paths: there are {total:,} paths from {written(start)} to {written(end)}; up to "
            f"{MOST:,} are listed. Take fewer steps, or two values that are nearer"
        )
    found: list[Path] = []
    jacobians: dict[tuple[int, int], Array] = {}
    work: list[tuple[Any, Array, int, tuple[str, ...]]] = []
    if total:
        work.append((end, np.eye(end.size), 0, (written(end),)))
    while work:
        node, product, steps, names = work.pop()
        if node is start:
            found.append(Path(names, steps, product))
            continue
        for i, x in edges(node):
            if x.serial not in count:
                continue
            if (node.serial, i) not in jacobians:
                jacobians[node.serial, i] = local(node, i)
            crossed = abs(node.t - x.t) if node.t is not None and x.t is not None else 0
            longer = product @ jacobians[node.serial, i]
            if longer.any():
                work.append((x, longer, steps + crossed, (written(x), *names)))
    shape = (end.size, start.size)
    return Paths(chain.label, written(start), written(end), tuple(found), shape)
