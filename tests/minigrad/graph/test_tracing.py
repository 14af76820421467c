"""A trace is what a function did, and nothing that was made before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.graph import (
    difference,
    freeze,
    replay,
    trace_for_all,
)
from minigrad.testing.strategies import graphs

SEEDS = st.integers(0, 2**32 - 1)


@given(program=graphs(), seed=SEEDS)
def test_a_graph_traced_again_from_its_run_is_itself(program, seed):
    graph = program.graph
    with np.errstate(all="ignore"):
        again = mg.trace(lambda *xs: replay(graph, list(xs)), *program.values)
    assert difference(graph, again) is None


def test_what_was_made_before_is_a_constant():
    x = mg.Tensor(np.ones(2), "x")
    w = mg.exp(mg.Tensor(np.ones(2)))
    y = w * x
    whole, late = freeze([x], [y]), freeze([x], [y], since=w.serial)
    assert [node.op for node in whole.nodes] == ["input", "constant", "exp", "multiply"]
    assert [node.op for node in late.nodes] == ["input", "constant", "multiply"]
    np.testing.assert_array_equal(late(3 * np.ones(2)), whole(3 * np.ones(2)))


def test_what_changes_from_run_to_run_is_refused_for_all():
    draws = iter(range(9))
    with pytest.raises(ValueError, match=r"a step: run twice .* multiply reads is 0, then 1"):
        trace_for_all("a step", lambda x: x * next(draws), np.ones(2))
