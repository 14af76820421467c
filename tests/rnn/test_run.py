"""What running a cell promises, whatever the cell, beside the laws of `rnn.testing`.

Those of padding and of what is on the unfolded graph have files of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.testing import all_laws
from rnn.testing.problem import problem, weigh
from rnn.testing.strategies import SEEDS
from tests.minigrad.cells import Delayed
from tests.rnn.runs import CELLS, DEEP, assert_close, assert_equal, every_cell
from tests.rounding import EPS


@pytest.mark.parametrize("name", DEEP)
def test_every_law_holds_for_cells_of_cells_and_for_every_delay(name):
    card = all_laws(DEEP[name], seeds=[0, 1])
    assert card.ok, card


def test_a_gradient_off_by_a_billionth_is_seen():
    q = problem(CELLS["Stack of stacks"], 6, 3, 0)
    exact = q.gradients()
    assert_close(exact, exact, q.roundings())
    with pytest.raises(AssertionError):
        assert_close(tree_map(lambda g: g * (1 + 1e-9), exact), exact, q.roundings())


@every_cell
def test_a_sequence_of_no_steps_returns_the_start_state(name):
    q = problem(CELLS[name], 0, 2, 0)
    ys, state = rnn.run(q.cell, q.params, q.xs, q.start)
    assert ys.shape == (0, 2, q.cell.width)
    assert ys.dtype == np.float64
    assert_equal(state, q.start)
    dp, dxs, dstart = q.gradients()
    assert_equal(dp, tree_map(np.zeros_like, q.params))
    assert dxs.shape == q.xs.shape
    assert_equal(dstart, mg.grad(lambda start: weigh(q.xs, start))(q.start))


@pytest.mark.parametrize("name", ["delay -1", "delay -2"])
@given(seed=SEEDS, s=st.integers(0, 4))
def test_with_a_negative_delay_an_output_does_not_depend_on_earlier_inputs(name, seed, s):
    q = problem(CELLS[name], 5, 2, seed)
    dxs = mg.grad(lambda xs: mg.sum(rnn.run(q.cell, q.params, xs)[0][s]))(q.xs)
    assert not np.any(dxs[:s])
    step = -q.cell.edges()[0].delay
    assert [bool(np.any(d)) for d in dxs[s:]] == [t % step == 0 for t in range(5 - s)]


def test_both_directions_see_the_whole_sequence():
    q = problem(CELLS["GRU and LSTM"], 4, 1, 0)
    dxs = mg.grad(lambda xs: mg.sum(rnn.run(q.cell, q.params, xs)[0][2]))(q.xs)
    assert np.all(np.any(dxs, axis=(1, 2)))


@given(seed=SEEDS)
def test_a_delay_of_two_is_two_interleaved_sequences_of_delay_one(seed):
    slow, quick = Delayed(3, 4, (("h", 2),)), Delayed(3, 4, (("h", 1),))
    q = problem(slow, 6, 2, seed)
    ys, (h,) = rnn.run(slow, q.params, q.xs, q.start)
    for k in (0, 1):
        own, (last,) = rnn.run(quick, q.params, q.xs[k::2], (q.start[0][k],))
        assert_equal(ys[k::2], own)
        assert_equal(h[k], last)


TAPS: dict[str, Any] = {
    "taps": lambda p, z, a, b, c: (mg.tanh(z + a + b * c), z, mg.tanh(z), z),
    "a shift register": lambda p, z, a, b, c: (z + a + b * c, mg.tanh(z), mg.sigmoid(z), a),
    "taps of taps": lambda p, z, a, b, c: (z + a, mg.tanh(z + b) * a, z, mg.tanh(a) @ p.W_hh),
    "a constant": lambda p, z, a, b, c: (a * b * c, z + p.W_hh[0], np.ones(z.shape), z),
    "a parameter": lambda p, z, a, b, c: (a * b * c, z, z, mg.tanh(p.W_hh[0] + np.zeros(z.shape))),
    "a value that is held": lambda p, z, a, b, c: (a * b * c, a, c * z, mg.tanh(z)),
}


@dataclass(frozen=True)
class Taps(rnn.Cell):
    """Values from the step before, from the step after and from two steps before, in no loop."""

    inputs: int
    hidden: int
    kind: str
    state = {"a": 1, "b": -1, "c": 2}

    def parameters(self) -> dict[str, Any]:
        H = self.hidden
        return {"W_xh": rnn.glorot(self.inputs, H), "W_hh": rnn.orthogonal(H, H)}

    def step(self, p: Any, x: Any, a: Any, b: Any, c: Any) -> Any:
        return TAPS[self.kind](p, x @ p.W_xh, a, b, c)


@pytest.mark.parametrize("kind", TAPS)
@given(T=st.integers(0, 6), seed=SEEDS)
def test_delays_without_a_loop_give_the_numbers_of_the_unfolded_graph(kind, T, seed):
    q = problem(Taps(3, 4, kind), T, 2, seed)
    both = [(q.run(unfolded=way), q.gradients(unfolded=way)) for way in (False, True)]
    assert_close(*both, q.roundings())


@pytest.mark.parametrize("kind", ["int32", "uint8"])
def test_class_indices_may_be_of_any_whole_type(kind):
    cell = rnn.LSTMCell(3, 2)
    p, xs = cell.init(0), np.array([[0, 2], [1, 1], [2, 0]])
    for lengths in (None, np.array([3, 1])):
        loss = lambda xs, n=lengths: mg.sum(rnn.run(cell, p, xs, lengths=n)[0])
        assert loss(xs.astype(kind)) == loss(xs)
        assert mg.compile(loss)(xs.astype(kind)) == loss(xs)


def test_no_matrix_product_is_left_of_class_indices():
    cell = rnn.LSTMCell(1000, 2)
    ops = [node.op for node in cell.folded(1, classes=True).step.nodes]
    assert "one_hot" not in ops
    assert ops.count("lookup") == 4


@every_cell
def test_an_absent_start_state_is_that_of_the_cell_and_zero_but_for_masks(name):
    q = problem(CELLS[name], 3, 2, 0)
    start = q.cell.start(2, params=q.params)
    assert_equal(rnn.run(q.cell, q.params, q.xs), rnn.run(q.cell, q.params, q.xs, start))
    known = zip(flatten(q.cell.edges())[0], flatten(q.cell.start(2))[0], strict=True)
    assert not any(np.any(s) for edge, s in known if type(edge) is rnn.Edge)


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.init(0)])
@pytest.mark.parametrize("T", [0, 2])
def test_single_precision_stays_single_precision(name, T):
    """Also if the inputs come as double: the parameters decide."""
    q = problem(CELLS[name], T, 2, 0)
    params = q.params.astype(np.float32)
    for xs in (q.xs.astype(np.float32), q.xs, np.ones(q.xs.shape, int), np.zeros((T, 2), int)):
        ys, state = rnn.run(q.cell, params, xs)
        assert {x.dtype.name for x in (ys, *flatten(state)[0])} == {"float32"}
        dp = mg.grad(lambda p, xs=xs: mg.sum(rnn.run(q.cell, p, xs)[0]))(params)
        assert {x.dtype.name for x in flatten(dp)[0]} == {"float32"}
    ys, _ = rnn.run(q.cell, q.params, q.xs.astype(np.float32))
    assert ys.dtype == np.float64


@every_cell
def test_single_precision_is_near_double_precision(name):
    q = problem(CELLS[name], 4, 2, 0)
    narrow = tree_map(lambda a: a.astype(np.float32), (q.params, q.xs, q.start))
    wide = tree_map(lambda a: a.astype(np.float64), narrow)
    found, wanted = rnn.run(q.cell, *narrow), rnn.run(q.cell, *wide)
    assert_close(found, wanted, q.roundings() * np.finfo(np.float32).eps / EPS)


@every_cell
def test_tensors_give_the_numbers_of_arrays(name):
    q = problem(CELLS[name], 3, 2, 0)
    ys, state = rnn.run(q.cell, q.params.tensors(), mg.Tensor(q.xs), tree_map(mg.Tensor, q.start))
    assert type(ys) is mg.Tensor
    plain = rnn.run(q.cell, q.params, q.xs, q.start)
    assert_equal((ys.data, tree_map(lambda s: s.data, state)), plain)
