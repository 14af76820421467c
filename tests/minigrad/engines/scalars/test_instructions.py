"""Lines are written once, constants are worked out, and what changes nothing is left out."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.engines.scalars.instructions import MEANING, Book


def test_the_same_line_is_not_written_again():
    book = Book()
    x = book.given()
    assert book.write("tanh", [x]) == book.write("tanh", [x])
    assert book.given() != x, "what comes from outside may differ"


@pytest.mark.parametrize("op", MEANING)
def test_an_operation_on_constants_is_done_at_once(op):
    book, numbers = Book(), [0.25, 0.75, 2.0][: {"select": 3}.get(op, 2)]
    with np.errstate(invalid="ignore"):  # acosh of a quarter
        try:
            wanted = MEANING[op](*numbers)
        except (TypeError, ValueError):  # of one operand; NumPy takes the second for a place
            numbers = numbers[:1]
            wanted = MEANING[op](*numbers)
    k = book.write(op, [book.constant(x) for x in numbers])
    assert book.value(k) == pytest.approx(wanted, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize(
    ("op", "operands"),
    [("+", "x0"), ("+", "0x"), ("−", "x0"), ("×", "x1"), ("×", "1x"), ("÷", "x1"), ("^", "x1"),
     ("select", "1xy"), ("select", "0yx")],
)  # fmt: skip
def test_what_changes_nothing_is_no_line(op, operands):
    book = Book()
    lines = {"x": book.given(), "y": book.given(), "0": book.constant(0), "1": book.constant(1)}
    assert book.write(op, [lines[c] for c in operands]) == lines["x"]


@pytest.mark.parametrize(("op", "operands"), [("−", "0x"), ("÷", "1x"), ("^", "1x"), ("×", "0x")])
def test_what_changes_something_is_a_line(op, operands):
    """0 × x is not 0 where x is ∞ or no number."""
    book = Book()
    lines = {"x": book.given(), "0": book.constant(0), "1": book.constant(1)}
    assert book.lines[book.write(op, [lines[c] for c in operands])].op == op


def test_minus_zero_is_a_constant_of_its_own():
    book = Book()
    assert book.constant(0.0) != book.constant(-0.0)
    assert book.constant(np.nan) == book.constant(np.nan)
