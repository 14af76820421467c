"""The two walks against matrices: what goes back is the transpose of what goes forward.

The oracle knows neither walk: each operation gives its own Jacobian, column by column, and the
cotangents and tangents of a whole graph are products of these matrices in plain NumPy.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.core import TAG, ancestors, pull_back, push_forward
from minigrad.core.walks import sum_to
from minigrad.testing.strategies import fan_outs, graphs

SEEDS = st.integers(0, 2**32 - 1)
MODES = pytest.mark.parametrize("recorded", [False, True], ids=["arrays", "recorded"])


def jacobians(node: mg.Tensor) -> dict[int, Any]:
    """The matrix of an operation by each operand that moves, summed over the places it stands."""
    found: dict[int, Any] = {}
    values = [x.data if type(x) is mg.Tensor else x for x in node.parents]
    for i, x in enumerate(node.parents):
        if type(x) is not mg.Tensor or x.dtype.kind != "f" or not node.primitive.moves(i):
            continue
        columns = np.zeros((x.size, node.size))
        for j, e in enumerate(row.reshape(x.shape) for row in np.eye(x.size)):
            tangents = [e if k == i else None for k in range(len(values))]
            columns[j] = np.broadcast_to(
                node.primitive.push(tangents, node.data, values, node.attrs), node.shape
            ).ravel()
        found[x.serial] = found.get(x.serial, 0.0) + columns.T
    return found


class Case:
    """A recorded graph, the matrices of its operations, and a cotangent of its output."""

    def __init__(self, program: Any, seed: int) -> None:
        self.leaves = [mg.Tensor(x) for x in program.values]
        with np.errstate(all="ignore"):
            out = program(*self.leaves)
            self.nodes = ancestors(out)
            self.matrices = [jacobians(x) if x.primitive else {} for x in self.nodes]
        rng = np.random.default_rng(seed)
        self.out = out
        self.g = rng.normal(size=out.shape)
        self.tangents = {x.serial: rng.normal(size=x.shape) for x in self.leaves}

    def back(self) -> dict[int, Any]:
        """Cotangents by the transposed matrices, as vectors."""
        found = {self.out.serial: self.g.ravel()}
        for node, matrices in zip(reversed(self.nodes), reversed(self.matrices), strict=True):
            for serial, matrix in matrices.items():
                if node.serial in found:
                    more = matrix.T @ found[node.serial]
                    found[serial] = found.get(serial, 0.0) + more
        return found

    def forward(self) -> Any:
        """The tangent of the output by the matrices, as a vector."""
        found = {serial: v.ravel() for serial, v in self.tangents.items()}
        for node, matrices in zip(self.nodes, self.matrices, strict=True):
            parts = [matrix @ found[s] for s, matrix in matrices.items() if s in found]
            if parts:
                found[node.serial] = np.sum(parts, axis=0)
        return found.get(self.out.serial)


def close(found: Any, wanted: Any) -> bool:
    """Equal but for the order of sums, and where both have no number."""
    size = np.max(np.abs(wanted), initial=1.0, where=np.isfinite(wanted))
    with np.errstate(all="ignore"):
        return np.allclose(found, wanted, rtol=1e-9, atol=1e-9 * size, equal_nan=True)


@MODES
@given(program=st.one_of(graphs(), fan_outs()), seed=SEEDS)
def test_back_is_by_the_transposed_matrices(recorded, program, seed):
    """Of every node at once, in its shape and dtype; nothing that was given is written to.

    All nodes are wanted, so a sum that went into a buffer of another node would be seen there.
    """
    case = Case(program, seed)
    g = case.g.copy()
    wanted = {x.serial for x in case.nodes}
    with np.errstate(all="ignore"):
        start = {case.out.serial: mg.Tensor(g) if recorded else g}
        found = pull_back(case.nodes, start, wanted, recorded)
        matrices = case.back()
    assert np.array_equal(g, case.g)
    for node in case.nodes:
        if node.serial in matrices and node.serial in found:
            part = found[node.serial]
            assert (type(part) is mg.Tensor) or not recorded
            assert (part.shape, part.dtype) == (node.shape, node.dtype)
            assert close(getattr(part, "data", part).ravel() if recorded else part.ravel(),
                         matrices[node.serial])  # fmt: skip
        else:
            assert not np.any(matrices.get(node.serial, 0.0))


@MODES
@given(program=graphs(), seed=SEEDS)
def test_forward_is_by_the_matrices(recorded, program, seed):
    case = Case(program, seed)
    start = {s: mg.Tensor(v) if recorded else v for s, v in case.tangents.items()}
    with np.errstate(all="ignore"):
        found = push_forward(case.nodes, start, recorded).get(case.out.serial)
        wanted = case.forward()
    if found is None:
        assert wanted is None or not np.any(wanted)
    else:
        values = found.data if type(found) is mg.Tensor else found
        assert (values.shape, values.dtype) == (case.out.shape, case.out.dtype)
        assert close(values.ravel(), wanted)


@given(program=graphs(), seed=SEEDS)
def test_back_is_the_transpose_of_forward(program, seed):
    """⟨g, Jv⟩ = ⟨Jᵀg, v⟩ for the whole graph."""
    case = Case(program, seed)
    with np.errstate(all="ignore"):
        back = pull_back(case.nodes, {case.out.serial: case.g}, set(case.tangents), False)
        ahead = push_forward(case.nodes, dict(case.tangents), False).get(case.out.serial, 0.0)
        parts = [back[s] * v for s, v in case.tangents.items() if s in back]
        left, right = np.sum(case.g * ahead), sum(map(np.sum, parts))
        size = np.sum(np.abs(case.g * ahead)) + sum(np.sum(np.abs(p)) for p in parts) + 1.0
    assert not np.isfinite(size) or abs(left - right) <= 1e-9 * size


@given(shape=st.sampled_from([(), (1,), (3,), (1, 3), (2, 1), (2, 3), (1, 1)]), seed=SEEDS)
def test_a_sum_over_broadcast_axes_is_the_transpose_of_broadcasting(shape, seed):
    rng = np.random.default_rng(seed)
    g, v = rng.normal(size=(4, 2, 3)), rng.normal(size=shape)
    back = sum_to(g, shape)
    assert back.shape == shape
    assert np.isclose(np.sum(back * v), np.sum(g * np.broadcast_to(v, g.shape)))


# --- buffers, memory, number of operations --------------------------------------------------------


@pytest.mark.parametrize("uses", range(1, 6))
def test_a_buffer_is_written_to_only_where_it_is_our_own(uses):
    """One cotangent goes to two nodes, as that of a sum does: the seed, both, and it stay apart."""
    x, y = mg.Tensor(np.ones(2)), mg.Tensor(np.ones(2))
    total = x + y
    for _ in range(uses - 1):
        total = total + x
    g = np.array([1.0, 2.0])
    g.flags.writeable = False
    nodes = ancestors(total)
    found = pull_back(nodes, {total.serial: g}, {n.serial for n in nodes}, recorded=False)
    for node in nodes:
        times = uses if node is x else 1
        assert found[node.serial].tolist() == [times * 1.0, times * 2.0]


def chain(w: mg.Tensor, steps: int) -> mg.Tensor:
    h: Any = np.ones((1, w.shape[0]))
    for _ in range(steps):
        h = mg.tanh(h @ w)
    return mg.sum(h)


def test_a_weight_has_one_buffer_however_often_it_is_used():
    w = mg.Tensor(np.zeros((100, 100)))
    peaks = []
    for steps in (4, 40):
        loss = chain(w, steps)
        nodes = ancestors(loss)
        tracemalloc.start()
        pull_back(nodes, {loss.serial: np.ones(())}, {w.serial}, recorded=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < w.data.nbytes


@pytest.mark.parametrize("reads", [1, 2, 50])
def test_what_was_read_by_position_is_put_into_place_by_one_operation(reads):
    x = mg.Tensor(np.arange(50.0))
    g = mg.grad(lambda x: mg.add_n(*[x[k] * x[k] for k in range(reads)]))(x)
    made = [n for n in ancestors(g) if n.primitive is mg.PRIMITIVES["scatter"]]
    assert len(made) == 1
    assert g.data.tolist() == [2.0 * k if k < reads else 0.0 for k in range(50)]


@pytest.mark.parametrize("uses", [1, 2, 3, 50])
def test_a_recorded_sum_is_one_operation(uses):
    x = mg.Tensor(0.5)
    g = mg.grad(lambda y: mg.add_n(*[mg.sin(y) for _ in range(uses)]))(x)
    sums = [n for n in ancestors(g) if n.primitive and n.primitive.name in ("add", "add_n")]
    assert [len(n.parents) for n in sums] == [uses] * (uses > 1)


def test_the_rule_of_any_number_of_operands_is_asked_once(monkeypatch):
    asked = []
    stack = mg.PRIMITIVES["stack"]
    right = stack.joint
    monkeypatch.setattr(stack, "joint", lambda *args: asked.append(args[-1]) or right(*args))
    xs = [mg.Tensor(float(k)) for k in range(20)]
    mg.sum(mg.stack([x if k % 2 else x.data for k, x in enumerate(xs)])).backward()
    assert asked == [frozenset(range(1, 20, 2))]
    assert [x.grad for x in xs] == [1.0 if k % 2 else None for k in range(20)]


# --- where it stands -----------------------------------------------------------------------------


def test_what_a_recorded_walk_makes_stands_where_the_node_does_and_is_called_after_it():
    w = mg.Tensor(0.5, "w")

    def loss(v: Any) -> Any:
        with mg.scope("rnn", t=3):
            return mg.named("h", mg.tanh(v * w)) ** 2

    g = mg.grad(loss)(mg.Tensor(2.0))
    made = {(n.scope, n.t) for n in ancestors(g) if n.primitive and n.primitive.name != "alias"}
    assert made == {("rnn", 3)}
    assert mg.find(g, "∂h", t=3).item() == pytest.approx(2.0 * np.tanh(1.0))


@MODES
def test_an_overflow_is_told_with_its_place_and_leaves_no_tag_behind(recorded):
    x = mg.Tensor(1e-200)
    with mg.scope("rnn", t=2):
        y = 1.0 / x
    seed = {y.serial: mg.Tensor(1.0) if recorded else np.ones(())}
    for walk, what in (
        (lambda: pull_back(ancestors(y), seed, {x.serial}, recorded), "cotangent"),
        (lambda: push_forward(ancestors(y), {x.serial: seed[y.serial]}, recorded), "tangent"),
    ):
        with np.errstate(all="raise"), pytest.raises(
            FloatingPointError, match=rf"^{what} of divide in rnn at t = 2: .*overflow"
        ):  # fmt: skip
            walk()
        assert TAG.get() is None


@MODES
def test_a_cotangent_has_the_precision_of_its_tensor(recorded):
    x = mg.Tensor(np.ones(2, np.float32))
    y = x * mg.Tensor(np.ones(2))
    seed = mg.Tensor(np.ones(2)) if recorded else np.ones(2)
    assert pull_back(ancestors(y), {y.serial: seed}, {x.serial}, recorded)[x.serial].dtype == "f4"


def test_what_does_not_depend_on_it_has_no_entry():
    x, z = mg.Tensor(1.0), mg.Tensor(2.0)
    y = mg.sign(x) * 2.0
    assert pull_back(ancestors(y), {y.serial: np.ones(())}, {x.serial, z.serial}, False) == {}
