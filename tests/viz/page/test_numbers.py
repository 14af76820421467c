"""The numbers of a page are those of `rnn.bptt`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import rnn
from tests.viz.page.studies import CELLS, given
from viz.page.numbers import study


@pytest.mark.parametrize("cell", [rnn.LSTMCell(2, 3), CELLS[3]], ids=lambda cell: cell.label)
def test_the_ladder_is_that_of_rnn_bptt(cell):
    """Here by products of one-step Jacobians, there by one adjoint run from each step."""
    found = study(*given(cell))
    for t in range(1, 6):
        wanted = rnn.bptt.ladder(*given(cell)[:3], of=found.state, to=t).jacobians
        norms = np.linalg.norm(wanted, axis=(1, 2)) / np.sqrt(wanted.shape[1])
        np.testing.assert_allclose(found.ladder[t - 1], norms, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.label)
def test_the_island_is_json_of_what_was_found(cell):
    found = study(*given(cell))
    island = json.loads(json.dumps(found.island(), allow_nan=False))
    wanted = rnn.bptt.totals(*given(cell))
    for k, name in enumerate(island["names"]):
        for kind in ("total", "immediate"):
            np.testing.assert_allclose(
                island[kind][k], getattr(wanted[name], kind)[:, 0], rtol=1e-6, atol=1e-12
            )
    shares = rnn.bptt.ledger(*given(cell))
    for name, table in zip(island["params"], island["ledger"], strict=True):
        np.testing.assert_allclose(table, shares[name].shares, rtol=1e-6, atol=1e-9)


def test_messages_of_the_island_add_up_to_its_totals():
    island = study(*given(rnn.LSTMCell(2, 3))).island()
    sums = np.zeros(np.shape(island["total"]))
    sums[island["heard"]] += island["seeds"]
    for (value, _, _), parts in zip(island["edges"], island["messages"], strict=True):
        sums[value] += parts
    np.testing.assert_allclose(sums, island["total"], rtol=1e-5, atol=1e-8)


def test_every_named_value_of_a_cell_has_its_formula():
    found = study(*given(rnn.LSTMCell(2, 3)))
    assert list(found.formulas) == list(found.names)
    assert "tanh(<i>C</i>" in found.formulas["h"]


def test_what_is_no_number_is_null():
    cell, params, xs, loss = given(rnn.RNNCell(1, 1))
    xs[2] = np.nan
    with np.errstate(all="ignore"):
        island = study(cell, params, xs, loss).island()
    assert island["values"][0][2] == [None]
    json.dumps(island, allow_nan=False)
