"""The workbook gives the engine's numbers, also after a cell was changed."""

import re
import sys
import tempfile
from dataclasses import dataclass

import numpy as np
import openpyxl
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import minigrad as mg
import rnn
from rnn.bptt.chain import superscript
from rnn.testing.problem import problem
from tests.rnn.bptt.networks import Attention, given, loss_of, networks
from tests.viz.hostile import HOSTILE
from tests.viz.workbook.reading import CELL, SOFFICE, by_libreoffice, by_python, rows
from viz import workbook

CELLS = [
    rnn.RNNCell(2, 3, 2, recurrence=rnn.cells.RECURRENCES, output_activation="softplus"),
    rnn.LSTMCell(2, 3, peepholes=True),
    rnn.Stack([rnn.GRUCell(2, 3), rnn.Dense(3, 2, "relu")]),
    rnn.Bidirectional(rnn.GRUCell(2, 2, reset="before")),
    Attention(2, 2),
]


def written(q, path):
    workbook.write(path, *given(q), state=q.start)
    return openpyxl.load_workbook(path)


def agrees(values, q, params=None):
    """Every value of every step, its derivative, and all gradients are the engine's."""
    params, loss = params or q.params, loss_of(q)
    forward, backward = rows(values, "forward"), rows(values, "backward")

    def check(read, computed):
        np.testing.assert_allclose(read.reshape(computed.shape), computed, rtol=1e-9, atol=1e-12)

    found = rnn.bptt.totals(q.cell, params, q.xs, loss, q.start)
    check(forward["L"], np.array(found.loss))
    for name, d in found.derivatives.items():
        for t in range(1, q.steps + 1):
            check(forward[name + superscript(t)], d.values[t - 1])
            check(backward[f"dL/d{name}{superscript(t)}"], d.total[t - 1])
    by_all = mg.grad(lambda p, xs: loss(rnn.run(q.cell, p, xs, q.start)[0]), wrt=(0, 1))
    grads, by_x = by_all(params, q.xs)
    for name, g in rnn.Params(grads).named().items():
        check(backward[f"dL/d{name}"], g)
    for t, g in enumerate(by_x, 1):
        check(backward[f"dL/dx{superscript(t)}"], g)


def change(sheet, name, number):
    """Another number in the first cell of the rows with this name."""
    for row in sheet.iter_rows(min_row=4):
        if row[0].value.partition(",")[0] == name:
            row[2].value = number
            return
    raise LookupError(name)


def with_first(params, name, number):
    """Parameters with another number in the first place of one of them."""
    leaves = {path: np.array(w) for path, w in rnn.Params(params).named().items()}
    leaves[name].reshape(-1)[0] = number
    left = iter(leaves.values())
    return mg.tree_map(lambda _: next(left), params)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_formulas_give_what_the_engine_gives_also_for_a_changed_weight(cell, tmp_path):
    q = problem(cell, 3, 2, 0)
    book = written(q, tmp_path / "x.xlsx")
    agrees(by_python(book), q)
    name = next(iter(rnn.Params(q.params).named()))
    change(book["forward"], name, 0.7)
    agrees(by_python(book), q, with_first(q.params, name, 0.7))


@settings(max_examples=10)
@drawn(networks(most=3))
def test_any_network_makes_a_workbook(q):
    with tempfile.TemporaryDirectory() as folder:
        agrees(by_python(written(q, f"{folder}/x.xlsx")), q)


def test_a_wrong_number_is_seen(tmp_path):
    q = problem(CELLS[1], 3, 1, 0)
    book = written(q, tmp_path / "x.xlsx")
    change(book["forward"], "W_hf", 0.7)
    with pytest.raises(AssertionError):
        agrees(by_python(book), q)


@pytest.mark.skipif(SOFFICE is None, reason="needs LibreOffice")
def test_libreoffice_computes_what_the_engine_computes_also_for_a_changed_weight(tmp_path):
    problems = [problem(cell, 4, 2, 1) for cell in CELLS]
    changed = []
    paths = [tmp_path / f"{n}.xlsx" for n in range(2 * len(CELLS))]
    for n, q in enumerate(problems):
        book = written(q, paths[n])
        name = list(rnn.Params(q.params).named())[-1]
        change(book["forward"], name, -0.4)
        book.save(paths[len(CELLS) + n])
        changed.append(with_first(q.params, name, -0.4))
    values = by_libreoffice(paths, tmp_path)
    for q, params, before, after in zip(
        problems, changed, values[: len(CELLS)], values[len(CELLS) :], strict=True
    ):
        agrees(before, q)
        agrees(after, q, params)


def test_classes_are_read_and_not_changed(tmp_path):
    cell = rnn.Stack([rnn.RNNCell(3, 2), rnn.Dense(2, 3)])
    xs, params = np.array([[2], [0], [1]]), cell.init(0)
    loss = lambda ys: rnn.cross_entropy(ys, np.array([[0], [1], [2]]))
    path = workbook.write(tmp_path / "x.xlsx", cell, params, xs, loss)
    values = by_python(openpyxl.load_workbook(path))
    assert not any(name.startswith("x") for name in rows(values, "forward"))
    grads = mg.grad(lambda p: loss(rnn.run(cell, p, xs)[0]))(params)
    found = rows(values, "backward")["dL/dlayer1.W_xh"]
    np.testing.assert_allclose(found, grads["layer1"]["W_xh"], rtol=1e-9)


@dataclass(frozen=True)
class Named(rnn.Cell):
    """A cell whose names are what somebody chose."""

    text: str
    inputs: int = 1
    state = ("h",)

    def size(self, name):
        return 1

    def parameters(self):
        return {self.text: rnn.glorot(1, 1)}

    def step(self, p, x, h):
        h = mg.named(f"{self.text}!", mg.tanh(x * p[self.text] + h))
        return h, h


FORMULA_LIKE = ("=1+1", "=cmd|'/C calc'!A1", "+1", "-1", "@SUM(A1)", "#N/A", "TRUE", "\t=1", "{=1}")


@settings(max_examples=20)
@drawn(st.sampled_from(FORMULA_LIKE) | HOSTILE.filter(lambda text: text and "." not in text))
def test_names_stay_text(text):
    cell = Named(text)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.xlsx"
        workbook.write(path, cell, cell.init(0), np.ones((2, 1, 1)), lambda ys: mg.sum(ys))
        book = openpyxl.load_workbook(path)
    for sheet in book:
        for row in sheet.iter_rows(min_row=4):
            for cell in row[:2]:
                assert cell.data_type == "s" or not cell.value
                assert cell.quotePrefix or not cell.value
            for cell in row[2:]:
                if cell.data_type == "f":
                    assert set(CELL.sub("", cell.value)) <= set("=+-*/(),.0123456789TANHE")


def test_a_sum_too_long_for_a_formula_is_divided(tmp_path):
    q = problem(rnn.RNNCell(1, 1), 1, 500, 0)  # L and the gradients are sums over samples
    book = written(q, tmp_path / "x.xlsx")
    lengths = [len(str(cell.value)) for sheet in book for row in sheet.iter_rows() for cell in row]
    assert 1000 < max(lengths) <= 8192  # what Excel takes
    agrees(by_python(book), q)


def test_no_formula_is_nested_deeper_than_a_spreadsheet_takes(tmp_path):
    """The greatest of a hundred logits is MAX(MAX(…)); Excel takes 64 levels."""
    net, xs = rnn.Dense(1, 100), np.ones((1, 1, 1))
    loss = lambda ys: rnn.cross_entropy(ys, np.array([[3]]))
    path = workbook.write(tmp_path / "x.xlsx", net, net.init(0), xs, loss)
    deepest = 0
    for cell in (cell for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row):
        if cell.data_type == "f":
            signs = np.array([(c == "(") - (c == ")") for c in cell.value])
            deepest = max(deepest, signs.cumsum().max())
    assert 10 < deepest <= 64


@pytest.mark.parametrize(
    ("about", "error", "told"),
    [
        ({"path": "x.xls"}, ValueError, "ends in .xlsx, got 'x.xls'"),
        ({"xs": np.full((2, 1, 2), np.nan)}, ValueError, "x⁽¹⁾ holds nan"),
        ({"xs": np.ones((0, 1, 2))}, ValueError, "without a step"),
        (
            {"xs": np.ones((9, 1, 2))},
            ValueError,
            "formulas are too many to read (limit 1,000)",
        ),
        ({"xs": np.ones((10_000, 1, 2))}, ValueError, "800,000 formulas are too many to read"),
        ({"path": "no/such/folder/x.xlsx"}, OSError, "no/such/folder"),
    ],
)
def test_what_makes_no_workbook_is_told(about, error, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("viz.workbook.book.CELLS", 1000)
    cell = rnn.LSTMCell(2, 4)
    given = {"path": "x.xlsx", "xs": np.ones((2, 1, 2)), **about}
    with pytest.raises(error, match=re.escape(told)):
        workbook.write(cell=cell, params=cell.init(0), loss=lambda ys: mg.sum(ys), **given)
    assert not list(tmp_path.iterdir())


def test_without_openpyxl_it_is_told_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    cell = rnn.RNNCell(1, 1)
    with pytest.raises(ImportError, match=r"a workbook needs openpyxl: pip install.*\[study\]"):
        workbook.write(tmp_path / "x.xlsx", cell, cell.init(0), np.ones((1, 1, 1)), mg.sum)


def test_the_same_network_makes_the_same_formulas(tmp_path):
    q = problem(CELLS[2], 2, 1, 0)
    one, two = written(q, tmp_path / "a.xlsx"), written(q, tmp_path / "b.xlsx")
    for a, b in zip(one, two, strict=True):
        assert [*a.values] == [*b.values]
