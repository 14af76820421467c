"""Buffers: the memory of a program, and how views of it are told as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.captured import Same
from minigrad.core import Array
from minigrad.engines.numpy.instructions import Constant, View


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """An array on a 64-byte boundary, where vector instructions are fastest."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array: Array = raw[start : start + size].view(dtype).reshape(tuple(shape))
    return array


class Buffers:
    """What gives a program, and the loops in it, their arrays.

    Attributes:
        nbytes: the size of all it gave.
        memory: all buffers by number, each an array without gaps.
    """

    def __init__(self) -> None:
        self.nbytes = 0
        self.memory: list[Array] = []
        self._numbers: dict[Same, tuple[int, int]] = {}

    def new(self, shape: Sequence[int], dtype: Any) -> Array:
        """A buffer, counted."""
        array = empty(shape, dtype)
        self._numbers[Same(array.base)] = len(self.memory), array.ctypes.data
        self.memory.append(array)
        self.nbytes += array.nbytes
        return array

    def view(self, array: Any, label: str, *moves: Any) -> View | Constant:
        """An array as data: a view if it is of a buffer, otherwise a constant."""
        found = self._numbers.get(Same(getattr(array, "base", None)))
        if found is None:
            return Constant(array, label)
        number, start = found
        offset = array.ctypes.data - start
        return View(number, offset, array.shape, array.strides, array.dtype, label, *moves)

    def place(self, array: Any, label: str, *moves: Any) -> View:
        """A part of a buffer as data; `moves` are its step, its period and its turn."""
        found = self.view(array, label, *moves)
        assert isinstance(found, View), f"{label} is in no buffer"
        return found

    def array(self, view: View, steps: int | None = None) -> Array:
        """The array that a view is; of a moving one all places of so many steps, time in front."""
        shape, strides = view.shape, view.strides
        if steps is not None:
            assert view.step is not None
            shape, strides = (steps, *shape), (view.step, *strides)
        if 0 in shape:  # its strides may be anything
            return np.ndarray(shape, view.dtype, self.memory[view.buffer])
        return np.ndarray(shape, view.dtype, self.memory[view.buffer], view.offset, strides)
