"""Sums of products over names are NumPy's, and are the products that a person would write."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

rng = np.random.default_rng(0)
SIZES = dict(zip("abcdef", (2, 3, 1, 4, 2, 3), strict=True))


def operand(names):
    return rng.normal(size=tuple(SIZES[n] for n in names))


@st.composite
def subscripts(draw):
    """Up to three operands with names of their own, twice, shared; any result."""
    parts = draw(st.lists(st.text("abcdef", max_size=4), min_size=1, max_size=3))
    known = sorted(set("".join(parts)))
    out = draw(st.permutations(known))[: draw(st.integers(0, len(known)))] if known else []
    return parts, draw(st.sampled_from(["", "->" + "".join(out)]))


@given(text=subscripts())
def test_einsum_is_numpys(text):
    parts, result = text
    xs, text = [operand(part) for part in parts], ",".join(parts) + result
    wanted = np.einsum(text, *xs)
    found = np.einsum(text, *map(mg.Tensor, xs))
    assert found.shape == np.shape(wanted)
    np.testing.assert_allclose(found.data, wanted, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(mg.einsum(text, *xs), wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("text", ["...ij,...jk->...ik", "...i,i", "i...,...", "a...b->b...a"])
def test_dots_stand_for_the_axes_that_have_no_name(text):
    x, y = rng.normal(size=(2, 3, 3)), rng.normal(size=(3, 3))
    xs = [x, y][: text.count(",") + 1] if text != "...i,i" else [x, y[0]]
    if text == "i...,...":
        xs = [y, y[0]]
    np.testing.assert_allclose(
        np.einsum(text, *map(mg.Tensor, xs)).data, np.einsum(text, *xs), rtol=1e-12
    )


SAME = {
    "ij,jk->ik": (lambda a, b: a @ b, "ab", "bd"),
    "bij,bjk->bik": (lambda a, b: a @ b, "abd", "adf"),
    "tbx,xh->tbh": (lambda a, b: a @ b, "abd", "df"),
    "ij,kj->ik": (lambda a, b: a @ b.T, "ab", "fb"),
    "ji,jk->ik": (lambda a, b: a.T @ b, "ba", "bd"),
    "ij,j->i": (lambda a, b: a @ b, "ab", "b"),
    "i,ij->j": (lambda a, b: a @ b, "a", "ab"),
    "i,i->": (lambda a, b: a @ b, "b", "b"),
    "i,i": (lambda a, b: a @ b, "b", "b"),
    "bhqd,bhkd->bhqk": (lambda a, b: a @ mg.swapaxes(b), "abde", "abfe"),
    "ij,ij->ij": (lambda a, b: a * b, "ab", "ab"),
    "i,j->ij": (lambda a, b: mg.expand_dims(a, -1) * mg.expand_dims(b, 0), "a", "b"),
    "ij,i->ij": (lambda a, b: a * mg.expand_dims(b, -1), "ab", "a"),
    "ij->ji": (lambda a: mg.transpose(a), "ab"),
    "ij->i": (lambda a: mg.sum(a, 1), "ab"),
    "ii->i": (lambda a: mg.diagonal(a), "bb"),
}


@pytest.mark.parametrize("text", SAME)
def test_a_common_pattern_is_the_graph_that_a_person_writes(text):
    by_hand, *names = SAME[text]
    xs = [operand(n) for n in names]
    found = mg.trace(lambda *xs: mg.einsum(text, *xs), *xs)
    wanted = mg.trace(by_hand, *xs)
    assert [(n.op, n.inputs, n.attrs) for n in found.nodes] == [
        (n.op, n.inputs, n.attrs) for n in wanted.nodes
    ]


def test_a_graph_with_a_move_more_is_another():
    found = mg.trace(lambda a, b: mg.einsum("ij,kj->ki", a, b), operand("ab"), operand("fb"))
    assert [n.op for n in found.nodes][2:] == ["transpose", "matmul"]
    ops = [n.op for n in mg.trace(lambda a, b: mg.einsum("abd,abf->df", a, b),
                                  operand("abd"), operand("abf")).nodes]  # fmt: skip
    assert ops.count("matmul") == 1
    assert "sum" not in ops


@given(n=st.integers(0, 3), swap=st.booleans())
def test_relatives_are_numpys(n, swap):
    a, b = rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3))
    a, b = (b, a) if swap else (a, b)
    for f in (lambda a, b: np.tensordot(a, b, min(n, 2)), np.dot, np.inner, np.kron,
              lambda a, b: np.tensordot(a, b, ([0, -1], [1, 0])), lambda a, b: np.dot(a, b[0]),
              lambda a, b: np.dot(a, 2.0), lambda a, b: np.outer(a, b),
              lambda a, b: np.vdot(a[0], a[0]), lambda a, b: np.cross(a, b, axis=0) if
              a.ndim == b.ndim else np.cross(a, b)):  # fmt: skip
        np.testing.assert_allclose(f(mg.Tensor(a), mg.Tensor(b)).data, f(a, b), rtol=1e-12,
                                   atol=1e-13)  # fmt: skip


def test_what_does_not_fit_is_told():
    a, b = operand("ab"), operand("df")
    for call, told in (
        (lambda: mg.einsum("ij,jk", a, b), r"einsum: axis j is 3 and 4 \(shapes \(2, 3\) and"),
        (lambda: mg.einsum("ij", a, b), "is for 1 operands, got 2"),
        (lambda: mg.einsum("ijk", a), "'ijk' of 'ijk' does not fit 2 axes"),
        (lambda: mg.einsum("ij->k", a), "has names twice, or of no operand"),
        (lambda: mg.tensordot(a, b, ([0], [0, 1])), "are not pairs"),
        (lambda: mg.cross(a[:, :2], a[:, :2]), "vectors of 3 entries"),
    ):
        with pytest.raises(ValueError, match=told):
            call()
    with pytest.raises(TypeError, match="the names of axes come first"):
        mg.einsum(a, "ij")
