"""Folded graphs are told apart by their programs, and not by names."""

from __future__ import annotations

from dataclasses import replace

import pytest

import rnn
from minigrad.folded import (
    STATIC,
    SUM,
    same_folded,
)
from tests.minigrad.cells import CELLS, FOLDED


def test_equal_cells_fold_equal_and_names_do_not_count():
    a, b = rnn.LSTMCell(2, 3).folded(2), rnn.LSTMCell(2, 3, forget_bias=5.0).folded(2)
    assert same_folded(a, b)
    renamed = tuple(replace(r, name="other") for r in a.recurrences)
    assert same_folded(a, replace(a, recurrences=renamed))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: replace(f, recurrences=(replace(f.recurrences[0], delay=2), f.recurrences[1])),
        lambda f: replace(f, recurrences=(replace(f.recurrences[0], output=2),
                                          replace(f.recurrences[1], output=1))),
        lambda f: replace(f, outputs=(SUM, *f.outputs[1:])),
        lambda f: rnn.LSTMCell(2, 3, peepholes=True).folded(2),
        lambda f: rnn.LSTMCell(2, 3).folded(3),
    ],
    ids=["delay", "crossed edges", "role", "step", "batch"],
)  # fmt: skip
def test_folded_graphs_that_differ_are_not_the_same(change):
    folded = FOLDED["LSTM"]
    assert not same_folded(folded, change(folded))


@pytest.mark.parametrize("name", CELLS)
def test_the_text_of_a_folded_graph_names_roles_edges_and_is_repeatable(name):
    folded, again = CELLS[name].folded(1), FOLDED[name]
    assert folded.text() == CELLS[name].folded(1).text()
    assert again.text().count("static ") == len(again.with_role(STATIC))
    for r in folded.recurrences:
        assert f"# {r.name}" in folded.text()
