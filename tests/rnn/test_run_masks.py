"""Any mask, any reset: a sample is its parts run alone, one after the other, padding left out.

The oracle knows neither masks nor resets: it runs each part of each sample by itself.
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
from minigrad.errors import ShapeError
from minigrad.tree import flatten
from rnn.run import run
from rnn.testing.networks import Mixed
from rnn.testing.problem import Problem, problem, weigh
from rnn.testing.strategies import SEEDS, cells


def parts_of(mask: Any, resets: Any, b: int) -> list[list[int]]:
    """The steps of each part of a sample, the empty ones at both ends too."""
    parts: list[list[int]] = [[]]
    for t in range(len(mask)):
        if resets[t, b]:
            parts.append([])
        if mask[t, b]:
            parts[-1].append(t)
    return parts


def alone(q: Problem, params: Any, xs: Any, start: Any, mask: Any, resets: Any) -> Any:
    """Outputs at the steps that samples have, and last states, from runs of single parts."""
    edges, tree = flatten(q.cell.edges())
    zeros = flatten(q.cell.start(1))[0]
    ys, ends = {}, []
    for b in range(mask.shape[1]):
        parts = parts_of(mask, resets, b)
        own = [leaf[..., b : b + 1, :] for leaf in flatten(start)[0]]
        forward = [own, *[zeros] * (len(parts) - 1)]
        found: list[Any] = []
        for k, steps in enumerate(parts):
            back = own if k == len(parts) - 1 else zeros
            given = [
                f if e.delay > 0 else s for e, f, s in zip(edges, forward[k], back, strict=True)
            ]
            own_xs = xs[np.array(steps, int)][:, b : b + 1]
            y, state = run(q.cell, params, own_xs, tree.unflatten(given))
            ys.update({(t, b): y[i, 0] for i, t in enumerate(steps)})
            found.append(flatten(state)[0])
        ends.append([found[-1 if e.delay > 0 else 0][i] for i, e in enumerate(edges)])
    state = [mg.concatenate([end[i] for end in ends], axis=-2) for i in range(len(edges))]
    return ys, tree.unflatten(state)


def total(ys: Any, state: Any) -> Any:
    """A number that all outputs take part in, by step and sample, and all states."""
    whole = weigh(np.zeros(1), state)
    for (t, b), y in sorted(ys.items()):
        whole = whole + mg.sum(mg.sin((1.0 + 0.5 * t + b) * y))
    return whole


@dataclass(frozen=True)
class Begun(Mixed):
    """A cell of any delays whose start values differ from step to step."""

    def start(self, batch: int, dtype: Any = float, *more: Any) -> Any:
        zeros, tree = flatten(super().start(batch, dtype, *more))
        return tree.unflatten(
            z + 0.25 * np.arange(1, z.size + 1).reshape(z.shape).astype(dtype) / batch
            if batch == 1 else np.repeat(self.start(1, dtype)[k], batch, -2)
            for k, z in enumerate(zeros)
        )  # fmt: skip


DELAYS = [(1, 2), (3, 1), (2, 3), (-1, -2), (-3, -2)]
DELAYED = st.builds(
    lambda d, ways: Begun(3, 2, (("h", d[0]), ("g", d[1])), ways),
    st.sampled_from(DELAYS),
    st.sampled_from([("new", "leak"), ("hold", "sum")]),
)


@st.composite
def masked(draw: Any) -> tuple[Problem, Any, Any]:
    T, B = draw(st.integers(0, 6)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(SEEDS))
    q = problem(draw(cells() | DELAYED), T, B, draw(SEEDS))
    return q, rng.random((T, B)) < 0.6, rng.random((T, B)) < draw(st.sampled_from([0.0, 0.4]))


@given(masked(), st.sampled_from([np.nan, 1e300]), st.booleans())
def test_a_sample_is_its_parts_run_alone(drawn: Any, filling: float, unfolded: bool) -> None:
    """Values and all gradients; padding gets exactly none, and what it holds is not seen."""
    compare(*drawn, filling, unfolded)


@pytest.mark.parametrize("delays", [*DELAYS, (1, 1), (-1, -1)])
def test_a_reset_behind_the_last_step_of_a_sample_or_before_its_first_one_counts(
    delays: tuple[int, int],
) -> None:
    cell = Begun(3, 2, (("h", delays[0]), ("g", delays[1])), ("new", "leak"))
    mask = np.array([[1, 0, 0, 1], [1, 1, 0, 1], [0, 1, 0, 1]], bool)
    resets = np.array([[0, 0, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]], bool)
    compare(problem(cell, 3, 4, seed=0), mask, resets, np.nan, unfolded=False)


def compare(q: Problem, mask: Any, resets: Any, filling: float, unfolded: bool) -> None:
    """Raise unless outputs, states and all gradients are those of the parts run alone."""
    dirty = np.where(mask[..., None], q.xs, filling)

    def found(params: Any, xs: Any, start: Any) -> Any:
        ys, state = run(q.cell, params, xs, start, unfolded=unfolded, mask=mask, resets=resets)
        return total({(t, b): ys[t, b] for t, b in np.argwhere(mask)}, state)

    def wanted(params: Any, xs: Any, start: Any) -> Any:
        return total(*alone(q, params, xs, start, mask, resets))

    ys, _ = run(q.cell, q.params, dirty, q.start, mask=mask, resets=resets)
    assert (ys[~mask] == 0).all()
    value, slopes = mg.value_and_grad(found, wrt=(0, 1, 2))(q.params, dirty, q.start)
    right, wanted_slopes = mg.value_and_grad(wanted, wrt=(0, 1, 2))(q.params, q.xs, q.start)
    np.testing.assert_allclose(value, right, rtol=1e-11, atol=1e-12)
    assert (slopes[1][~mask] == 0).all()
    for a, b in zip(flatten(slopes)[0], flatten(wanted_slopes)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


def test_a_part_that_sees_the_one_before_would_be_seen() -> None:
    """The oracle above is not blind to a reset that is lost."""
    q = problem(rnn.GRUCell(3, 4), 5, 2, seed=0)
    mask, resets = np.ones((5, 2), bool), np.zeros((5, 2), bool)
    resets[2] = True
    kept, cut = (
        float(total(*alone(q, q.params, q.xs, q.start, mask, r))) for r in (resets & False, resets)
    )
    assert abs(kept - cut) > 1e-3


def test_lengths_are_a_mask_and_one_of_the_two_is_given() -> None:
    q = problem(rnn.Bidirectional(rnn.LSTMCell(3, 4)), 5, 3, seed=1)
    lengths = np.array([5, 0, 2])
    mask = np.arange(5)[:, None] < lengths
    one, other = (run(q.cell, q.params, q.xs, q.start, **how)
                  for how in ({"lengths": lengths}, {"mask": mask}))  # fmt: skip
    for a, b in zip(flatten(one)[0], flatten(other)[0], strict=True):
        assert np.array_equal(a, b)
    with pytest.raises(TypeError, match="lengths and a mask say the same; give one of them"):
        run(q.cell, q.params, q.xs, lengths=lengths, mask=mask)


def test_class_indices_of_padding_may_be_any_number() -> None:
    cell = rnn.GRUCell(3, 4)
    classes, mask = np.array([[0, -7], [99, 2]]), np.array([[True, False], [False, True]])
    ys, _ = run(cell, cell.init(0), classes, mask=mask)
    assert np.array_equal(ys, run(cell, cell.init(0), np.where(mask, classes, 0), mask=mask)[0])


def test_masks_and_resets_may_be_arguments_of_a_compiled_function() -> None:
    """They are data, like xs: another mask is no other program."""
    cell = rnn.Stack([rnn.Bidirectional(rnn.GRUCell(3, 4)), rnn.LSTMCell(8, 2)])
    params, xs = cell.init(0), np.random.default_rng(0).normal(size=(6, 4, 3))

    def loss(p: Any, xs: Any, mask: Any, resets: Any) -> Any:
        ys, state = run(cell, p, xs, mask=mask, resets=resets)
        return weigh(ys, state)

    step = mg.compile(mg.value_and_grad(loss))
    for seed in range(3):
        mask, resets = np.random.default_rng(seed).random((2, 6, 4)) < 0.7
        wanted = mg.value_and_grad(loss)(params, xs, mask, resets)
        for a, b in zip(*(flatten(x)[0] for x in (step(params, xs, mask, resets), wanted)),
                        strict=True):  # fmt: skip
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


MASK = np.ones((4, 2), bool)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mask": MASK.T}, r"run: mask must be booleans of shape \(4, 2\), one a step and sample, "
         r"got bool of shape \(2, 4\); time comes first: mask.T"),
        ({"resets": MASK * 1}, r"run: resets must be .* got int64 of shape \(4, 2\); resets > 0"),
        ({"mask": True}, r"got bool of shape \(\)$"),
    ],
)  # fmt: skip
def test_what_is_no_mask_is_told(given: Any, told: str) -> None:
    cell = rnn.GRUCell(3, 2)
    with pytest.raises(ShapeError, match=told):
        run(cell, cell.init(0), np.ones((4, 2, 3)), **given)


def test_a_mask_that_is_traced_is_refused_where_it_decides() -> None:
    cell = Mixed(2, 2, (("h", 2),), ("new",))
    step = mg.compile(lambda m: run(cell, cell.init(0), np.ones((4, 2, 2)), mask=m)[0])
    with pytest.raises(TypeError, match="a mask or resets that are a tensor decide"):
        step(MASK)


@pytest.mark.parametrize(
    "cell",
    [
        rnn.LearnedStart(rnn.LSTMCell(3, 2)),
        rnn.Stack([rnn.Dropout(3, 0.5), rnn.RecurrentDropout(rnn.GRUCell(3, 2), 0.5)]),
    ],
    ids=["a start that is learnt", "masks that are drawn"],
)
def test_a_part_begins_where_its_cell_does_and_keeps_what_was_drawn(cell: Any) -> None:
    """With the start that is learnt, which hears of it, and under the same dropout."""
    rng = np.random.default_rng(0)
    params, xs = cell.init(1), rng.normal(size=(6, 1, 3))
    resets = (np.arange(6) == 4)[:, None]

    def at_once(p: Any) -> Any:
        start = cell.start(1, params=p, rng=np.random.default_rng(2))
        return mg.sum(mg.square(run(cell, p, xs, start, resets=resets)[0]))

    def one_by_one(p: Any) -> Any:
        start = cell.start(1, params=p, rng=np.random.default_rng(2))
        return sum(mg.sum(mg.square(run(cell, p, part, start)[0])) for part in (xs[:4], xs[4:]))

    found, wanted = (flatten(mg.grad(f)(params))[0] for f in (at_once, one_by_one))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
