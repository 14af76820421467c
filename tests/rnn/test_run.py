"""What running a cell promises, whatever the cell: laws of time, of batches and of padding."""

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
from rnn.edge import taken
from rnn.kinds import EXAMPLES, KINDS, written
from tests.minigrad.cells import Delayed
from tests.rnn.mistakes import Mistake, told_in_full
from tests.rounding import EPS

DEEP: dict[str, rnn.Cell] = {
    "three layers": rnn.Stack([rnn.LSTMCell(3, 4), rnn.RNNCell(4, 2), rnn.Dense(2, 2)]),
    "Stack of stacks": rnn.Stack([rnn.Stack([rnn.GRUCell(3, 2)]), rnn.LSTMCell(2, 3)]),
    "delay 2": Delayed(3, 4, (("h", 2),)),
    "delays 1 and 3 in a stack": rnn.Stack([Delayed(3, 4, (("h", 1), ("g", 3))), rnn.Dense(4, 2)]),
    "GRU and LSTM": rnn.Bidirectional(rnn.GRUCell(3, 4), rnn.LSTMCell(3, 2)),
    "delay -1": Delayed(3, 4, (("h", -1),)),
    "delay -2": Delayed(3, 4, (("h", -2),)),
    "Stack of both directions": rnn.Stack(
        [rnn.Bidirectional(rnn.RNNCell(3, 2)), Delayed(4, 2, (("h", 2),))]
    ),
}
PLAIN = {written(cell): cell for kind in ("rnn", "lstm", "gru", "dense") for cell in KINDS[kind]}
FEW = PLAIN | {written(cell): cell for cell in (*KINDS["stack"], *KINDS["bidirectional"])} | DEEP
"""Cells for laws with many draws; every kind holds them by examples, in `test_kinds`."""
CELLS = {written(cell): cell for cell in EXAMPLES} | DEEP
CAUSAL = {
    name: cell
    for name, cell in CELLS.items()
    if all(edge.delay > 0 for edge in flatten(cell.edges())[0])
}
BOTH_WAYS = {name: cell for name, cell in CELLS.items() if name not in CAUSAL}

every_cell = pytest.mark.parametrize("name", CELLS)
many_draws = pytest.mark.parametrize("name", FEW)
causal_cells = pytest.mark.parametrize("name", [name for name in CAUSAL if name in FEW])
SEEDS = st.integers(0, 2**32 - 1)


@dataclass
class Problem:
    cell: rnn.Cell
    params: Any
    xs: Any
    start: Any


def problem(cell: rnn.Cell, T: int, B: int, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    draw = lambda like: 0.25 * rng.normal(size=like.shape)
    params, start = tree_map(draw, cell.init(0)), tree_map(draw, cell.start(B))
    return Problem(cell, params, rng.normal(size=(T, B, cell.inputs)), start)


def total(q: Problem, lengths: Any = None) -> Any:
    """A loss that every output and every entry of the last state takes part in, as a function."""

    def loss(params: Any, xs: Any, start: Any) -> Any:
        ys, state = rnn.run(q.cell, params, xs, start, lengths)
        return sum((mg.sum(mg.sin(s)) for s in flatten(state)[0]), mg.sum(mg.sin(ys)))

    return loss


def gradients(q: Problem, lengths: Any = None) -> Any:
    return mg.grad(total(q, lengths), wrt=(0, 1, 2))(q.params, q.xs, q.start)


def assert_equal(a: Any, b: Any) -> None:
    """The same structure, and the same bits but for the sign of zeros."""
    (left, tree), (right, other) = flatten(a), flatten(b)
    assert tree.paths() == other.paths()
    for path, x, y in zip(tree.paths(), left, right, strict=True):
        np.testing.assert_array_equal(x, y, err_msg=path)


def assert_close(a: Any, b: Any, operations: int) -> None:
    """Equal to `operations` roundings of the largest entry, each of them carried without growth.

    Weights are small here, so that an error does not grow from step to step; `operations` counts
    those in the longest path from an input to a result.
    """
    (left, tree), (right, other) = flatten(a), flatten(b)
    assert tree.paths() == other.paths()
    for path, x, y in zip(tree.paths(), left, right, strict=True):
        scale = max(1.0, np.max(np.abs(y), initial=0.0))
        assert x.shape == y.shape
        assert np.max(np.abs(x - y), initial=0.0) <= operations * EPS * scale, path


def test_a_gradient_off_by_a_billionth_is_seen():
    q = problem(CELLS["Stack of stacks"], 6, 3, 0)
    exact = gradients(q)
    assert_close(exact, exact, longest_path(q))
    with pytest.raises(AssertionError):
        assert_close(tree_map(lambda g: g * (1 + 1e-9), exact), exact, longest_path(q))


def longest_path(q: Problem) -> int:
    """Operations from the first input to the loss and back; sums count once a term."""
    T, B = q.xs.shape[:2]
    return 2 * T * (B + len(q.cell.folded(B).step) * 8)


# --- time -----------------------------------------------------------------------------------------


@causal_cells
@given(T=st.integers(0, 6), cut=st.integers(0, 6), B=st.integers(1, 3), seed=SEEDS)
def test_a_sequence_may_be_run_in_two_parts(name, T, cut, B, seed):
    """The state carries over: run(a + b) = run(b) after run(a)."""
    q = problem(CELLS[name], T, B, seed)
    cut = min(cut, T)
    whole, end = rnn.run(q.cell, q.params, q.xs, q.start)
    first, middle = rnn.run(q.cell, q.params, q.xs[:cut], q.start)
    second, last = rnn.run(q.cell, q.params, q.xs[cut:], middle)
    assert_close(np.concatenate([first, second]), whole, longest_path(q))
    assert_close(last, end, longest_path(q))


def test_running_in_two_parts_sees_a_lost_state():
    """The law above is not empty: with a fresh state the second part is another one."""
    q = problem(CELLS["LSTMCell(3, 4)"], 4, 2, 0)
    whole, _ = rnn.run(q.cell, q.params, q.xs, q.start)
    second, _ = rnn.run(q.cell, q.params, q.xs[2:])
    assert not np.array_equal(second, whole[2:])


@causal_cells
@given(seed=SEEDS)
def test_gradients_pass_through_the_seam_of_two_parts(name, seed):
    q = problem(CELLS[name], 4, 2, seed)

    def in_two(params: Any, xs: Any, start: Any) -> Any:
        first, middle = rnn.run(q.cell, params, xs[:2], start)
        second, last = rnn.run(q.cell, params, xs[2:], middle)
        states = sum((mg.sum(mg.sin(s)) for s in flatten(last)[0]), mg.sum(mg.sin(first)))
        return states + mg.sum(mg.sin(second))

    found = mg.grad(in_two, wrt=(0, 1, 2))(q.params, q.xs, q.start)
    assert_close(found, gradients(q), longest_path(q))


@every_cell
def test_a_sequence_of_no_steps_returns_the_start_state(name):
    q = problem(CELLS[name], 0, 2, 0)
    ys, state = rnn.run(q.cell, q.params, q.xs, q.start)
    assert ys.shape == (0, 2, q.cell.width)
    assert ys.dtype == np.float64
    assert_equal(state, q.start)
    dp, dxs, dstart = gradients(q)
    assert_equal(dp, tree_map(np.zeros_like, q.params))
    assert dxs.shape == q.xs.shape
    assert_equal(dstart, tree_map(np.cos, q.start))


@causal_cells
def test_a_sequence_of_one_step_is_the_step(name):
    q = problem(CELLS[name], 1, 2, 0)
    ys, _ = rnn.run(q.cell, q.params, q.xs, q.start)
    y, *_ = q.cell.step(q.params, q.xs[0], *taken(q.cell.edges(), q.start))
    assert_close(ys[0], y, longest_path(q))


@causal_cells
@given(seed=SEEDS, s=st.integers(0, 4))
def test_an_output_does_not_depend_on_later_inputs(name, seed, s):
    """∂y⁽ˢ⁾/∂x⁽ᵗ⁾ = 0 for t > s, exactly, and not for t = s."""
    q = problem(CELLS[name], 5, 2, seed)
    dxs = mg.grad(lambda xs: mg.sum(rnn.run(q.cell, q.params, xs)[0][s]))(q.xs)
    assert not np.any(dxs[s + 1 :])
    assert np.any(dxs[s])


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


@causal_cells
@given(seed=SEEDS, late=st.integers(1, 3))
def test_a_step_does_not_know_its_number(name, seed, late):
    """Started later in the same state, it gives the same outputs."""
    q = problem(CELLS[name], 6, 2, seed)
    _, middle = rnn.run(q.cell, q.params, q.xs[:late], q.start)
    shifted = np.concatenate([q.xs[:late], q.xs])
    ys, _ = rnn.run(q.cell, q.params, shifted, q.start)
    again, _ = rnn.run(q.cell, q.params, q.xs, middle)
    assert_equal(ys[late:], again)


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
    both = []
    for unfolded in (False, True):

        def loss(params: Any, xs: Any, start: Any, unfolded: bool = unfolded) -> Any:
            ys, last = rnn.run(q.cell, params, xs, start, unfolded=unfolded)
            return sum((mg.sum(mg.sin(s)) for s in last), mg.sum(mg.sin(ys)))

        values = rnn.run(q.cell, q.params, q.xs, q.start, unfolded=unfolded)
        both.append((values, mg.grad(loss, wrt=(0, 1, 2))(q.params, q.xs, q.start)))
    assert_close(*both, longest_path(q))


# --- batches --------------------------------------------------------------------------------------


@many_draws
@given(seed=SEEDS, order=st.permutations(range(3)))
def test_samples_may_stand_in_any_order(name, seed, order):
    q = problem(CELLS[name], 4, 3, seed)
    rows = lambda s: s[..., order, :]
    ys, state = rnn.run(q.cell, q.params, q.xs, q.start)
    found = rnn.run(q.cell, q.params, rows(q.xs), tree_map(rows, q.start))
    assert_close(found, (rows(ys), tree_map(rows, state)), longest_path(q))


@many_draws
@given(seed=SEEDS)
def test_one_sample_alone_is_its_row_of_the_batch(name, seed):
    q = problem(CELLS[name], 4, 3, seed)
    row = lambda s: s[..., 1:2, :]
    ys, state = rnn.run(q.cell, q.params, q.xs, q.start)
    found = rnn.run(q.cell, q.params, row(q.xs), tree_map(row, q.start))
    assert_close(found, (row(ys), tree_map(row, state)), longest_path(q))


# --- lengths --------------------------------------------------------------------------------------

LENGTHS = st.lists(st.integers(0, 5), min_size=3, max_size=3)


def padded(q: Problem, lengths: Any, filling: float) -> Problem:
    after = np.arange(len(q.xs))[:, None] >= np.asarray(lengths)
    return Problem(q.cell, q.params, np.where(after[..., None], filling, q.xs), q.start)


@many_draws
@given(lengths=LENGTHS, seed=SEEDS)
def test_a_ragged_batch_equals_its_samples_run_alone(name, lengths, seed):
    """Outputs up to the end, zeros behind it, and the state at the sample's own end."""
    q = problem(CELLS[name], 5, 3, seed)
    ys, state = rnn.run(q.cell, q.params, q.xs, q.start, lengths)
    for b, n in enumerate(lengths):
        row = lambda s, b=b: s[..., b : b + 1, :]
        own = (q.cell, q.params, row(q.xs[:n]), tree_map(row, q.start))
        alone, end = rnn.run(*own)
        assert_close((ys[:n, b : b + 1], tree_map(row, state)), (alone, end), longest_path(q))
        assert not np.any(ys[n:, b])


@many_draws
@given(lengths=LENGTHS, seed=SEEDS)
def test_gradients_of_a_ragged_batch_are_the_sum_over_its_samples(name, lengths, seed):
    q = problem(CELLS[name], 5, 3, seed)
    dp, dxs, dstart = gradients(q, lengths)
    summed = tree_map(np.zeros_like, q.params)
    for b, n in enumerate(lengths):
        row = lambda s, b=b: s[..., b : b + 1, :]
        alone = Problem(q.cell, q.params, row(q.xs[:n]), tree_map(row, q.start))
        own, own_xs, own_start = gradients(alone)
        summed = tree_map(np.add, summed, own)
        assert_close((dxs[:n, b : b + 1], tree_map(row, dstart)), (own_xs, own_start),
                     longest_path(q))  # fmt: skip
    assert_close(dp, summed, 3 * longest_path(q))


@every_cell
@pytest.mark.parametrize("filling", [np.nan, 1e300, -np.inf])
def test_padding_has_no_influence_and_no_gradient(name, filling):
    """Not a rounding of it: the bits of all results stay, and its gradient is exactly zero."""
    lengths = [5, 0, 3]
    clean = padded(problem(CELLS[name], 5, 3, 0), lengths, 0.0)
    dirty = padded(clean, lengths, filling)
    assert_equal(
        rnn.run(dirty.cell, dirty.params, dirty.xs, dirty.start, lengths),
        rnn.run(clean.cell, clean.params, clean.xs, clean.start, lengths),
    )
    found = gradients(dirty, lengths)
    assert_equal(found, gradients(clean, lengths))
    for b, n in enumerate(lengths):
        assert not np.any(found[1][n:, b])


def test_the_padding_law_sees_padding_that_leaks():
    q = problem(CELLS["GRUCell(3, 4)"], 5, 3, 0)
    lengths = [5, 0, 3]
    ys, _ = rnn.run(q.cell, q.params, padded(q, lengths, 1.0).xs, q.start)
    clean, _ = rnn.run(q.cell, q.params, padded(q, lengths, 0.0).xs, q.start)
    assert not np.array_equal(ys, clean)


@every_cell
def test_full_lengths_change_nothing(name):
    q = problem(CELLS[name], 4, 3, 0)
    plain = rnn.run(q.cell, q.params, q.xs, q.start)
    assert_equal(rnn.run(q.cell, q.params, q.xs, q.start, [4, 4, 4]), plain)
    assert_close(gradients(q, np.array([4, 4, 4])), gradients(q), longest_path(q))


def test_class_indices_of_padding_may_be_any_number():
    cell = rnn.LSTMCell(4, 3)
    p = cell.init(0)
    clean = rnn.run(cell, p, np.array([[1, 2], [3, 0]]), lengths=[2, 1])
    for filling in (-1, 99):
        assert_equal(rnn.run(cell, p, np.array([[1, 2], [3, filling]]), lengths=[2, 1]), clean)


# --- what goes in, and what comes out -------------------------------------------------------------


@many_draws
@given(seed=SEEDS, T=st.integers(0, 5))
def test_class_indices_equal_one_hot_rows(name, seed, T):
    q = problem(CELLS[name], T, 3, seed)
    classes = np.random.default_rng(seed).integers(0, 3, (T, 3))
    by_class = Problem(q.cell, q.params, classes, q.start)
    by_row = Problem(q.cell, q.params, np.eye(3)[classes], q.start)
    assert_close(
        rnn.run(q.cell, q.params, classes, q.start),
        rnn.run(q.cell, q.params, by_row.xs, q.start),
        longest_path(by_row),
    )
    found = mg.grad(lambda p: total(by_class)(p, classes, q.start))(q.params)
    wanted = mg.grad(lambda p: total(by_row)(p, by_row.xs, q.start))(q.params)
    assert_close(found, wanted, 3 * longest_path(by_row))


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
    assert_close(found, wanted, longest_path(q) * np.finfo(np.float32).eps / EPS)


@every_cell
def test_a_run_changes_nothing_it_is_given_and_can_be_repeated(name):
    q = problem(CELLS[name], 4, 2, 0)
    before = tree_map(np.copy, (q.params, q.xs, q.start))
    first = rnn.run(q.cell, q.params, q.xs, q.start), gradients(q)
    second = rnn.run(q.cell, q.params, q.xs, q.start), gradients(q)
    assert_equal(first, second)
    assert_equal((q.params, q.xs, q.start), before)


@every_cell
def test_tensors_give_the_numbers_of_arrays(name):
    q = problem(CELLS[name], 3, 2, 0)
    ys, state = rnn.run(q.cell, q.params.tensors(), mg.Tensor(q.xs), tree_map(mg.Tensor, q.start))
    assert type(ys) is mg.Tensor
    plain = rnn.run(q.cell, q.params, q.xs, q.start)
    assert_equal((ys.data, tree_map(lambda s: s.data, state)), plain)


@every_cell
def test_unfolded_steps_give_the_same_numbers(name):
    q = problem(CELLS[name], 3, 2, 0)
    p, idle = q.params.tensors(), q.cell.idle
    ys, state = rnn.run(q.cell, p, mg.Tensor(q.xs), q.start, unfolded=True)
    plain = rnn.run(q.cell, q.params, q.xs, q.start)
    assert_close(
        (ys.data, tree_map(lambda s: getattr(s, "data", s), state)), plain, longest_path(q)
    )
    mg.sum(mg.sin(ys)).backward()
    wanted = mg.grad(lambda p: mg.sum(mg.sin(rnn.run(q.cell, p, q.xs, q.start)[0])))(q.params)
    found = tree_map(lambda t: np.zeros(t.shape) if t.name in idle else t.grad, p)
    assert_close(found, wanted, longest_path(q))


# --- gradients over time --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["h", "C"])
@pytest.mark.parametrize("t", [1, 3, 5])
def test_the_gradient_found_at_a_step_is_that_of_starting_there(name, t):
    """dL/dC⁽³⁾ equals the derivative by C of the loss over the rest of the sequence."""
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 5, 2, 0)
    ys, (h, C) = rnn.run(cell, q.params.tensors(), q.xs, q.start, unfolded=True)
    loss = mg.sum(mg.sin(ys)) + mg.sum(mg.sin(h)) + mg.sum(mg.sin(C))
    loss.backward()
    _, state = rnn.run(cell, q.params, q.xs[:t], q.start)

    def rest(state: Any) -> Any:
        ys, last = rnn.run(cell, q.params, q.xs[t:], state)
        # y is h: the output of step t hangs on this state too.
        return mg.sum(mg.sin(ys)) + sum(mg.sum(mg.sin(s)) for s in last) + mg.sum(mg.sin(state[0]))

    wanted = mg.grad(rest)(state)[cell.state.index(name)]
    if name == "C":
        # C⁽ᵗ⁾ also acts through h⁽ᵗ⁾ = o ⊙ tanh(C), which the later steps are given as a state.
        o = mg.find(loss, "o", t=t).data
        wanted = wanted + mg.grad(rest)(state)[0] * o * (1 - np.tanh(state[1]) ** 2)
    assert_close(mg.find(loss, name, t=t).grad, wanted, longest_path(q))


@pytest.mark.parametrize("name", ["f", "i", "C̃", "o", "z_f", "C", "h", "x"])
def test_every_gate_of_every_step_has_its_gradient(name):
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 3, 2, 0)
    ys, _ = rnn.run(cell, q.params.tensors(), mg.Tensor(q.xs), q.start, unfolded=True)
    loss = mg.sum(ys * ys)
    loss.backward()
    for t in (1, 2, 3):
        grad = mg.find(loss, name, t=t).grad
        assert grad is not None
        assert np.any(grad)


def test_a_parameter_has_the_sum_of_the_gradients_of_its_uses():
    cell = rnn.RNNCell(3, 4)
    q = problem(cell, 5, 2, 0)
    p = q.params.tensors()
    ys, _ = rnn.run(cell, p, q.xs, unfolded=True)
    loss = mg.sum(ys * ys)
    loss.backward()
    per_step = [mg.find(loss, "z_h", t=t).grad.sum(0) for t in range(1, 6)]
    assert_close(p.b_h.grad, sum(per_step), longest_path(q))


def test_two_runs_of_one_cell_are_told_apart():
    cell = rnn.RNNCell(3, 4)
    q = problem(cell, 2, 1, 0)

    def twice(p: Any, xs: Any) -> Any:
        ys, _ = rnn.run(cell, p, xs, unfolded=True)
        return rnn.run(cell, p, xs[::-1] + 0.0 * ys[:, :, :3], unfolded=True)[0]

    scopes = {node.scope for node in mg.trace(twice, q.params, q.xs).nodes if node.name == "h"}
    assert scopes == {"RNNCell", "RNNCell#2"}


def test_runs_in_scopes_of_their_own_are_found_by_them():
    cell = rnn.RNNCell(3, 4)
    q = problem(cell, 2, 1, 0)
    p = q.params.tensors()
    with mg.scope("encoder"):
        _, state = rnn.run(cell, p, q.xs, unfolded=True)
    with mg.scope("decoder"):
        ys, _ = rnn.run(cell, p, q.xs, state, unfolded=True)
    loss = mg.sum(ys * ys)
    loss.backward()
    assert mg.find(loss, "encoder.RNNCell.h", t=2) is state[0]
    assert mg.find(loss, "decoder.RNNCell.h", t=2).grad is not None


# --- weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "into"),
    [(rnn.RNNCell(3, 4), "h"), (rnn.LSTMCell(3, 4), "f"), (rnn.GRUCell(3, 4), "z"),
     (rnn.RNNCell(3, 4, 2, ("hidden-to-hidden", "output-to-hidden")), "h")],
)  # fmt: skip
@given(seed=SEEDS)
def test_concatenated_weights_give_the_sum_of_the_separate_products(cell, into, seed):
    rng = np.random.default_rng(seed)
    p = tree_map(lambda w: rng.normal(size=w.shape), cell.init(0))
    sources = [f"W_{s}{into}" for s in "xho" if f"W_{s}{into}" in p]
    rows = [rng.normal(size=(2, p[name].shape[0])) for name in sources]
    apart = lambda p: mg.sum(
        mg.sin(sum(v @ p[name] for v, name in zip(rows, sources, strict=True)))
    )
    joined = lambda p: mg.sum(mg.sin(np.concatenate(rows, 1) @ rnn.concatenated(p, into)))
    terms = 4 * sum(v.shape[1] for v in rows) * 8
    assert_close(joined(p), apart(p), terms)
    assert_close(mg.grad(joined)(p), mg.grad(apart)(p), terms)


@given(seed=SEEDS)
def test_without_recurrent_weights_steps_are_independent(seed):
    q = problem(rnn.RNNCell(3, 4), 4, 2, seed)
    q.params["W_hh"] = np.zeros((4, 4))
    ys, _ = rnn.run(q.cell, q.params, q.xs)
    dense, _ = rnn.run(rnn.Dense(3, 4, "tanh"), rnn.Params(W=q.params.W_xh, b=q.params.b_h), q.xs)
    assert_equal(ys, dense)


def test_the_saturated_lstm_carries_writes_and_stays_silent():
    """f = 1, i = 0 keeps the memory; f = 0, i = 1 replaces it; o = 0 shows nothing."""
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 1, 2, 0)
    h, C = q.start

    def with_gates(f: float, i: float, o: float) -> Any:
        p = tree_map(np.copy, q.params)
        for gate, bias in (("f", f), ("i", i), ("o", o)):
            p[f"b_{gate}"] = np.full(4, bias)
        return rnn.run(cell, p, q.xs, q.start)

    _, (_, kept) = with_gates(f=800.0, i=-800.0, o=0.0)
    assert_equal(kept, C)
    _, (shown, written) = with_gates(f=-800.0, i=800.0, o=800.0)
    candidate = np.tanh(q.xs[0] @ q.params.W_xc + h @ q.params.W_hc + q.params.b_c)
    assert_close(written, candidate, 8)
    assert_equal(shown, np.tanh(written))
    ys, _ = with_gates(f=0.0, i=0.0, o=-800.0)
    assert np.max(np.abs(ys)) <= np.exp(-700.0)


@given(seed=SEEDS, order=st.permutations(range(4)))
def test_hidden_units_may_stand_in_any_order(seed, order):
    q = problem(rnn.GRUCell(3, 4), 3, 2, seed)
    order = list(order)

    def reordered(name: str, w: Any) -> Any:
        w = w[..., order]
        return w[order] if name.startswith("W_h") else w

    p = rnn.Params({name: reordered(name, w) for name, w in q.params.items()})
    ys, _ = rnn.run(q.cell, q.params, q.xs, q.start)
    found, _ = rnn.run(q.cell, p, q.xs, (q.start[0][:, order],))
    assert_close(found, ys[..., order], longest_path(q))


def test_inputs_and_start_values_are_on_the_unfolded_graph_by_name():
    """Also when they were given as arrays: what a person looks for has a gradient."""
    cell = rnn.Bidirectional(rnn.RNNCell(3, 4), rnn.LSTMCell(3, 2))
    ys, _ = rnn.run(cell, cell.init(0).tensors(), np.ones((3, 2, 3)), unfolded=True)
    mg.sum(ys * ys).backward()
    assert mg.find(ys, "x", t=2).grad.shape == (2, 3)
    assert mg.find(ys, "forward.h", t=0).grad.shape == (2, 4)
    assert mg.find(ys, "backward.C", t=4).grad.shape == (2, 2)


# --- what goes wrong ------------------------------------------------------------------------------


def steps(T: int) -> Any:
    return rnn.run(MADE, MADE.init(0).tensors(), np.ones((T, 1, 3)), unfolded=True)[0]


MADE = rnn.RNNCell(3, 4)
MISTAKES: dict[str, Mistake] = {
    "a step that was not run": (
        lambda: mg.find(steps(3), "h", t=7),
        LookupError,
        "no tensor named h at t = 7; "
        "there are: RNNCell.h, RNNCell.x, RNNCell.xs, RNNCell.z_h, W_hh, W_xh, b_h, "
        "at steps 0 to 3",
    ),
    "a name of many steps": (
        lambda: mg.find(steps(2), "h"),
        LookupError,
        "3 tensors are named h: RNNCell, t = 0; RNNCell, t = 1; RNNCell, t = 2; "
        "give t= or scope.name",
    ),
    "a negative number of steps": (
        lambda: mg.unfold(MADE.folded(), -1),
        ValueError,
        "unfold: the number of steps must be a whole number ≥ 0, got -1",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake):
    told_in_full(MISTAKES[mistake])
