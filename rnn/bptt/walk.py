"""Backpropagation edge by edge: cotangent × local derivative = message, summed where it ends.

Source: Griewank and Walther, Evaluating Derivatives (2008), section 3.2: incremental reverse mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.core import Array
from rnn.bptt.chain import Chain, edges, formula, local, message, shortened, written
from rnn.bptt.recorded import Loss
from rnn.bptt.table import Result, Table, joined, number
from rnn.cell import Cell

FORMULA = 24
"""How many characters of a formula a table shows."""


@dataclass(frozen=True, eq=False)
class Edge:
    """One edge, walked backwards.

    Attributes:
        node, operand: from where to where, as they are written.
        formula: what a cotangent g becomes on it; the rule of the operation, written out.
        local: the local derivative, where node and operand are single numbers.
        cotangent: g, all that has arrived at the node.
        message: what g becomes.
        total: what has arrived at the operand so far, this message included.
    """

    node: str
    operand: str
    formula: str
    local: float | None
    cotangent: Array
    message: Array
    total: Array


@dataclass(frozen=True, eq=False, repr=False)
class Walk(Result):
    """The edges of a graph in the order in which cotangents pass them.

    Attributes:
        cell: its name.
        edges: all that were walked.
        cotangents: what arrived in the end, by how a value is written: `W_hh`, `h⁽²⁾`. Of several
            values that are written alike it is that of the last to be reached.
        ends: which of them the walk was for: the parameters, or the value at which it stopped.
    """

    cell: str
    edges: tuple[Edge, ...]
    cotangents: Mapping[str, Array]
    ends: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What has arrived where the walk ends."""
        arrived = [f"dL/d{name} = {number(_number(self.cotangents[name]))}" for name in self.ends]
        if not arrived:
            return f"{len(self.edges)} edges walked, none of which leads to a parameter"
        return f"{len(self.edges)} edges walked; what arrived adds up to {joined(arrived)}"

    def table(self) -> Table:
        """One row an edge; numbers, or norms of arrays."""
        rows = tuple(
            (
                e.node,
                e.operand,
                shortened(e.formula, FORMULA),
                _number(e.cotangent),
                e.local,
                _number(e.message),
                _number(e.total),
            )
            for e in self.edges
        )
        header = ("from", "to", "message", "g", "local", "= message", "sum so far")
        return Table(f"backward, edge by edge: {self.cell}", header, rows, (self.sentence,))

    def drawn(self, axes: Any) -> None:
        """The sizes of the messages in the order in which they pass, on a logarithmic axis."""
        sizes = np.array([np.linalg.norm(e.message) for e in self.edges])
        axes.plot(range(1, len(sizes) + 1), np.where(sizes > 0, sizes, np.nan), ".")
        axes.set(xlabel="edge", ylabel="‖message‖", yscale="log", title=f"{self.cell}: walk back")


def walk(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    stop: tuple[str, int | None] | None = None,
    state: Any = None,
    lengths: Any = None,
) -> Walk:
    """The backward pass edge by edge, from the loss to the parameters or to where it is told.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        stop: name and step of a value at which to stop, once all has arrived there.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5]).reshape(2, 1, 1)
    >>> found = rnn.bptt.walk(
    ...     cell, p, xs, lambda ys: mg.sum(ys[1]), stop=("h", 1), state=(np.array([[0.2]]),)
    ... )
    >>> print(found)
    backward, edge by edge: RNNCell
    from            to              message                      g  local  = message  sum so far
    L               index((stack(…  g                            1      1          1           1
    index((stack(…  stack(h⁽¹⁾, h…  put(g)                       1               ‖1‖         ‖1‖
    stack(h⁽¹⁾, h…  h⁽¹⁾            the part of g              ‖1‖                 0           0
    stack(h⁽¹⁾, h…  h⁽²⁾            the part of g              ‖1‖                 1           1
    h⁽²⁾            z_h⁽²⁾          g × (1 − (h⁽²⁾ × h⁽²⁾))      1  0.487      0.487       0.487
    z_h⁽²⁾          (x⁽²⁾ @ W_xh)…  g                        0.487      1      0.487       0.487
    z_h⁽²⁾          b_h             g                        0.487      1      0.487       0.487
    (x⁽²⁾ @ W_xh)…  x⁽²⁾ @ W_xh     g                        0.487      1      0.487       0.487
    (x⁽²⁾ @ W_xh)…  h⁽¹⁾ @ W_hh     g                        0.487      1      0.487       0.487
    h⁽¹⁾ @ W_hh     h⁽¹⁾            g @ W_hhᵀ                0.487    0.5      0.243       0.243
    h⁽¹⁾ @ W_hh     W_hh            h⁽¹⁾ᵀ @ g                0.487    0.8       0.39        0.39
    x⁽²⁾ @ W_xh     x⁽²⁾            g @ W_xhᵀ                0.487      1      0.487       0.487
    x⁽²⁾ @ W_xh     W_xh            x⁽²⁾ᵀ @ g                0.487    0.5      0.243       0.243
    13 edges walked; what arrived adds up to dL/dh⁽¹⁾ = 0.243
    """
    chain = Chain(cell, params, xs, loss, state, lengths)
    end = None if stop is None else chain.find(*stop).serial
    arrived: dict[int, Array] = {chain.loss.serial: np.ones_like(chain.loss.data)}
    walked: list[Edge] = []
    for node in reversed(chain.nodes):
        g = arrived.get(node.serial)
        if node.serial == end:
            break
        if g is None:
            continue
        for i, x in edges(node):
            part = message(node, i, g)
            total = arrived[x.serial] = arrived[x.serial] + part if x.serial in arrived else part
            slope = float(local(node, i).item()) if node.size == x.size == 1 else None
            walked.append(Edge(written(node), written(x), formula(node, i), slope, g, part, total))
    known = {node.serial: node for node in chain.nodes}
    ended = {written(known[serial]): g for serial, g in arrived.items()}
    whose = chain.parameters if end is None else [known[end]]
    ends = tuple(written(node) for node in whose if node.serial in arrived)
    return Walk(chain.label, tuple(walked), ended, ends)


def _number(x: Array) -> str | float:
    return float(x.item()) if x.size == 1 else f"‖{np.linalg.norm(x):.3g}‖"
