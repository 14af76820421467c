"""Views of buffers are told as data, and found again from it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minigrad.engines.numpy.buffers import Buffers, empty
from minigrad.engines.numpy.instructions import Constant


@given(shape=st.lists(st.integers(0, 4), max_size=3), dtype=st.sampled_from(["f4", "f8", "?"]))
def test_buffers_begin_at_a_line_of_the_cache(shape, dtype):
    array = empty(shape, dtype)
    assert (array.shape, array.dtype) == (tuple(shape), np.dtype(dtype))
    assert array.ctypes.data % 64 == 0 or not array.size
    assert array.flags.c_contiguous


def test_buffers_are_counted():
    buffers = Buffers()
    made = [buffers.new((3, 2), np.float64), buffers.new((5,), np.float32)]
    assert buffers.nbytes == sum(x.nbytes for x in made) == 68


POSITIONS = st.lists(st.slices(5), min_size=1, max_size=3).map(tuple)


@given(at=POSITIONS, axes=st.permutations(range(3)))
def test_a_view_is_found_again_from_its_offset_and_strides(at, axes):
    buffers = Buffers()
    buffers.new((3,), np.float32)
    array = buffers.new((5, 4, 3), np.float64)
    array[...] = np.arange(60.0).reshape(5, 4, 3)
    seen = array.transpose(axes)[at]
    found = buffers.array(buffers.place(seen, "x"))
    np.testing.assert_array_equal(found, seen)
    found[...] = -1.0
    assert (seen == -1.0).all()


@given(turn=st.integers(0, 1))
def test_a_view_that_moves_has_a_place_at_every_step(turn):
    buffers = Buffers()
    array = buffers.new((7, 2), np.float64)
    array[...] = np.arange(14.0).reshape(7, 2)
    view = buffers.place(array[0, 1:], "x", 16)
    np.testing.assert_array_equal(buffers.array(view, 7), array[:, 1:])
    ring = buffers.place(array[0], "x", 16, 2, turn)
    np.testing.assert_array_equal(buffers.array(ring, 2), array[:2])


def test_what_is_in_no_buffer_is_a_constant():
    assert isinstance(Buffers().view(np.arange(3.0), "x"), Constant)
