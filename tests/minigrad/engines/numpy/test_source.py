"""A list written down: one name for one value, numbered as they appear."""

from __future__ import annotations

import re

import numpy as np

import rnn
from minigrad.engines.numpy.buffers import Buffers
from minigrad.engines.numpy.instructions import Call, Constant, Copy, Given, Listing, Loop
from minigrad.engines.numpy.program import Program
from minigrad.engines.numpy.source import Source, Variables
from minigrad.lower.passes import LATE


def test_names_are_numbered_in_the_order_of_appearance():
    source = Program(rnn.LSTMCell(3, 4).folded(2), 5, LATE).source
    numbers = re.findall(r"\b(?!v)[a-z]+_(\d+)\b", source)
    assert list(dict.fromkeys(map(int, numbers))) == list(range(len(set(numbers))))


def test_equal_views_have_one_name_whatever_they_are_called():
    """One array for one place: a step reads half as many, which was 4 % of a small one's time."""
    buffers = Buffers()
    array = buffers.new((3, 2), float)
    one, other, part = (buffers.place(x, "xyz"[k]) for k, x in enumerate((array, array, array[1:])))
    body = (Copy(one, other), Copy(part, other))
    source = Source(Listing((), (), body, (part,), quiet=False), buffers)
    assert list(source.names) == ["y_0", "z_1"]


def test_two_views_of_one_label_are_two_variables():
    buffers = Buffers()
    array = buffers.new((3, 2), float)
    rows = Variables(buffers, 3, by_step=True)
    one, other = (buffers.place(array[0, k:], "v", 16) for k in (0, 1))
    assert [rows.of(x) for x in (one, other, one, other)] == ["v", "v_", "v", "v_"]
    assert rows.pattern() == "(v, v_,)"


def test_a_list_by_hand_can_be_run():
    """h ← h + x, step by step against the order of time, after one copy for each chunk."""
    buffers = Buffers()
    array, out = buffers.new((5, 2), float), buffers.new((2,), float)
    x, h = buffers.place(array[0], "x", 16), buffers.place(out, "h")
    loop = Loop(5, 2, -1, (Copy(Given("given", True), x),), (Call("add", np.add, (h, x), h),))
    listing = Listing(("given",), (), (Copy(Constant(0, "zero"), h), loop), (h,), quiet=False)
    source = Source(listing, buffers)
    (found,) = source.compiled()(np.arange(10.0).reshape(5, 2))
    np.testing.assert_array_equal(found, [20.0, 25.0])
    assert source.results[0] is found
