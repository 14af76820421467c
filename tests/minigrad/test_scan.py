"""A scan gives what the steps on the graph give: values, and derivatives of every order."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
import rnn
from minigrad.tree import flatten, tree_map
from rnn.step import fold_step
from rnn.testing.problem import problem
from tests.minigrad.folding import CELLS, OPERATIONS, every_cell
from tests.rnn.runs import assert_close

SEEDS = st.integers(0, 2**32 - 1)


def loss(q: Any, unfolded: bool, lengths: Any = None) -> Any:
    """A loss that every output and every last state takes part in."""

    def total(params: Any, xs: Any, start: Any) -> Any:
        ys, state = rnn.run(q.cell, params, xs, start, lengths, unfolded)
        return sum((mg.sum(mg.sin(s)) for s in flatten(state)[0]), mg.sum(mg.sin(ys)))

    return total


@every_cell
@pytest.mark.parametrize("ragged", [False, True])
@given(T=st.integers(0, 6), B=st.integers(1, 3), seed=SEEDS)
def test_gradients_are_those_of_the_unfolded_steps(name, ragged, T, B, seed):
    q = problem(CELLS[name], T, B, seed)
    lengths = np.random.default_rng(seed).integers(0, T + 1, B) if ragged else None
    args = (q.params, q.xs, q.start)
    folded = mg.grad(loss(q, False, lengths), wrt=(0, 1, 2))(*args)
    unfolded = mg.grad(loss(q, True, lengths), wrt=(0, 1, 2))(*args)
    assert_close(folded, unfolded, OPERATIONS * (T + 1) * (B + 1))


@every_cell
@given(T=st.integers(0, 4), seed=SEEDS)
def test_tangents_and_second_derivatives_are_those_of_the_unfolded_steps(name, T, seed):
    q = problem(CELLS[name], T, 2, seed)
    rng = np.random.default_rng(seed)
    v = tree_map(lambda x: rng.normal(size=x.shape), q.params)
    one = lambda unfolded: lambda p: loss(q, unfolded)(p, q.xs, q.start)
    size = 1 + max((float(np.abs(x).max(initial=0)) for x in flatten(v)[0]), default=0)
    allowed = int(OPERATIONS * (T + 1) * 16 * size)
    assert_close(mg.jvp(one(False), [q.params], [v]), mg.jvp(one(True), [q.params], [v]), allowed)
    assert_close(mg.hvp(one(False), q.params, v), mg.hvp(one(True), q.params, v), allowed)


@pytest.mark.parametrize("name", ["LSTMCell(3, 4)", "GRUCell(3, 4)", "GRU and LSTM", "delay 2"])
def test_the_gradient_of_a_gradient_is_that_of_the_unfolded_steps(name):
    q = problem(CELLS[name], 4, 2, 0)

    def slope(unfolded: bool) -> Any:
        def squares(p: Any) -> Any:
            grads = mg.grad(loss(q, unfolded))(p, q.xs, q.start)
            return sum((mg.sum(g * g) for g in flatten(grads)[0]), mg.sum(q.xs) * 0.0)

        return mg.grad(squares)(q.params)

    assert_close(slope(False), slope(True), OPERATIONS * 64)


def test_two_runs_then_both_backwards():
    """Each live run owns its buffers, so the second does not overwrite what the first will read."""
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 5, 2, 0)
    alone = [mg.grad(loss(q, False))(q.params, xs, q.start) for xs in (q.xs, -q.xs)]
    p = q.params.tensors()
    losses = [loss(q, False)(p, xs, q.start) for xs in (q.xs, -q.xs)]
    losses[0].backward()
    losses[1].backward()
    for tensor, a, b in zip(flatten(p)[0], flatten(alone[0])[0], flatten(alone[1])[0], strict=True):
        np.testing.assert_allclose(tensor.grad, a + b, rtol=1e-13, atol=1e-14)


def test_results_do_not_change_when_their_run_is_freed():
    cell = rnn.LSTMCell(3, 4)
    q = problem(cell, 5, 2, 0)
    ys, (h, C) = rnn.run(cell, q.params.tensors(), q.xs)
    kept = (ys.data, h.data, C.data)
    before = [x.copy() for x in kept]
    del ys, h, C
    gc.collect()
    rnn.run(cell, q.params.tensors(), 7 * q.xs)
    for now, then in zip(kept, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_threads_do_not_share_buffers():
    cell = rnn.GRUCell(3, 4)
    problems = [problem(cell, 6, 2, seed) for seed in range(4)]
    wanted = [mg.grad(loss(q, False))(q.params, q.xs, q.start) for q in problems]
    found: dict[int, Any] = {}

    def work(n: int) -> None:
        for _ in range(10):
            q = problems[n]
            found[n] = mg.grad(loss(q, False))(q.params, q.xs, q.start)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(problems))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, grads in enumerate(wanted):
        assert tree_map(lambda a, b: bool((a == b).all()), found[n], grads) == tree_map(
            lambda a: True, grads
        )


def test_programs_that_nobody_uses_stay_within_the_stated_bytes(monkeypatch):
    """Of many lengths and many cells, those used last are kept."""
    monkeypatch.setattr(sys.modules["minigrad.scan"], "IDLE_BYTES", 1 << 20)
    pool = sys.modules["minigrad.scan"].POOL
    pool.forget()
    for k in range(1, 60):
        cell = rnn.RNNCell(2, 3 + k % 5)
        rnn.run(cell, cell.init(0), np.ones((10 * k, 4, 2)))
    held = [program.nbytes for _, program in pool.idle]
    assert 1 < len(held) < 59
    assert sum(held) <= 1 << 20


def test_a_folded_graph_that_is_gone_takes_what_was_made_of_it_along():
    """Adjoints and programs hold the graph they are of; the pool alone keeps them."""
    cell = rnn.RNNCell(2, 3)
    folded = fold_step(cell, ["h"], 2, np.dtype(float), *[False] * 3)
    p = cell.init(0).tensors()
    ys, _ = mg.scan(folded, 3, p.W_xh, p.W_hh, p.b_h, np.ones((3, 2, 2)), np.zeros((2, 3)))
    mg.sum(ys).backward()
    gone = weakref.ref(folded)
    del folded, ys
    sys.modules["minigrad.scan"].POOL.forget()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("k", "value", "error", "said"),
    [
        (3, np.ones((1, 2, 3)), mg.ShapeError, r"x has shape \(1, 2, 3\), wanted \(7, 2, 3\)"),
        (3, np.ones((9, 2, 3)), mg.ShapeError, r"for 7 steps"),
        (3, np.ones((7, 2, 3)) + 0j, TypeError, r"sequence x has dtype complex128, wanted float64"),
        (3, np.ones((7, 2, 3), np.float32), TypeError, r"sequence x has dtype float32"),
        (4, np.ones((1, 5)), mg.ShapeError, r"state h has shape \(1, 5\), wanted \(2, 5\)"),
        (0, np.ones(5), mg.ShapeError, r"static W_xh has shape \(5,\), wanted \(3, 5\)"),
    ],
)
def test_a_scan_broadcasts_and_casts_nothing(k, value, error, said):
    cell = rnn.RNNCell(3, 5)
    p = cell.init(0)
    inputs = [p.W_xh, p.W_hh, p.b_h, np.ones((7, 2, 3)), np.zeros((2, 5))]
    inputs[k] = value
    with pytest.raises(error, match=said):
        mg.scan(cell.folded(2), 7, *inputs)


@pytest.mark.parametrize("cell", [rnn.RNNCell(3, 2), rnn.GRUCell(3, 2), rnn.Dense(3, 2)], ids=str)
@pytest.mark.parametrize("classes", [False, True])
def test_what_a_scan_was_given_may_be_written_to_before_backward(cell, classes):
    rng = np.random.default_rng(0)
    xs = rng.integers(0, 3, (5, 2)) if classes else rng.normal(size=(5, 2, 3))
    start = tuple(np.ones((2, 2)) for _ in cell.edges())
    grads = []
    for change in (False, True):
        p, x, h = cell.init(0).tensors(), xs.copy(), tuple(s.copy() for s in start)
        loss = mg.sum(mg.square(rnn.run(cell, p, x, h)[0]))
        if change:
            x[:] = 0
            for s in h:
                s[:] = 7.0
        loss.backward()
        grads.append([v.grad for v in flatten(p)[0]])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)


@dataclass(frozen=True)
class Odd(rnn.Cell):
    """States that are parts, joins and products of what other loops do not have."""

    kind: str
    inputs: int = 2
    hidden: int = 2

    @property
    def state(self):
        return {"kept": ("a", "b"), "stacked": ("a", "b")}.get(self.kind, ("a",))

    def size(self, name):
        return {"kept b": 4, "cut a": 1}.get(f"{self.kind} {name}", self.hidden)

    def parameters(self):
        return {"W": rnn.glorot(2, 2), "U": rnn.orthogonal(2, 2)}

    def step(self, p, x, a, b=None):
        if self.kind == "kept":
            return b, mg.tanh(x @ p.W + a @ p.U), mg.concatenate([x, a], axis=-1)
        if self.kind == "stacked":
            return x, x @ p.W, (x @ p.W) @ p.U + b @ p.U
        new = {
            "turned": lambda: mg.tanh(x @ p.W)[:, ::-1],
            "cut": lambda: mg.tanh(x @ p.W)[:, :1],
            "reshaped": lambda: mg.reshape(mg.tanh(mg.reshape(x @ p.W, (len(x), 2, 1))), x.shape),
            "bent twice": lambda: mg.tanh(mg.relu(x @ p.W + a @ p.U)),
            "without a past": lambda: mg.tanh(x @ p.W),
        }[self.kind]()
        return a, new


ODD = ("kept", "stacked", "turned", "cut", "reshaped", "bent twice", "without a past")


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("T", [1, 2, 5])
def test_odd_states_are_those_of_the_unfolded_steps(kind, T):
    q = problem(Odd(kind), T, 2, 0)
    one = lambda unfolded: lambda p: loss(q, unfolded)(p, q.xs, q.start)
    v = tree_map(np.cos, q.params)
    given = q.cell, q.params, q.xs, q.start
    assert_close(rnn.run(*given), rnn.run(*given, unfolded=True), 999)
    assert_close(mg.grad(one(False))(q.params), mg.grad(one(True))(q.params), 9999)
    assert_close(mg.jvp(one(False), [q.params], [v]), mg.jvp(one(True), [q.params], [v]), 9999)
    assert_close(mg.hvp(one(False), q.params, v), mg.hvp(one(True), q.params, v), 9999)
    assert_close(mg.compile(mg.grad(one(False)))(q.params), mg.grad(one(True))(q.params), 9999)


@pytest.mark.parametrize("kind", ["bent twice", "without a past"])
def test_second_derivatives_keep_single_precision(kind):
    q = problem(Odd(kind), 3, 2, 0)
    params, xs = q.params.astype(np.float32), q.xs.astype(np.float32)
    for unfolded in (False, True):
        f = lambda p, u=unfolded: mg.sum(mg.sin(rnn.run(q.cell, p, xs, unfolded=u)[0]))
        found = mg.hvp(f, params, tree_map(np.cos, params))
        assert {x.dtype for x in flatten(found)[0]} == {np.dtype(np.float32)}
