"""Arrays of symbols are arrays; what decides by a value is told, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.engines.scalars.instructions import Book
from minigrad.engines.scalars.symbols import MADE, WRITTEN, Symbols, lines_of, read, symbols


def made(*shape: int) -> tuple[Book, Symbols]:
    book = Book()
    lines = np.array([book.given() for _ in range(int(np.prod(shape)))], int)
    return book, read(book, lines.reshape(shape))


def test_what_moves_numbers_writes_nothing():
    book, x = made(2, 3)
    y = np.concatenate([x.T[::-1], np.broadcast_to(x[:1].reshape(3, 1), (3, 2))], axis=0)
    assert lines_of(y[:2]).tolist() == [[2, 5], [1, 4]]
    assert len(book.lines) == 6


@pytest.mark.parametrize("ufunc", WRITTEN, ids=lambda u: u.__name__)
def test_a_function_of_single_numbers_is_an_instruction(ufunc):
    book, x = made(2)
    y = ufunc(x) if ufunc.nin == 1 else ufunc(x, x[::-1])
    line = book.lines[lines_of(y)[0]]
    assert line.op == WRITTEN[ufunc]
    assert line.operands == {1: (0,), 2: (0, 1)}[ufunc.nin]


PAIRS = np.array(np.meshgrid([-7.5, -1e-20, -0.0, 0.5, 1.0, 2.5, np.nan],
                             [-3.0, -0.1, 0.1, 1.0, np.inf])).reshape(2, -1)  # fmt: skip


@pytest.mark.parametrize("ufunc", MADE, ids=lambda u: u.__name__)
def test_what_is_made_of_a_few_instructions_is_what_numpy_computes(ufunc):
    """Between halves, beside multiples, for all signs; instructions on constants are done."""
    given = PAIRS[: ufunc.nin]
    book = Book()
    with np.errstate(all="ignore"):
        wanted, found = ufunc(*given), ufunc(*(symbols(book, x) for x in given))
    np.testing.assert_allclose([book.value(k) for k in lines_of(found)], wanted, rtol=1e-15)


def test_a_decision_by_a_value_in_python_is_refused():
    _, x = made(1)
    with pytest.raises(TypeError, match="decides by the value"):
        bool(x[0])
    with pytest.raises(TypeError, match="decides by the value"):
        x.tolist()[0].__float__()


def test_an_empty_array_knows_its_book():
    book, _ = made(0)
    empty = symbols(book, np.empty((2, 0)))
    assert np.add.reduce(empty.T[:], 0).book is book
