"""NumPy's own functions on tensors: `np.tanh(t)`, `np.sum(t, axis=0)`, `np.concatenate([t, u])`.

A ufunc is the function of its name. Of the others each entry takes NumPy's arguments by NumPy's
names. What a function does beyond (an order, a dtype, a flattening default) is not accepted, so a
call gives NumPy's result or a refusal, never another.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS, Tensor
from minigrad.core.kinds import rank
from minigrad.errors import at
from minigrad.habits import no_rule, title
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


NUMPY_FUNCTIONS: dict[Any, Callable[..., Any]] = {
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
}  # fmt: skip
"""What NumPy's functions do on tensors, by the function, with NumPy's argument names."""


def _ufunc(tensor: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if "out" in kwargs or "where" in kwargs:
        raise TypeError(
            f"{ufunc.__name__}{at(tensor.tag)}: a result cannot be written into an array "
            f"(out=, where=, array += {title(tensor)}); write array = array + tensor"
        )
    known = FUNCTIONS.get(ufunc.__name__)
    if method != "__call__" or known is None:
        raise no_rule(ufunc.__name__ + ("" if method == "__call__" else f".{method}"))
    return known(*inputs, **kwargs)


def _function(tensor: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    known = NUMPY_FUNCTIONS.get(func)
    if known is None:
        raise no_rule(func.__name__)
    given = inspect.signature(func).bind(*args, **kwargs).arguments
    given.update(given.pop("kwargs", {}))
    wanted = inspect.signature(known).parameters
    extra = [name for name in given if name not in wanted]
    missing = [n for n, p in wanted.items() if p.default is p.empty and n not in given]
    if extra or missing:
        what = f"does not take {', '.join(extra)}" if extra else f"needs {', '.join(missing)}"
        raise TypeError(
            f"np.{func.__name__} on tensors {what}; minigrad.{func.__name__} and the array "
            "itself, tensor.data, are the other ways"
        )
    try:
        return known(**given)
    except TypeError as error:
        raise TypeError(f"np.{func.__name__} on tensors: {error}") from None


# NumPy asks its operands for these two.
Tensor.__array_ufunc__ = _ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = _function  # type: ignore[attr-defined]
