"""NumPy's own functions on tensors: `np.sum(t, axis=0)`, `np.concatenate([t, u])`.

Each entry takes NumPy's arguments by NumPy's names. What a function does beyond (an order, a dtype,
a flattening default) is not accepted, so a call gives NumPy's result or a refusal, never another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import NUMPY_FUNCTIONS
from minigrad.define import rank
from minigrad.ops.composite import mean, norm, std, var
from minigrad.ops.elementwise import clip, where
from minigrad.ops.indexing import take
from minigrad.ops.products import outer
from minigrad.ops.reductions import cumsum, max, min, prod, sum
from minigrad.ops.shapes import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    moveaxis,
    pad,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
)


def _reduction(reduce: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, keepdims=False: reduce(a, axis, keepdims)


def _deviation(reduce: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, keepdims=False, ddof=0: reduce(a, axis, keepdims, ddof)


def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if not isinstance(indices_or_sections, int):
        raise TypeError("only a number of equal parts; minigrad.split takes the sizes of parts")
    return split(ary, indices_or_sections, axis)


def _outer(a: Any, b: Any) -> Any:
    if rank(a) != 1 or rank(b) != 1:
        raise TypeError("only vectors; minigrad.outer works on the last axes")
    return outer(a, b)


NUMPY_FUNCTIONS.update({
    np.sum: _reduction(sum),
    np.mean: _reduction(mean),
    np.prod: _reduction(prod),
    np.max: _reduction(max),
    np.min: _reduction(min),
    np.std: _deviation(std),
    np.var: _deviation(var),
    np.linalg.norm: lambda x, axis=None, keepdims=False: norm(x, axis, keepdims),
    np.cumsum: lambda a, axis=None: cumsum(a, axis),
    np.take: lambda a, indices, axis: take(a, indices, axis),
    np.clip: lambda a, a_min=None, a_max=None: clip(a, a_min, a_max),
    np.where: lambda condition, x, y: where(condition, x, y),
    np.concatenate: lambda arrays, axis=0: concatenate(list(arrays), axis=axis),
    np.stack: lambda arrays, axis=0: stack(list(arrays), axis=axis),
    np.split: _split,
    np.outer: _outer,
    np.reshape: lambda a, shape: reshape(a, shape),
    np.transpose: lambda a, axes=None: transpose(a, axes),
    np.swapaxes: lambda a, axis1, axis2: swapaxes(a, axis1, axis2),
    np.moveaxis: lambda a, source, destination: moveaxis(a, source, destination),
    np.expand_dims: lambda a, axis: expand_dims(a, axis),
    np.squeeze: lambda a, axis=None: squeeze(a, axis),
    np.broadcast_to: lambda array, shape: broadcast_to(array, shape),
    np.flip: lambda m, axis=None: flip(m, axis),
    np.pad: lambda array, pad_width: pad(array, pad_width),
})  # fmt: skip
