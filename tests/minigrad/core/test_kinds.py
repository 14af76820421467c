"""What follows from the kind of a primitive: its jvp and its vjp are one matrix, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.core.kinds import (
    bilinear,
    elementwise,
    entrywise,
    general,
    linear,
    negative_axes,
    stepwise,
)
from minigrad.core.walks import sum_to
from minigrad.testing import draw_case

KINDS = ("elementwise", "linear", "bilinear", "stepwise", "general")
PRIMITIVES = sorted((p for p in mg.PRIMITIVES.values() if p.kind in KINDS), key=lambda p: p.name)
RANDOM = st.randoms(use_true_random=False)


def units(shape: tuple[int, ...]) -> list[Any]:
    """Arrays that are 1 at one place and 0 elsewhere."""
    return [row.reshape(shape) for row in np.eye(int(np.prod(shape)))]


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=lambda p: p.name)
@given(draw=RANDOM)
def test_the_jvp_and_the_vjp_of_a_primitive_are_one_matrix(primitive, draw):
    """Column by column and row by row, for each operand; none where the rule is None."""
    case = draw_case(primitive, draw)
    xs, attrs = case.operands, case.attrs
    y = primitive(*xs, **attrs)
    for k, x in enumerate(xs):
        if primitive.kind == "stepwise":
            assert not primitive.moves(k)
            assert primitive.push([np.ones(np.shape(x)) for x in xs], y, xs, attrs) is None
        if not primitive.moves(k) or x.dtype.kind != "f":
            continue
        columns, rows = [], []
        for e in units(x.shape):
            tangents = [e if i == k else None for i in range(len(xs))]
            columns.append(np.broadcast_to(primitive.push(tangents, y, xs, attrs), y.shape).ravel())
        for e in units(y.shape):
            if primitive.joint is not None:
                row = primitive.joint(e, y, xs, attrs, frozenset([k]))[k]
            else:
                row = primitive.rules[k](e, y, *xs, **attrs)
            rows.append(sum_to(row, x.shape).ravel())
        found = np.array(rows).reshape(y.size, x.size)
        wanted = np.array(columns).reshape(x.size, y.size).T
        # One sum may be taken in another order: a few units of the largest entry.
        size = np.abs(wanted).max(initial=1.0)
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-14 * size)


@pytest.mark.parametrize(
    "primitive", [p for p in PRIMITIVES if p.kind in ("linear", "bilinear")], ids=lambda p: p.name
)
@given(draw=RANDOM)
def test_what_is_linear_is_its_own_derivative(primitive, draw):
    """In each operand that moves, by a step as large as one likes: f(x + v) − f(x) is the jvp."""
    case = draw_case(primitive, draw)
    for k, x in enumerate(case.operands):
        if not primitive.moves(k) or x.dtype.kind != "f":
            continue
        there = list(case.operands)
        there[k] = x + 1.0
        y, moved = (primitive(*xs, **case.attrs) for xs in (case.operands, there))
        tangents = [np.ones(x.shape) if i == k else None for i in range(len(there))]
        found = primitive.push(tangents, y, case.operands, case.attrs)
        size = np.abs(y).max(initial=1.0) + np.abs(moved).max(initial=1.0)
        np.testing.assert_allclose(np.broadcast_to(found, y.shape), moved - y, atol=1e-14 * size)


@pytest.fixture
def table():
    """The registries, which are put back after what a test defines."""
    known = dict(mg.PRIMITIVES), dict(mg.core.FUNCTIONS)
    yield
    for registry, before in zip((mg.PRIMITIVES, mg.core.FUNCTIONS), known, strict=True):
        registry.clear()
        registry.update(before)


@pytest.mark.usefixtures("table")
def test_each_kind_gives_the_derivative_that_was_written_once():
    """Backward and forward, of 3x², x/y, 2x, xy, the sign and x² in turn."""

    @elementwise(lambda y, x: 6.0 * x)
    def thrice(x):
        return 3.0 * x * x

    @entrywise(lambda g, y, a, b: g / b, lambda g, y, a, b: g / b * -y)
    def ratio(a, b):
        return a / b

    @linear(lambda g, x: g + g, signature="()->()")
    def twice(x):
        return x + x

    @bilinear(lambda g, a, b: g * b, lambda g, a, b: g * a, signature="(),()->()")
    def times(a, b):
        return a * b

    @stepwise(1)
    def side(x):
        return np.sign(x)

    @general(lambda g, y, x: 2.0 * (g * x), lambda t, y, x: 2.0 * (t * x))
    def squared(x):
        return x * x

    a, b = 3.0, 4.0
    for primitive, wanted in (
        (thrice, [18.0]), (ratio, [0.25, -0.1875]), (twice, [2.0]), (times, [4.0, 3.0]),
        (side, [0.0]), (squared, [6.0]),
    ):  # fmt: skip
        xs = [a, b][: len(wanted)]
        assert list(mg.grad(primitive, tuple(range(len(xs))))(*xs)) == wanted
        ones = np.eye(len(xs))
        assert [mg.jvp(primitive, xs, list(e))[1] for e in ones] == wanted


def test_an_operand_without_a_rule_passes_to_the_jvp_as_it_is():
    flag, a, b = np.array([True, False]), np.ones(2), np.zeros(2)
    y, tangent = mg.jvp(lambda a, b: mg.where(flag, a, b), [a, b], [3.0 * a, 5.0 * a])
    assert (y.tolist(), tangent.tolist()) == ([1.0, 0.0], [3.0, 5.0])


@given(ndim=st.integers(0, 4), data=st.data())
def test_axes_are_counted_from_the_end(ndim, data):
    axes = data.draw(st.lists(st.integers(-ndim, ndim - 1), unique_by=lambda a: a % max(ndim, 1))
                     if ndim else st.just([]))  # fmt: skip
    assert negative_axes(axes, ndim, "here") == tuple(sorted(a % ndim - ndim for a in axes))
    assert negative_axes(None, ndim, "here") == tuple(range(-ndim, 0))


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2)])
def test_axes_that_do_not_fit_are_told(axis):
    with pytest.raises(ValueError, match="does not fit 2 axes"):
        negative_axes(axis, 2, "here")
