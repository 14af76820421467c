"""What a page shows in numbers, all of it found by `rnn.bptt`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Array
from rnn.bptt import Ledger, Totals, Truncation, ledger, totals, truncation
from rnn.bptt.ladder import default_state
from rnn.bptt.messages import Messages, of_run
from rnn.bptt.recorded import Loss, Recorded, recorded
from rnn.bptt.stages import meanings_of
from rnn.bptt.steps import steps_of
from rnn.cell import Cell
from viz.formulas.equations import equations

UNITS = 16
"""How many units of a value the page holds; norms are of all of them."""

DIGITS = 7
"""Significant digits of the numbers that are not computed in the page."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """A run, and what is known of its gradient.

    Attributes:
        cell, params, xs, loss: what is studied.
        run: the run; `messages`: what comes back to each value.
        totals, ledger: as `rnn.bptt` gives them.
        truncation: None where edges do not all run forward in time.
        ladder: of a state v how much of v⁽ᵏ⁾ is felt in v⁽ᵗ⁾, row t and column k, see `rungs`; None
            where edges run both ways; `state`: the name of v.
    """

    cell: Cell
    params: Mapping[str, Any]
    xs: Array
    loss: Loss
    run: Recorded
    messages: Messages
    totals: Totals
    ledger: Ledger
    truncation: Truncation | None
    ladder: Array | None
    state: str | None

    @property
    def steps(self) -> int:
        """T."""
        return self.run.steps

    @property
    def names(self) -> tuple[str, ...]:
        """The named values, in the order of a step."""
        return self.messages.names

    @cached_property
    def formulas(self) -> dict[str, str]:
        """The equation of a named value as HTML, where it has one."""
        lines = [line.split(" = ", 1) for line in equations(self.cell).html.splitlines()]
        found, here = {}, 0
        for name in self.names:  # both are in the order of a step
            base, _, sub = name.rpartition(".")[2].partition("_")
            for k in range(here, len(lines)):
                if _bare(lines[k][0]).startswith(base + sub):
                    found[name], here = " = ".join(lines[k]), k + 1
                    break
        return found

    def island(self) -> dict[str, Any]:
        """All of it for the script of the page, as JSON takes it."""
        run, found = self.run, self.messages.found
        index = {name: k for k, name in enumerate(self.names)}
        meanings = meanings_of(self.cell)
        gradient = {name: float(np.linalg.norm(g)) for name, g in run.gradient.items()}
        return {
            "cell": self.cell.label,
            "T": self.steps,
            "loss": _short(run.loss),
            "names": list(self.names),
            "sizes": [int(found["values"][n][0][0].size) for n in self.names],
            "states": [index[n] for n in self.totals.states if n in index],
            "meanings": [meanings.get(name, "") for name in self.names],
            "values": [_rows(found["values"][n]) for n in self.names],
            "total": [_rows(self.totals[n].total) for n in self.names],
            "immediate": [_rows(self.totals[n].immediate) for n in self.names],
            "norms": [_norms(self.totals[n].total) for n in self.names],
            "means": [_means(found["values"][n]) for n in self.names],
            "edges": [[index[e.value], e.reader, e.delay] for e in self.messages.edges],
            "messages": [_rows(parts) for parts in found["messages"]],
            "heard": None if self.messages.heard is None else index[self.messages.heard],
            "seeds": _rows(run.seeded),
            "params": list(run.params),
            "gradient": [_short(gradient[name]) for name in run.params],
            "ledger": [_short(self.ledger[name].shares) for name in run.params],
            "ladder": None if self.ladder is None else _short(self.ladder),
            "state": None if self.state is None else index[self.state],
        }


Report = Callable[[str], object]
"""What hears the name of each part before it is computed."""


def unheard(part: str) -> None:
    """Nobody hears it."""


def study(
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
    report: Report = unheard,
) -> Numbers:
    """Everything that the page of a cell on a sequence shows."""
    xs = np.asarray(xs)
    report("run")
    run = recorded(cell, params, xs, loss, state)
    report("messages")
    found = of_run(run)
    report("totals")
    whole = totals(cell, params, xs, loss, state)
    report("ledger")
    book = ledger(cell, params, xs, loss, state)
    report("truncation")
    forward = all(r.delay > 0 for r in run.edges)
    short = truncation(cell, params, xs, loss, state=state) if forward else None
    report("ladder")
    of = default_state(run) if run.edges else None
    felt = None if of is None or not run.direction else rungs(cell, params, xs, of, state)
    return Numbers(cell, params, xs, loss, run, found, whole, book, short, felt, of)


def rungs(cell: Cell, params: Mapping[str, Any], xs: Array, of: str, state: Any) -> Array:
    """‖∂v⁽ᵗ⁾/∂v⁽ᵏ⁾‖ / ‖1‖ for all t and k, of the first sample, by products of one-step Jacobians.

    Norms are Frobenius', so that this is the mean over all directions, 1 for what is passed on.
    """
    state = None if state is None else mg.tree_map(lambda s: s[..., :1, :], state)
    run = recorded(cell, params, xs[:, :1], state=state)
    one, T = steps_of(run, of, of), run.steps
    assert one.place is not None  # it is a state
    result = np.zeros((T, T))
    order = range(T) if run.direction > 0 else range(T - 1, -1, -1)
    for place, k in enumerate(order):
        result[k, k] = np.linalg.norm(np.eye(one.out.shape[1]))
        passed = one.into[k]
        for t in order[place + 1 :]:
            passed = one.state[t] @ passed
            result[t, k] = np.linalg.norm(passed[one.place])
    whole: Array = result / result[0, 0]
    return whole


def _rows(steps: Any) -> Any:
    """At each step the entries of the first sample, as many as the page holds."""
    return _short([np.asarray(x)[0].ravel()[:UNITS] for x in steps])


def _norms(steps: Any) -> Any:
    return _short([np.linalg.norm(np.asarray(x)[0]) for x in steps])


def _means(steps: Any) -> Any:
    return _short([np.mean(np.asarray(x)[0]) for x in steps])


def _short(x: Any) -> Any:
    """Numbers to so many digits; None for what JSON has no number for."""
    if isinstance(x, np.ndarray | list | tuple):
        return [_short(item) for item in x]
    number = float(f"{float(x):.{DIGITS}g}")
    return number if np.isfinite(number) else None


def _bare(text: str) -> str:
    """HTML without its tags."""
    parts = text.split("<")
    return parts[0] + "".join(part.partition(">")[2] for part in parts[1:])
