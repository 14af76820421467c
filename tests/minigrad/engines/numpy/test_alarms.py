"""What NumPy is told to raise is raised by the operation that fails, named; else nothing is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engines.numpy.alarms import quiet, watched
from minigrad.engines.numpy.program import Program
from tests.minigrad.folding import example, loop


def test_a_program_that_fails_is_told_by_its_operations():
    """Step 3 of five, in the loop: the program itself has lost the name."""
    folded = loop(lambda p, x, h: mg.log(h + x), x=(2,), h=(2,))
    program = Program(folded, 5)
    xs, start = np.full((5, 2), 10.0), np.ones(2)
    xs[2] = -100.0
    with np.errstate(all="raise"), pytest.raises(FloatingPointError) as caught:
        program.run(xs, start)
    assert "log" in str(caught.value)
    assert "t = 3" in str(caught.value)


def test_operations_are_run_again_only_after_a_failure():
    calls = []

    def run(x: Any) -> Any:
        calls.append("run")
        return 1.0 / x

    call = watched(run, lambda x: calls.append("one by one"))
    with np.errstate(all="raise"):
        assert call(np.array(2.0)) == 0.5
        assert calls == ["run"]
        assert call(np.array(0.0)) == np.inf  # no operation fails: harmless
    assert calls[1:] == ["run", "one by one", "run"]


@pytest.mark.parametrize("how", ["warn", "raise", "ignore"])
def test_overflow_of_a_sigmoid_that_is_taken_apart_is_not_told(how):
    """exp(1000) is infinite, σ(−1000) is 0; where overflow is to be raised, σ itself is asked."""
    folded = loop(lambda p, x, h: mg.sigmoid(x) + 0.0 * h, x=(2,), h=(2,))
    arrays, _ = example(folded, 3, 0)
    program = Program(folded, 3)
    with np.errstate(over=how):
        (ys,), _ = program(np.full((3, 2), -1000.0), arrays[1])
    assert np.all(ys == 0.0)


def test_a_quiet_place_still_raises_where_that_is_asked_for():
    for how, wanted in (("warn", "ignore"), ("ignore", "ignore"), ("raise", "raise")):
        with np.errstate(over=how), quiet():
            assert np.geterr()["over"] == wanted
