"""A sum over steps is one call over all rows, or is added up chunk by chunk: the same number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engines.numpy import needs
from minigrad.engines.numpy.program import Program
from minigrad.folded import SEQUENCE, STATE, STATIC, SUM, Folded, Recurrence
from tests.minigrad.folding import assert_runs

T = 7
LINEAR: dict[str, tuple[Any, str]] = {
    "a product of rows": (lambda w, x: mg.contract(x, mg.sin(x)), "contract"),
    "rows": (lambda w, x: mg.sum(x, 0), "sum"),
    "rows, with their axis": (lambda w, x: mg.sum(x, 0, keepdims=True), "sum"),
    "all": (lambda w, x: mg.sum(x), "sum"),
    "a part of a product": (lambda w, x: mg.contract(x, x)[:2], "contract"),
    "a product that is turned": (lambda w, x: mg.transpose(mg.contract(x, x)), "contract"),
    "a sum of sums": (lambda w, x: mg.sum(x, 0) + mg.sum(mg.sin(x), 0), "sum"),
    "what is the same at every step": (lambda w, x: w * 1.0, ""),
    "what depends on both": (lambda w, x: mg.contract(w, x), ""),
    "values of all steps": (lambda w, x: mg.sin(x), ""),
}


def summed(f: Any) -> Folded:
    """The sum over all steps of f(w, x)."""
    step = mg.trace(lambda w, x, h: (f(w, x), h + 1.0), *[np.ones((2, 3))] * 2, np.ones(2))
    return Folded(step, (STATIC, SEQUENCE, STATE), (SUM, STATE), (Recurrence(1, 2, 1, "h"),))


@pytest.mark.parametrize("what", LINEAR)
@pytest.mark.parametrize("cache", [1, 1 << 19])
def test_a_sum_over_steps_is_that_of_the_steps(what, cache, monkeypatch):
    monkeypatch.setattr(needs, "CACHE", cache)
    f, op = LINEAR[what]
    program = Program(summed(f), T)
    assert_runs(program, summed(f), T)
    lines = [line for line in program.source.splitlines() if line.strip().startswith(f"{op}_")]
    late = ("a sum of sums", "what is the same at every step", "what depends on both")
    assert (program.results[0] is None) == (what in late)  # else in a buffer, or a view of one
    assert len(lines) == (0 if not op else 2 if what == "a sum of sums" else 1)


def test_a_sum_without_entries_is_a_sum():
    folded = summed(lambda w, x: mg.tanh(x[:, :0]))
    assert_runs(Program(folded, T), folded, T)
