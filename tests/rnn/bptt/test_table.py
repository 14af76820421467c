"""Results print, stand in a notebook, and draw."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

import rnn
from rnn.bptt.table import Table
from tests.rnn.bptt.networks import Attention, given


def results(cell=None):
    q = rnn.testing.problem(cell or rnn.LSTMCell(3, 4), 30, 1, 0)
    cell, params, xs, loss = given(q)
    b = rnn.bptt
    return [
        b.totals(cell, params, xs, loss),
        b.ledger(cell, params, xs, loss),
        b.ledger(cell, params, xs, loss, of=next(iter(params))),
        b.ladder(cell, params, xs),
        b.split(cell, params, xs),
        b.truncation(cell, params, xs, loss),
        b.truncated(cell, params, xs, loss, 3, 5),
        b.flow(cell, params, xs, loss),
        b.totals(cell, params, xs, loss)["h"],
        b.ledger(cell, params, xs, loss)[next(iter(params))],
        b.rtrl(cell, params, xs, loss),
        b.stages(cell, params, xs),
        b.why(cell, params, xs, loss),
        b.walk(cell, params, xs[:2], loss_of_two),
        b.paths(cell, params, xs, None, ("h", 1), ("h", 2)),
    ]


def loss_of_two(ys):
    return (ys * ys).sum()


@pytest.mark.parametrize("cell", [None, Attention(3, 2)], ids=str)
def test_every_result_prints_within_a_hundred_columns_and_has_html(cell):
    for result in results(cell):
        lines = str(result).splitlines()
        assert max(map(len, lines)) <= 100, type(result)
        assert len(lines) < 40
        html = result._repr_html_()
        assert html.startswith("<table>")
        assert "<caption>" in html


def test_every_result_is_frozen_and_names_the_axes_of_what_it_has():
    for result in results():
        field = dataclasses.fields(result)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(result, field, "other")
        for name, axes in result.axes.items():
            array = getattr(result, name, None)
            if isinstance(array, np.ndarray):
                assert array.ndim == len(axes), (type(result), name)


def test_hostile_names_are_text_in_html():
    table = Table("<b>", ("<script>",), (("<i>&",),), ("<u>",))
    assert "<script>" not in table.html()
    assert "&lt;i&gt;&amp;" in table.html()


def test_words_that_begin_with_a_digit_stand_on_the_left():
    table = Table("t", ("from", "to", "share"), (("1 − z", 0.5, "8 of 12"), ("h", 12, "12 of 12")))
    assert str(table).split("\n")[1:] == ["from    to     share", "1 − z  0.5   8 of 12",
                                          "h       12  12 of 12"]  # fmt: skip


def test_long_tables_keep_their_first_and_last_rows():
    text = str(Table("n", ("n",), tuple((k,) for k in range(100))))
    assert text.splitlines()[2].strip() == "0"
    assert text.splitlines()[-1].strip() == "99"
    assert "…" in text


def test_results_draw_themselves():
    for result in results():
        figure = result.plot()
        assert figure.axes
        figure.canvas.draw()  # what cannot be laid out is an error only here


def test_what_goes_wrong_is_drawn():
    q = rnn.testing.problem(rnn.RNNCell(3, 4), 3, 1, 0)
    found = rnn.bptt.why(q.cell, q.params, 1e3 * q.xs, loss_of_two)
    assert found.events
    (axes,) = found.plot().axes
    assert axes.get_yticklabels()[0].get_text() == "forward: flat"


def test_numbers_stand_on_the_right_and_formulas_that_begin_with_one_on_the_left():
    lines = str(Table("", ("a", "b"), (("0.5 × m", 1.0), ("m", "‖20‖")))).splitlines()
    assert lines[2:] == ["0.5 × m     1", "m        ‖20‖"]


def test_a_percent_sign_stays_beside_its_number():
    lines = str(Table("t", ("n",), (), (f"{'x' * 97} 1 % of it",))).splitlines()
    assert lines == ["t", "x" * 97, "1 % of it"]


def test_two_names_of_one_value_are_one_column():
    q = rnn.testing.problem(Attention(3, 2), 3, 1, 0)
    assert rnn.bptt.stages(q.cell, q.params, q.xs).table().rows[3][:2] == (1, "m")
    assert rnn.bptt.totals(q.cell, q.params, q.xs, loss_of_two).table().header[4] == "dL/dm"


def test_without_matplotlib_a_picture_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"Totals\.plot\(\) needs matplotlib: pip install -e"):
        results()[0].plot()


def test_a_sequence_without_a_step_is_refused():
    q = rnn.testing.problem(rnn.LSTMCell(3, 4), 0, 1, 0)
    for study in (rnn.bptt.totals, rnn.bptt.ledger, rnn.bptt.walk, rnn.bptt.why, rnn.bptt.rtrl):
        with pytest.raises(ValueError, match="without a step there is nothing to study"):
            study(q.cell, q.params, q.xs, loss_of_two)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_study_keeps_the_precision_of_the_parameters(dtype):
    q = rnn.testing.problem(Attention(3, 2), 4, 1, 0)
    params, xs = q.params.astype(dtype), q.xs.astype(dtype)
    assert rnn.bptt.totals(q.cell, params, xs, loss_of_two)["h"].total.dtype == dtype
    assert rnn.bptt.ledger(q.cell, params, xs, loss_of_two)["b"].norms.dtype == dtype
    assert rnn.bptt.ladder(q.cell, params, xs).jacobians.dtype == dtype


def test_tensors_are_studied_like_arrays():
    q = rnn.testing.problem(rnn.GRUCell(3, 2), 3, 1, 0)
    tensors = q.params.tensors()
    for study in (rnn.bptt.totals, rnn.bptt.ledger, rnn.bptt.walk, rnn.bptt.truncation):
        wanted = str(study(q.cell, q.params, q.xs, loss_of_two))
        assert str(study(q.cell, tensors, q.xs, loss_of_two)) == wanted
    assert all(w.grad is None for w in tensors.named().values())
