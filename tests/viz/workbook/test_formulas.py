"""Each instruction as a formula, computed by Python and by LibreOffice."""

import numpy as np
import openpyxl
import pytest

from minigrad.engines.scalars import MEANING, Instruction
from tests.viz.workbook.reading import FUNCTIONS, SOFFICE, by_libreoffice, by_python
from viz.workbook.formulas import ATOM, FORMULAS, PRODUCT, SUM, formula, words

NUMBERS = (-2.5, -1.0, -0.5, -1e-9, 0.0, 1e-12, 0.25, 0.5, 1.0, 3.0, 40.0)
FIRST, SECOND, THIRD = (Instruction("input") for _ in range(3))


def book():
    """A sheet with a row for each instruction and numbers: the formula beside what it means."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "forward"
    with np.errstate(all="ignore"):
        for op, meaning in MEANING.items():
            count = len(FORMULAS[op][2])
            line = Instruction(op, tuple(range(count)))
            for x in NUMBERS:
                given = (x, 0.75, -1.5)[:count]
                wanted = float(meaning(*map(np.float64, given)))
                if not np.isfinite(wanted):
                    continue
                row = sheet.max_row + 1
                for column, number in zip("ABC", given, strict=False):
                    sheet[f"{column}{row}"] = number
                refer = {k: f"{'ABC'[k]}{row}" for k in range(count)}
                sheet[f"D{row}"] = formula([FIRST, SECOND, THIRD, line], 3, refer)
                sheet[f"E{row}"] = wanted
                sheet[f"F{row}"] = op
    return made


def check(values):
    """Formula and meaning are the same number; returns for how many instructions."""
    found = set()
    for (sheet, cell), wanted in values.items():
        if cell[0] == "E" and wanted is not None:
            op, got = values[sheet, f"F{cell[1:]}"], values[sheet, f"D{cell[1:]}"]
            np.testing.assert_allclose(got, wanted, rtol=1e-13, err_msg=f"{op} {cell}")
            found.add(op)
    return found


def test_every_instruction_has_a_formula_that_means_it():
    assert check(by_python(book())) == {*MEANING} == {*FORMULAS}


@pytest.mark.skipif(SOFFICE is None, reason="needs LibreOffice")
def test_libreoffice_means_the_same(tmp_path):
    book().save(tmp_path / "all.xlsx")
    (values,) = by_libreoffice([tmp_path / "all.xlsx"], tmp_path)
    assert check(values) == {*MEANING}


def test_a_formula_that_means_something_else_is_seen(monkeypatch):
    monkeypatch.setitem(FUNCTIONS, "SIN", np.tanh)
    with pytest.raises(AssertionError, match="sin"):
        check(by_python(book()))


@pytest.mark.parametrize(
    ("ops", "shown", "said"),
    [
        ("−−", "=A1-(A1-B1)", "a − (a − b)"),
        ("+×", "=A1*(A1+B1)", "a × (a + b)"),
        ("×+", "=A1+A1*B1", "a + a × b"),
        ("÷÷", "=A1/(A1/B1)", "a ÷ (a ÷ b)"),
        ("−^", "=POWER(A1,A1-B1)", "a^(a − b)"),
    ],
)
def test_brackets_stand_where_they_are_needed(ops, shown, said):
    inner, outer = ops
    lines = [FIRST, SECOND, Instruction(inner, (0, 1)), Instruction(outer, (0, 2))]
    assert formula(lines, 3, {0: "A1", 1: "B1"}) == shown
    assert words(lines, 3, {0: ("a", ATOM), 1: ("b", ATOM)})[0] == said
    assert SUM < PRODUCT < ATOM


def test_sums_of_entries_are_told_once_and_sums_of_the_same_twice():
    names = {0: ("x", ATOM), 1: ("x", ATOM)}
    assert words([FIRST, SECOND, Instruction("+", (0, 1))], 2, names)[0] == "x"
    assert words([FIRST, SECOND, Instruction("+", (0, 0))], 2, names)[0] == "x + x"


def test_a_sum_of_many_needs_no_recursion():
    lines = [FIRST, *[Instruction("+", (k, 0)) for k in range(20_000)]]
    assert formula(lines, 20_000, {0: "A1"}).count("+") == 20_000
