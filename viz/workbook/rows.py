"""What stands in which row of the workbook: first what is given, then values, then derivatives.

A row is a named value of one step and sample, its entries in columns. What is read more than once
and has no name stands in a row of its own, above the first that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engines.scalars import Expanded, Instruction, expanded
from minigrad.folded import by_step
from minigrad.scan import unrolled
from minigrad.tree import flatten
from rnn.bptt.chain import superscript
from rnn.bptt.recorded import Loss, Recorded
from rnn.bptt.surgery import probed
from rnn.cell import state_paths
from viz.workbook.formulas import ATOM, Term, words

FORWARD, BACKWARD = "forward", "backward"

WIDE, DEEP = 200, 25
"""Numbers that one formula reads, and brackets in brackets, at most; longer and deeper ones are
divided. Excel takes 8,192 characters and 64 functions in each other."""

SHORT = 60
"""How many characters of a formula stand for it where it is read."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        sheet: where it stands.
        label: what it is; empty if it has no name.
        lines: the instructions whose results are its entries.
        about: how it comes about, in names.
        given: the numbers to start with, where the reader may change them.
    """

    sheet: str
    label: str
    lines: tuple[int, ...]
    about: str
    given: tuple[float, ...] | None = None


@dataclass
class Rows:
    """All rows in reading order.

    Attributes:
        lines: the instructions that compute them.
        kept: the lines that are not to be written into others: named, or read more than once.
        rows: so far.
        names: of the lines that have a cell, without their entry.
    """

    lines: Sequence[Instruction]
    kept: set[int]
    rows: list[Row] = field(default_factory=list)
    names: dict[int, Term] = field(default_factory=dict)

    def add(self, sheet: str, name: str, t: int | None, place: Any, given: Any = None) -> None:
        """The rows of a named value; `place` has the lines of its entries, in its shape."""
        self._unnamed(sheet, place)
        name = name if t is None else name + superscript(t)
        for entry in np.ndindex(place.shape[:-1]):
            several = [str(i + 1) for i, n in zip(entry, place.shape, strict=False) if n > 1]
            what = "row" if t is None else "sample"
            label = f"{name}, {what} {', '.join(several)}" if several else name
            row = tuple(int(k) for k in np.atleast_1d(place[entry]))
            numbers = None if given is None else tuple(np.atleast_1d(given[entry]).tolist())
            about = "" if numbers else words(self.lines, row[0], self.names)[0] if row else ""
            self.rows.append(Row(sheet, label, row, about, numbers))
        for k in place.reshape(-1).tolist():
            if self.lines[k].op != "constant":
                self.names.setdefault(k, (name, ATOM))

    def _unnamed(self, sheet: str, ends: Any) -> None:
        """Rows for what is read more than once on the way to some lines, alike ones in one."""
        found: dict[str, list[int]] = {}
        for k in self._on_the_way({int(k) for k in ends.reshape(-1)}):
            about, tight = words(self.lines, k, self.names)
            # In others it is told in short: names in names would double at every reading.
            is_short = len(about) <= SHORT
            self.names[k] = (about, tight) if is_short else (f"({about[:SHORT]}…)", ATOM)
            found.setdefault(about, []).append(k)
        self.rows += [Row(sheet, "", tuple(lines), about) for about, lines in found.items()]

    def _on_the_way(self, ends: set[int]) -> list[int]:
        """The lines that are kept and have no cell yet, in the order of computing."""
        work, seen = [k for k in ends if k not in self.names], set(ends)
        while work:
            new = [
                i for i in self.lines[work.pop()].operands if i not in seen and i not in self.names
            ]
            seen.update(new)
            work += new
        return sorted(k for k in seen & self.kept if k not in ends)


def laid_out(run: Recorded, loss: Loss) -> Rows:
    """The rows of a run: weights, sequence and start values, all named values, L, derivatives."""
    names, T = list(run.names), run.steps
    sheet = _expanded(run, loss)
    given = [np.zeros(0, int) if place is None else place for place in sheet.inputs]
    (L, values), (by_weight, by_start, by_value, *by_x) = sheet.graph.out_tree.unflatten(
        sheet.outputs
    )
    ends = {int(k) for place in (*given, *sheet.outputs) for k in place.reshape(-1)}
    rows = Rows(sheet.lines, _kept(sheet.lines, ends))
    count = len(run.params)
    for name, place, numbers in zip(run.params, given, run.inputs, strict=False):
        rows.add(FORWARD, name, None, place, numbers)
    starts = zip(_starts(run, given[count:]), _starts(run, _histories(run)), strict=True)
    for (name, t, place), (_, _, numbers) in starts:
        rows.add(FORWARD, name, t, place, numbers)
    for t, place in enumerate(given[-1]):
        rows.add(FORWARD, "x", t + 1, place, run.inputs[count][t])
    order = range(T) if run.direction >= 0 else range(T)[::-1]
    for t in order:
        for name, place in zip(names, values, strict=True):
            rows.add(FORWARD, name, t + 1, place[t])
    rows.add(FORWARD, "L", None, L)
    for t in reversed(order):
        for name, place in zip(reversed(names), reversed(by_value), strict=True):
            rows.add(BACKWARD, f"dL/d{name}", t + 1, place[t])
    for t, place in enumerate(by_x[0] if by_x else ()):
        rows.add(BACKWARD, "dL/dx", t + 1, place)
    for name, t, place in _starts(run, by_start):
        rows.add(BACKWARD, f"dL/d{name}", t, place)
    for name, place in zip(run.params, by_weight, strict=True):
        rows.add(BACKWARD, f"dL/d{name}", None, place)
    return rows


def _expanded(run: Recorded, loss: Loss) -> Expanded:
    """L and all named values, and the derivatives of L by weights, start values, values and xs."""
    nodes, count = list(run.names.values()), len(run.params)
    folded, probes = probed(run.folded, nodes), run.zeros(nodes)
    weights, xs, starts = run.inputs[:count], run.inputs[count], _histories(run)

    def forward(weights: Any, starts: Any, probes: Any, xs: Any) -> Any:
        pairs = zip(flatten(run.cell.edges())[0], starts, strict=True)
        lags = [start for edge, history in pairs for start in edge.starts(history)]
        found = unrolled(folded, run.steps, by_step(folded, [*weights, xs, *lags, *probes]))
        return loss(found[0]), found[1 : 1 + len(nodes)]

    is_real = xs.dtype.kind == "f"
    both = mg.value_and_grad(forward, wrt=range(3 + is_real), has_aux=True)
    args = [*weights], [*starts], probes, xs
    fixed = dict(enumerate(probes, count + len(starts)))  # nothing is added; it has derivatives
    if not is_real:
        fixed[count + len(starts) + len(probes)] = xs
    return expanded(mg.trace(both, *args), fixed)


def _histories(run: Recorded) -> list[Any]:
    """What stands in each recurrent value before the first step: that of its longest lag."""
    starts = iter(run.inputs[len(run.params) + 1 :])
    return [[next(starts) for _ in edge.lags][-1] for edge in flatten(run.cell.edges())[0]]


def _starts(run: Recorded, histories: Sequence[Any]) -> Iterator[tuple[str, int, Any]]:
    """Each start value with the name of its state and the step that it stands for."""
    known = zip(state_paths(run.cell), flatten(run.cell.edges())[0], histories, strict=False)
    for name, edge, history in known:
        d = abs(edge.delay)
        for n in range(d):
            t = n + 1 - d if edge.delay > 0 else run.steps + 1 + n
            yield name, t, history if d == 1 else history[n]


def _kept(lines: Sequence[Instruction], named: set[int]) -> set[int]:
    """The lines that get a cell: named, read more than once, or too much to be written into one."""
    uses = [0] * len(lines)
    for line in lines:
        for i in line.operands:
            uses[i] += 1
    kept, width, depth = set(named), [1] * len(lines), [0] * len(lines)
    for k, line in enumerate(lines):
        if line.op not in ("input", "constant"):
            width[k] = sum(1 if i in kept else width[i] for i in line.operands)
            inner = [0 if i in kept else depth[i] + 1 for i in line.operands]
            if line.op == "+":  # a sum of many stands beside each other
                inner[0] -= inner[0] > 0
            depth[k] = max(inner)
            if uses[k] > 1 or width[k] > WIDE or depth[k] > DEEP:
                kept.add(k)
    return {k for k in kept if lines[k].op not in ("input", "constant")}
