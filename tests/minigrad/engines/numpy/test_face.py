"""What is lent, and what is the caller's, of a program's results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engines.numpy.face import ENGINE


@pytest.mark.parametrize("reuse", [False, True])
def test_results_are_the_callers_unless_they_may_be_used_again(reuse: bool):
    def f(x: Any) -> Any:
        y = mg.tanh(x)
        return y, y, y * 2.0, x

    x, z = np.ones(3), np.zeros(3)
    program = ENGINE.program(mg.trace(f, x), reuse, frozenset())
    first = program([x])
    kept = [part.copy() for part in first]
    program([z])
    lent = [not np.array_equal(a, b) for a, b in zip(first, kept, strict=True)]
    assert lent == [reuse, reuse, reuse, False]
    assert not any(np.shares_memory(part, x) for part in first)


def test_donated_arrays_are_left_alone():
    x = np.ones(3)
    f = mg.compile(lambda x: x * 2.0, donate=(0,))
    f(x)
    assert f(x).tolist() == [2.0] * 3
    assert x.tolist() == [1.0] * 3
