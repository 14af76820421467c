"""Total and immediate derivatives: what the loss gives a value directly, and by way of later steps.

dL/dh⁽ᵗ⁾ = ∂L/∂h⁽ᵗ⁾ + what comes from later steps. The second term is what hand-written programs
call `dhnext`. PyTorch's gradient of the output of `nn.LSTM` is the first term alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.bptt.recorded import Loss, Recorded, recorded
from rnn.bptt.surgery import cut, probed
from rnn.bptt.table import Result, Table, distinct
from rnn.cell import Cell


@dataclass(frozen=True, eq=False, repr=False)
class Derivative(Result):
    """A named value at every step, and its derivatives, each `(T, B, H)`.

    Attributes:
        name: of the value.
        values: what it is.
        total: dL/dv⁽ᵗ⁾, all that a change of it would do.
        immediate: ∂L/∂v⁽ᵗ⁾, within step t: by way of y⁽ᵗ⁾ alone.
        later: what comes back over the delayed edges, computed by itself: total = immediate + later
            to rounding.
    """

    name: str
    values: Array
    total: Array
    immediate: Array
    later: Array
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
        ("values", "total", "immediate", "later"), ("step t", "sample", "unit")
    )

    def table(self) -> Table:
        """Total, immediate and later at every step, as numbers or norms."""
        return _table([self], f"total and immediate derivatives by {self.name}")

    def drawn(self, axes: Any) -> None:
        """The norms of all three, on a logarithmic axis."""
        for values, what in ((self.total, "total"), (self.immediate, "immediate"),
                             (self.later, "later")):  # fmt: skip
            _draw(axes, values, what)
        axes.set(xlabel="step t", yscale="log", title=f"derivatives by {self.name}")
        axes.legend()


@dataclass(frozen=True, eq=False, repr=False)
class Totals(Result):
    """The derivatives of the loss by every named value, at every step.

    Attributes:
        cell: its name; `loss`: its value.
        derivatives: by name, in the order in which a step computes them.
        states: the names of those values that become states.
    """

    cell: str
    loss: float
    derivatives: Mapping[str, Derivative]
    states: tuple[str, ...]
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = Derivative.axes

    def __getitem__(self, name: str) -> Derivative:
        if name not in self.derivatives:
            raise KeyError(f"totals: no value {name}; there are {', '.join(self.derivatives)}")
        return self.derivatives[name]

    def table(self) -> Table:
        """For each state and step: total, immediate and later, as numbers or norms."""
        names = self.states or tuple(self.derivatives)[-1:]
        shown = [self[name] for name in distinct({name: self[name].values for name in names})]
        others = [name for name in self.derivatives if name not in self.states]
        notes = [f"by name there are also {', '.join(others)}"] if others else []
        title = f"total and immediate derivatives: {self.cell}, L = {self.loss:.6g}"
        return _table(shown, title, notes)

    def drawn(self, axes: Any) -> None:
        """‖dL/dv⁽ᵗ⁾‖ of the states, on a logarithmic axis."""
        for name in self.states:
            _draw(axes, self[name].total, f"‖dL/d{name}⁽ᵗ⁾‖")
        axes.set(xlabel="step t", yscale="log", title=f"{self.cell}: total derivatives")
        axes.legend()


def totals(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    lengths: Any = None,
) -> Totals:
    """dL/dv⁽ᵗ⁾ (total) beside ∂L/∂v⁽ᵗ⁾ (immediate) for every named value v, after one backward.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    Source: Werbos (1990), Backpropagation through time: what it does and how to do it, equation 1,
    ordered derivatives.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 1)
    >>> p = {"W_xh": np.array([[1.0]]), "W_hh": np.array([[0.5]]), "b_h": np.zeros(1)}
    >>> xs = np.array([1.0, 0.5]).reshape(2, 1, 1)
    >>> print(rnn.bptt.totals(cell, p, xs, lambda ys: mg.sum(ys[1]), (np.array([[0.2]]),)))
    total and immediate derivatives: RNNCell, L = 0.716419
    t  dL/dh  = ∂L/∂h  + later
    1  0.243        0    0.243
    2      1        1        0
    by name there are also z_h
    “later” is what comes back from later steps, dhnext in hand-written programs
    """
    run = recorded(cell, params, xs, loss, state, lengths)
    nodes = list(dict.fromkeys(run.names.values()))
    found, arriving = total_by(run, nodes)
    immediate, later = _within(run, nodes, arriving)
    by_node = dict(zip(nodes, zip(found, immediate, later, strict=True), strict=True))
    derivatives = {
        name: Derivative(name, run.values[name], *by_node[k]) for name, k in run.names.items()
    }
    states = tuple(name for name, k in run.names.items() if k in run.made)
    assert run.loss is not None
    return Totals(cell.label, run.loss, derivatives, states)


def total_by(run: Recorded, nodes: list[int]) -> tuple[list[Array], list[Array]]:
    """dL/dv of the nodes, and of what every delayed edge brings to a step."""
    brought = [run.folded.step.inputs[r.input] for r in run.edges]
    every = [*nodes, *brought]
    folded = probed(run.folded, every)
    probes = run.zeros(every)
    outputs = lambda *probes: mg.scan(folded, run.steps, *run.inputs, *probes)[0]
    found = mg.vjp(outputs, *probes)[1](run.seeded) if probes else ()
    return list(found[: len(nodes)]), list(found[len(nodes) :])


def _within(
    run: Recorded, nodes: list[int], arriving: list[Array]
) -> tuple[list[Array], list[Array]]:
    """The derivatives within a step: of the loss by y⁽ᵗ⁾, and of what later steps were brought."""
    folded = cut(probed(run.folded, nodes))
    places = [folded.plain.index(r.output) for r in run.edges]

    def outputs(*probes: Any) -> list[Any]:
        results = mg.scan(folded, run.steps, *run.without_edges(), *probes)
        return [results[0], *(results[k] for k in places)]

    if not nodes:
        return [], []
    values, pull = mg.vjp(outputs, *run.zeros(nodes))
    nothing = [np.zeros_like(v) for v in values]
    sent = [_sent(cotangent, r.delay) for cotangent, r in zip(arriving, run.edges, strict=True)]
    return list(pull([run.seeded, *nothing[1:]])), list(pull([nothing[0], *sent]))


def _sent(cotangent: Array, delay: int) -> Array:
    """At the step that sent a value, the cotangent from the step to which it was brought."""
    result = np.zeros_like(cotangent)
    if delay > 0:
        result[:-delay] = cotangent[delay:]
    else:
        result[-delay:] = cotangent[:delay]
    return result


def _table(shown: Sequence[Derivative], title: str, notes: Sequence[str] = ()) -> Table:
    """Several values side by side, a row a step."""
    is_number = all(d.total[:1].size == 1 for d in shown)
    header = ["t"]
    for d in shown:
        header += [f"dL/d{d.name}", "= ∂L/∂" + d.name, "+ later"]
    rows = [
        (t + 1, *(_size(x[t], is_number) for d in shown for x in (d.total, d.immediate, d.later)))
        for t in range(len(shown[0].total) if shown else 0)
    ]
    told = [] if is_number else ["numbers are norms, so they need not add up; the arrays do"]
    told.append("“later” is what comes back from later steps, dhnext in hand-written programs")
    return Table(title, tuple(header), tuple(rows), (*notes, *told))


def _draw(axes: Any, values: Array, what: str) -> None:
    """Norms over t; a logarithm shows no 0."""
    norms = np.linalg.norm(values.reshape(len(values), -1), axis=1)
    axes.plot(range(1, len(norms) + 1), np.where(norms > 0, norms, np.nan), label=what)


def _size(x: Array, is_number: bool) -> float:
    return float(x.item() if is_number else np.linalg.norm(x))
