"""The order of rows, and what stands in one of its own."""

import re

import numpy as np

import minigrad as mg
import rnn
from rnn.bptt.recorded import recorded
from tests.rnn.test_edge import Declared
from viz.workbook.rows import BACKWARD, FORWARD, laid_out


def rows(cell, steps, classes=False):
    xs = np.zeros((steps, 1), int) if classes else np.ones((steps, 1, cell.inputs))
    loss = lambda ys: mg.sum(mg.sin(ys))
    return laid_out(recorded(cell, cell.init(0), xs, loss), loss)


def labels(found, sheet):
    return [row.label for row in found.rows if row.sheet == sheet and row.label]


def test_a_step_follows_the_other_forward_and_backward():
    found = rows(rnn.RNNCell(1, 1), 2)
    assert labels(found, FORWARD) == [
        "W_xh", "W_hh", "b_h", "h⁽⁰⁾", "x⁽¹⁾", "x⁽²⁾", "z_h⁽¹⁾", "h⁽¹⁾", "z_h⁽²⁾", "h⁽²⁾", "L",
    ]  # fmt: skip
    assert labels(found, BACKWARD) == [
        "dL/dh⁽²⁾", "dL/dz_h⁽²⁾", "dL/dh⁽¹⁾", "dL/dz_h⁽¹⁾", "dL/dx⁽¹⁾", "dL/dx⁽²⁾", "dL/dh⁽⁰⁾",
        "dL/dW_xh", "dL/dW_hh", "dL/db_h",
    ]  # fmt: skip


def test_total_is_written_as_immediate_and_what_comes_from_the_next_step():
    found = rows(rnn.RNNCell(1, 2), 2)
    (row,) = (row for row in found.rows if row.label == "dL/dh⁽¹⁾")
    assert row.about == "cos(h⁽¹⁾) + dL/dz_h⁽²⁾ × W_hh"


def test_start_values_have_the_steps_that_they_stand_for():
    found = labels(rows(rnn.Bidirectional(rnn.RNNCell(1, 1)), 3, classes=False), FORWARD)
    assert {"forward.h⁽⁰⁾", "backward.h⁽⁴⁾"} <= {*found}
    found = rows(Declared(1, 1, (1, 3)), 2)
    for sheet, of in ((FORWARD, "h"), (BACKWARD, "dL/dh")):
        starts = [name for name in labels(found, sheet) if re.fullmatch(f"{of}⁽(⁰|⁻.)⁾", name)]
        assert starts == [f"{of}⁽⁻²⁾", f"{of}⁽⁻¹⁾", f"{of}⁽⁰⁾"]


def test_what_is_read_twice_stands_once_above_its_first_reader():
    found = rows(rnn.LSTMCell(1, 2), 1)
    names = [row.label or row.about for row in found.rows if row.sheet == FORWARD]
    assert names.count("tanh(C⁽¹⁾)") == 1
    assert names.index("tanh(C⁽¹⁾)") < names.index("h⁽¹⁾")


def test_what_has_no_name_is_told_in_short_where_it_is_read():
    """x = x + sin x, sixty times: written out it would have 2⁶⁰ letters."""

    def loss(ys):
        for _ in range(60):
            ys = ys + mg.sin(ys)
        return mg.sum(ys)

    cell = rnn.RNNCell(1, 1)
    found = laid_out(recorded(cell, cell.init(0), np.ones((1, 1, 1)), loss), loss)
    assert max(len(row.about) for row in found.rows) < 20_000


def test_every_line_that_a_row_reads_has_a_cell_or_is_read_there_alone():
    found = rows(rnn.GRUCell(2, 3), 3)
    cells = {k for row in found.rows for k in row.lines}
    uses = [0] * len(found.lines)
    work, seen = [*cells], set()
    while work:
        k = work.pop()
        if k in seen:
            continue
        seen.add(k)
        for i in found.lines[k].operands:
            uses[i] += 1
            work.append(i)
    alone = {k for k in seen - cells if found.lines[k].op != "constant"}
    assert alone
    assert all(uses[k] == 1 for k in alone)
