"""How parameters start; they are a dictionary whose entries are attributes, and nothing beside."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import rnn
from minigrad.habits import ATTRIBUTES
from rnn import params


def orthogonal(rows, columns, seed=0):
    init = rnn.orthogonal(rows, columns)
    return init.draw(np.random.default_rng(seed), init.shape)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (7, 3), (3, 7), (200, 512), (512, 512)])
def test_an_orthogonal_matrix_of_two_panels_is_that_of_one_qr(shape):
    """Seeds of the sizes that are in use give the bits that they always gave."""
    tall = np.random.default_rng(3).normal(size=(max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    wanted = q * np.sign(np.diag(r))
    wanted = wanted if shape[0] >= shape[1] else wanted.T
    np.testing.assert_array_equal(orthogonal(*shape, seed=3), wanted)


@pytest.mark.parametrize("shape", [(513, 513), (520, 600)])
def test_a_large_orthogonal_matrix_is_orthogonal(shape):
    q = orthogonal(*shape)
    q = q if shape[0] >= shape[1] else q.T
    np.testing.assert_allclose(q.T @ q, np.eye(min(shape)), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(orthogonal(*shape), orthogonal(*shape))


MOMENTS = {
    "trace": (lambda q: np.trace(q, axis1=1, axis2=2), 0),
    "trace²": (lambda q: np.trace(q, axis1=1, axis2=2) ** 2, 1),
    "trace of the square": (lambda q: np.trace(q @ q, axis1=1, axis2=2), 1),
    "first entry²": (lambda q: q[:, 0, 0] ** 2, 1 / 5),
    "last entry⁴": (lambda q: q[:, -1, -1] ** 4, 3 / (5 * 7)),
    "two rows and columns": (
        lambda q: q[:, 0, 0] * q[:, 4, 4] * q[:, 0, 4] * q[:, 4, 0], -1 / (4 * 5 * 7)),
    "a minor": (lambda q: (q[:, 1, 1] * q[:, 3, 4] - q[:, 1, 4] * q[:, 3, 1]) ** 2, 1 / 10),
}  # fmt: skip
"""Means over all orthogonal matrices of 5 rows (Collins and Śniady, 2006)."""


def unlikely(matrices):
    """The moments that differ from those over all orthogonal matrices by four deviations."""
    found = {}
    for name, (moment, wanted) in MOMENTS.items():
        values = moment(matrices)
        if abs(values.mean() - wanted) > 4 * values.std() / np.sqrt(len(values)):
            found[name] = values.mean()
    return found


@pytest.mark.parametrize("panel", [1, 256])
def test_no_orthogonal_matrix_is_likelier_than_another(panel, monkeypatch):
    monkeypatch.setattr(params, "PANEL", panel)
    rng, init = np.random.default_rng(0), rnn.orthogonal(5, 5)
    assert unlikely(np.stack([init.draw(rng, init.shape) for _ in range(6000)])) == {}


def test_matrices_whose_signs_are_left_to_the_qr_are_seen():
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6000, 5, 5)))
    assert "trace" in unlikely(q)


PARAMS = rnn.RNNCell(inputs=2, hidden=2).init(0)


def test_parameters_are_set_by_name():
    """An attribute beside the entry would be read by the cell, and trained by nobody."""
    p = copy.deepcopy(PARAMS)
    p.W_xh = p.W_xh * 0.0
    p.W_hh -= p.W_hh
    assert not p["W_xh"].any()
    assert not p["W_hh"].any()
    assert vars(p) == {}
    assert np.array_equal(p.W_xh, p["W_xh"])


def test_a_parameter_that_is_not_there_is_not_set():
    with pytest.raises(AttributeError, match="no parameter W_xx; there are: W_xh, W_hh, b_h"):
        copy.deepcopy(PARAMS).W_xx = 1.0


@pytest.mark.parametrize("name", ["zero_grad", "numpy", "parameters", "grad", "to"])
def test_parameters_say_how_it_is_done_here(name):
    with pytest.raises(AttributeError) as caught:
        getattr(PARAMS, name)
    assert (
        str(caught.value) == f"no parameter {name}; there are: W_xh, W_hh, b_h; {ATTRIBUTES[name]}"
    )
