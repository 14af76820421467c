"""Many cotangents at once are each one alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.folded import run_folded
from rnn.bptt.adjoints import Adjoint
from rnn.bptt.recorded import recorded

CELL = rnn.LSTMCell(2, 3)
XS = np.random.default_rng(0).normal(size=(4, 2, 2))
RUN = recorded(CELL, CELL.init(0), XS)


def adjoint(wrt):
    return Adjoint(RUN.folded, RUN.steps, RUN.inputs, wrt, [0])


@given(n=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_rows_are_each_what_one_alone_gives(n, seed):
    g = np.random.default_rng(seed).normal(size=(4, n, 2, 3))
    together = adjoint([0, 1]).rows(n)({0: g})
    for k in range(n):
        alone = adjoint([0, 1]).rows(1)({0: g[:, k : k + 1]})
        for x, y in zip(together, alone, strict=True):
            np.testing.assert_allclose(x[:, k], y[:, 0], rtol=1e-9, atol=1e-12)


def test_the_rows_of_a_parameter_add_up_to_its_gradient():
    g = np.random.default_rng(1).normal(size=(4, 2, 3))
    (rows,) = adjoint([0]).rows(1)({0: g[:, None]})
    weights = RUN.inputs
    run = lambda W: mg.scan(RUN.folded, 4, W, *weights[1:])[0]
    (wanted,) = mg.vjp(run, weights[0])[1](g)
    np.testing.assert_allclose(rows[:, 0].sum(0), wanted, rtol=1e-9)


def test_a_run_takes_as_many_rows_as_fit_the_cache():
    few, many = adjoint([0]).at_once(10), adjoint([0]).at_once(10**9)
    assert few == 10
    assert 10 < many < 10**9
    wide = rnn.LSTMCell(2, 300)
    run = recorded(wide, wide.init(0), XS)
    assert Adjoint(run.folded, run.steps, run.inputs, [0], [0]).at_once(10**9) < many


def test_what_it_reads_is_of_the_forward_run():
    """A run by steps gives the outputs that it was made from."""
    outputs = run_folded(RUN.folded, 4, [
        x if role == "static" else list(x) if role == "sequence" else [x]
        for x, role in zip(RUN.inputs, RUN.folded.inputs, strict=True)
    ])[0]  # fmt: skip
    np.testing.assert_allclose(np.array(outputs[0]), RUN.ys)
