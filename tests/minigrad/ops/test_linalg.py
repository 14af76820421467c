"""Linear algebra against mpmath's own, in 40 digits, and its conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad.testing import check_gradients
from tests.minigrad.ops.exactly import EXACT, PILE, B, S, exact, oracle_at, rng


@pytest.mark.parametrize("name", EXACT)
def test_a_value_and_a_slope_are_those_of_40_digits(name):
    """The slope in one direction, by a small step in 40 digits."""
    f, x, oracle = EXACT[name]
    with mpmath.workdps(40):
        np.testing.assert_allclose(f(x), oracle(exact(x)), rtol=1e-13, atol=1e-14)
        v = rng.normal(size=x.shape)
        v = v + v.T if x is S else v
        step = mpmath.mpf(10) ** -18
        ahead, behind = (oracle_at(name, exact(x) + side * step * exact(v)) for side in (1, -1))
        slope = [(p - q) / (2 * step) for p, q in zip(ahead, behind, strict=True)]
    found = mg.jvp(f, [x], [v])[1]
    np.testing.assert_allclose(np.ravel(found), np.array(slope, float), rtol=1e-11, atol=1e-12)


BATCHED = {
    "inv": mg.inv, "det": mg.det, "cholesky": lambda a: mg.cholesky(a @ mg.swapaxes(a)),
    "svdvals": mg.svdvals, "eigvalsh": mg.eigvalsh, "projections": lambda a: (
        mg.eigh(a)[1][..., :1] * mg.swapaxes(mg.eigh(a)[1][..., :1])),
    "power": lambda a: mg.matrix_power(a, -3), "solve of a vector": lambda a: mg.solve(a, B[:, 0]),
    "solve of piles": lambda a: mg.solve(a, np.stack([B, B, B])[:, None]),
}  # fmt: skip


@pytest.mark.parametrize("name", BATCHED)
def test_a_pile_of_matrices_is_done_one_by_one(name):
    f = BATCHED[name]
    check_gradients(f, PILE, order=2)
    if name != "solve of piles":
        for k in range(2):
            np.testing.assert_allclose(f(PILE)[k], f(PILE[k]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "eigvalsh", "svdvals"])
def test_precision_is_kept_and_half_is_refused_with_a_sentence(name):
    f = getattr(mg, name)
    assert f(S.astype(np.float32)).dtype == np.float32
    assert mg.grad(lambda a: mg.sum(f(a)))(S.astype(np.float32)).dtype == np.float32
    for x in (S.astype(np.float16), mg.Tensor(S.astype(np.float16))):
        with pytest.raises(TypeError, match=r"LAPACK has no float16; write astype"):
            f(x)
    whole = np.array([[2, 1], [1, 3]])
    np.testing.assert_allclose(f(whole), getattr(np.linalg, name)(whole), rtol=1e-14)


def test_what_has_no_inverse_is_told():
    for f in (mg.inv, lambda a: mg.solve(a, np.ones(2))):
        with pytest.raises(np.linalg.LinAlgError, match=r"^solve_columns of \(2, 2\).*Singular"):
            f(np.ones((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match=r"^cholesky of \(2, 2\): Matrix is not posit"):
        mg.cholesky(-np.eye(2))
    with pytest.raises(mg.ShapeError, match="axis n is 2 in 1, 3 in 1"):
        mg.det(np.ones((2, 3)))
    assert mg.det(np.ones((2, 2))) == 0.0
    with np.errstate(invalid="ignore"):
        assert np.isnan(mg.solve(np.ones((2, 2)), np.ones(2))).all()
        assert np.isnan(mg.cholesky(-PILE)).all()
        with pytest.raises(mg.ShapeError, match="axis n is"):
            mg.inv(np.ones((2, 3)))


@dataclass(frozen=True)
class Solver(rnn.Cell):
    """A loop in which each step makes a matrix of the state and takes it apart."""

    f: Any
    inputs: int = 3
    hidden: int = 3
    state = ("h",)

    def parameters(self):
        return {"W": rnn.glorot(3, 3)}

    def step(self, p, x, h):
        m = mg.outer(h, h) / 8.0 + np.diag([1.0, 2.0, 3.0]) + p.W @ p.W.T
        h = mg.named("h", mg.tanh(x + self.f(m)))
        return h, h


@pytest.mark.parametrize(
    "f",
    [
        lambda m: mg.solve(m, np.ones((3, 1)))[..., 0],
        lambda m: mg.eigvalsh(m),
        lambda m: mg.sum(mg.cholesky(m), -1),
        lambda m: mg.svdvals(m),
        lambda m: mg.expand_dims(mg.slogdet(m)[1], -1) + mg.cumprod(m)[..., 0],
        lambda m: mg.sort(mg.sum(m, -1)) + mg.median(m, -1),
    ],
)
def test_in_a_loop_it_is_what_it_is_step_by_step(f):
    cell = Solver(f)
    params, xs = cell.init(0), rng.normal(size=(4, 2, 3))
    run = lambda p, unfolded: mg.sum(mg.square(rnn.run(cell, p, xs, unfolded=unfolded)[0]))
    wanted = mg.grad(lambda p: run(p, True))(params)["W"]
    looped = lambda p: run(p, False)
    for found in (mg.grad(looped)(params), mg.compile(mg.grad(looped))(params)):
        np.testing.assert_allclose(found["W"], wanted, rtol=1e-11, atol=1e-13)
    v = mg.tree_map(np.ones_like, params)
    moved = mg.jvp(looped, [params], [v])[1]
    np.testing.assert_allclose(moved, np.sum(wanted), rtol=1e-11)
