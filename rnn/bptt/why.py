"""Why a gradient is zero, huge or not a number: the first place where numbers go wrong.

Forward and backward are run operation by operation, in the order of the step, and each result is
looked at: a value that overflows, underflows or becomes NaN, and a function that
is flat where it stands, so that little comes back through it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.anomaly import spoiled
from minigrad.folded import Folded, by_step, folded_adjoint, no_cotangent, run_steps
from minigrad.graph import Node, apply
from rnn.bptt.recorded import Loss, recorded
from rnn.bptt.table import Result, Table
from rnn.cell import Cell

FLAT = 0.01
"""A function is flat where its slope is smaller."""

SAID = {
    "NaN": "becomes NaN",
    "overflow": "overflows",
    "underflow": "underflows",
    "flat": f"is flat, with slopes below {FLAT:.0%}",
}


@dataclass(frozen=True)
class Event:
    """Something that went wrong for the first time.

    Attributes:
        kind: "NaN", "overflow", "underflow" or "flat".
        backward: whether it is a cotangent.
        t: the step; `op`: the operation; `value`: the named value that is computed by it.
        units: in how many entries; `of`: of how many.
    """

    kind: str
    backward: bool
    t: int
    op: str
    value: str
    units: int
    of: int

    def __str__(self) -> str:
        way = "backward" if self.backward else "forward"
        return (
            f"{way} at t = {self.t}, {self.op} on the way to {self.value} {SAID[self.kind]} "
            f"in {self.units} of {self.of} entries"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Why(Result):
    """What goes wrong first, of each kind, forward and backward.

    Attributes:
        cell: its name; `steps`: T.
        events: the first of each kind, forward ones first, in the order in which they happen.
    """

    cell: str
    steps: int
    events: tuple[Event, ...]

    @property
    def sentence(self) -> str:
        """The first event in words, those that spoil numbers before those that shrink them."""
        if not self.events:
            return f"nothing goes wrong in {self.steps} steps, forward or backward"
        order = list(SAID)
        worst = min(self.events, key=lambda e: (order.index(e.kind) // 2, e.backward))
        return str(worst)

    def table(self) -> Table:
        """All events."""
        rows = tuple(
            ("backward" if e.backward else "forward", e.t, e.op, e.value, SAID[e.kind],
             f"{e.units} of {e.of}")
            for e in self.events
        )  # fmt: skip
        header = ("way", "t", "operation", "on the way to", "what happens", "entries")
        return Table(f"what goes wrong first: {self.cell}", header, rows, (self.sentence,))

    def drawn(self, axes: Any) -> None:
        """The events over t, one row for each kind and way."""
        rows = [f"{'backward' if e.backward else 'forward'}: {e.kind}" for e in self.events]
        axes.plot([e.t for e in self.events], range(len(rows)), "o")
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlim=(0.5, self.steps + 0.5), ylim=(-0.5, max(len(rows), 1) - 0.5),
                 xlabel="step t", title=f"{self.cell}: what goes wrong first")  # fmt: skip


def why(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    lengths: Any = None,
) -> Why:
    """The first step, value and operation where numbers saturate, underflow, overflow or are NaN.

    A function of one operand counts as flat if its slope is below 1 % in more than half of the
    entries.

    Args:
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them, and chooses them if None.
        lengths: of ragged batches, as `rnn.run` takes them.

    >>> import numpy as np, minigrad as mg, rnn
    >>> cell = rnn.RNNCell(1, 2)
    >>> p = cell.init(0)
    >>> xs = np.array([0.1, 0.2, 90.0, 0.1]).reshape(4, 1, 1)
    >>> print(rnn.bptt.why(cell, p, xs, lambda ys: mg.sum(ys)).sentence)
    forward at t = 3, tanh on the way to h is flat, with slopes below 1% in 2 of 2 entries
    """
    with np.errstate(all="ignore"):
        run = recorded(cell, params, xs, loss, state, lengths)
        pair = folded_adjoint(run.folded)
        inputs = by_step(run.folded, run.inputs)
        forward, columns = _watched(pair.forward, run.steps, inputs, False)
        emitted = map(np.array, columns[len(run.folded.outputs) :])
        seeds = [run.seeded if k == 0 else no_cotangent(run.folded, k) for k in pair.step.seeded]
        inputs = by_step(pair.backward, [*pair.residuals(run.inputs, emitted), *seeds])
        backward, _ = _watched(pair.backward, run.steps, inputs, True)
    return Why(cell.label, run.steps, (*forward, *backward))


def _watched(
    folded: Folded, T: int, inputs: Sequence[Any], backward: bool
) -> tuple[list[Event], list[list[Any]]]:
    """The first event of each kind, and the values of the outputs."""
    found: dict[str, Event] = {}
    nodes = folded.step.nodes
    goals = _goals(folded, backward)

    def emit(k: int, t: int, operands: list[Any]) -> Any:
        node = nodes[k]
        if node.op == "constant":
            return node.value
        value, kind = _judged(node, operands)
        wrong = _wrong(kind, node, operands, value, backward)
        if wrong:
            count, kind = wrong
            found.setdefault(
                kind, Event(kind, backward, t, node.op, goals[k], count, np.size(value))
            )
        return value

    columns, _ = run_steps(folded, T, inputs, emit)
    return list(found.values()), columns


def _judged(node: Node, operands: list[Any]) -> tuple[Any, str | None]:
    """The value, and what NumPy says went wrong; products of matrices do not say."""
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise", under="raise"):
            return apply(node, operands), None
    except FloatingPointError as fault:
        return apply(node, operands), "underflow" if "underflow" in str(fault) else None


def _wrong(
    kind: str | None, node: Node, operands: list[Any], value: Any, backward: bool
) -> tuple[int, str] | None:
    """How many entries went wrong in which way."""
    if np.asarray(value).dtype.kind != "f":
        return None
    if wrong := spoiled(value, operands):
        return wrong[0], {"NaN": "NaN", "infinite": "overflow"}[wrong[1]]
    sound = all(np.all(np.isfinite(x)) for x in operands if np.asarray(x).dtype.kind == "f")
    primitive = mg.PRIMITIVES[node.op]
    tiny = np.abs(value) < np.finfo(value.dtype).tiny
    if primitive.kind == "bilinear" and sound and tiny.any():
        # Products of matrices do not tell NumPy. Of operands brought to 1 nothing underflows.
        level = [np.asarray(x) / (np.max(np.abs(x), initial=0.0) or 1.0) for x in operands]
        tiny &= np.abs(primitive(*level, **node.attrs)) >= np.finfo(value.dtype).eps
        kind = "underflow"
    if kind == "underflow" and (count := int(np.sum(tiny))):
        return count, kind
    if not backward and primitive.kind == "elementwise" and len(primitive.rules) == 1:
        (rule,) = primitive.rules
        if rule is not None and sound:
            slopes = np.abs(rule(np.ones_like(value), value, *operands, **node.attrs))
            count = int(np.sum(slopes < FLAT))
            if 2 * count > np.size(value):
                return count, "flat"
    return None


def _goals(folded: Folded, backward: bool) -> list[str]:
    """For each node the named value that it is on the way to."""
    step = folded.step
    goals = [""] * len(step.nodes)
    ends = {step.outputs[r.output]: r.name for r in folded.recurrences}
    for k in range(len(step.nodes) - 1, -1, -1):
        node = step.nodes[k]
        if node.name and node.op != "input":
            goals[k] = f"{node.scope}.{node.name}" if node.scope else node.name
        elif not goals[k]:
            goals[k] = ends.get(k, "a gradient" if backward else "y")
        for i in node.inputs:
            goals[i] = goals[i] or goals[k]
    return goals
