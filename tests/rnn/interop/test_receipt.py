"""A receipt prints as a table whose columns stand below each other."""

from __future__ import annotations

import numpy as np

import rnn
from rnn.interop.receipt import Imported, Listed, Named, Receipt, Row

RECEIPT = Receipt(
    "A → B", (Row("W", (2, 3), "weight[0:3]", "transposed"), Row("b_hn", (3,), "bias", "")), ("so",)
)


def test_it_prints_its_title_a_row_for_each_parameter_and_its_notes():
    assert str(RECEIPT).splitlines() == [
        "A → B",
        "here  shape   there",
        "W     (2, 3)  weight[0:3]  transposed",
        "b_hn  (3,)    bias",
        "· so",
    ]
    assert repr(RECEIPT) == str(RECEIPT)


def test_what_is_imported_is_taken_apart_into_cell_and_parameters():
    cell = rnn.Dense(2, 3)
    found = Imported(cell, cell.init(0), RECEIPT)
    again, params = found
    assert (again, list(params)) == (cell, ["W", "b"])
    assert repr(found) == str(RECEIPT)


def test_arrays_for_others_carry_their_receipt(tmp_path):
    named = Named({"a": np.ones(2)}, RECEIPT)
    named.save(tmp_path / "a.safetensors")
    assert (tmp_path / "a.safetensors").stat().st_size > 16
    assert (list(named), named.receipt) == (["a"], RECEIPT)
    assert (len(Listed([1, 2], RECEIPT)), Listed([], RECEIPT).receipt) == (2, RECEIPT)
