"""NumPy's own functions on tensors: `np.tanh(t)`, `np.sum(t, axis=0)`, `np.concatenate([t, u])`.

A ufunc is the function of its name, and so is any other whose arguments, but for the first, have
NumPy's names here. The table has those that differ: in a name, a default, an order. What a function
does beyond (a dtype, a flag) is not accepted, so a call gives NumPy's result or a refusal, never
another. Methods of arrays are the functions of their names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS, Primitive, Tensor
from minigrad.errors import at
from minigrad.habits import call_error, no_rule, title
from minigrad.ops.composite import clip
from minigrad.ops.contraction import cross, tensordot, vecdot
from minigrad.ops.indexing import take
from minigrad.ops.joining import equal_parts
from minigrad.ops.kinks import where
from minigrad.ops.matrices import diagonal, trace
from minigrad.ops.norms import norm
from minigrad.ops.products import matmul, outer
from minigrad.ops.rearranging import array_of
from minigrad.ops.reductions import cumsum, max, min
from minigrad.ops.running import cumprod
from minigrad.ops.shapes import (
    concatenate,
    flatten,
    pad,
    reshape,
    stack,
    swapaxes,
    zeros_like,
)


def _outer(a: Any, b: Any) -> Any:
    return outer(flatten(array_of(a)), flatten(array_of(b)))


def _taken(a: Any, indices: Any, axis: int | None = None) -> Any:
    return take(flatten(a), indices, 0) if axis is None else take(a, indices, axis)


def _sized(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    if axis is None and ord != 2:
        x = flatten(x)
    return norm(x, None if ord == 2 else ord, axis, keepdims)


NUMPY_FUNCTIONS: dict[Any, Callable[..., Any] | None] = {
    np.amax: max,
    np.amin: min,
    np.linalg.norm: norm,
    np.linalg.vector_norm: _sized,
    np.linalg.matrix_norm: lambda x, keepdims=False, ord="fro": norm(x, ord, (-2, -1), keepdims),
    np.linalg.matmul: lambda x1, x2: matmul(x1, x2),
    np.linalg.outer: lambda x1, x2: outer(x1, x2),
    np.linalg.tensordot: lambda x1, x2, axes=2: tensordot(x1, x2, axes),
    np.trace: trace,
    np.fix: lambda x: FUNCTIONS["trunc"](x),
    np.around: FUNCTIONS["round"],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.result_type: lambda *xs: np.result_type(
        *(x.dtype if isinstance(x, Tensor) else x for x in xs)),
    np.linalg.vecdot: vecdot,
    np.linalg.cross: lambda x1, x2, axis=-1: cross(x1, x2, axis),
    np.linalg.trace: lambda x, offset=0: trace(x, offset, -2, -1),
    np.linalg.diagonal: lambda x, offset=0: diagonal(x, offset, -2, -1),
    np.cumsum: lambda a, axis=None: cumsum(a, axis),
    np.cumprod: lambda a, axis=None: cumprod(a, axis),
    np.take: _taken,
    np.clip: lambda a, a_min=None, a_max=None, min=None, max=None: clip(
        a, min if a_min is None else a_min, max if a_max is None else a_max),
    np.where: lambda condition, x, y: where(condition, x, y),
    np.concatenate: lambda arrays, axis=0: concatenate(list(arrays), axis=axis),
    np.stack: lambda arrays, axis=0: stack(list(arrays), axis=axis),
    np.split: equal_parts,
    np.vsplit: lambda ary, indices_or_sections: equal_parts(ary, indices_or_sections, 0),
    np.hsplit: lambda ary, indices_or_sections: equal_parts(
        ary, indices_or_sections, int(ary.ndim > 1)),
    np.dsplit: lambda ary, indices_or_sections: equal_parts(ary, indices_or_sections, 2),
    np.outer: _outer,
    np.reshape: lambda a, shape: reshape(a, shape),
    np.swapaxes: lambda a, axis1, axis2: swapaxes(a, axis1, axis2),
    np.pad: lambda array, pad_width: pad(array, pad_width),
    np.empty_like: zeros_like,
    np.linalg.matrix_transpose: lambda x: swapaxes(x),
    np.put: None,  # it writes; ours makes a new tensor
}  # fmt: skip
"""What NumPy's functions do on tensors where their arguments have other names, or defaults; None
where only the name is the same."""

ORDERS = {"kind", "stable", "optimize", "overwrite_input"}
"""Arguments that choose how NumPy computes a result, and not which."""


def answer(function: Any) -> Callable[..., Any] | None:
    """What a function of NumPy does on tensors, None if it is refused."""
    name = getattr(function, "__name__", "")
    if isinstance(function, np.ufunc):
        return FUNCTIONS.get(name)
    if function in NUMPY_FUNCTIONS:
        return NUMPY_FUNCTIONS[function]
    own = getattr(np, name, None) is function
    alone = not hasattr(np, name) and getattr(np.linalg, name, None) is function
    return FUNCTIONS.get(name) if own or alone else None


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


def _written(known: Any) -> Callable[..., Any]:
    """The function that has the parameters of what is called."""
    return (known.prepare or known.defined) if isinstance(known, Primitive) else known


def _function(tensor: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    known = answer(func)
    if known is None:
        raise no_rule(f"{func.__module__}.{func.__name__}".removeprefix("numpy."))
    takes = inspect.signature(func)
    given = takes.bind(*args, **kwargs).arguments
    given.update(given.pop("kwargs", {}))
    several = [n for n, p in takes.parameters.items() if p.kind is p.VAR_POSITIONAL]
    items = given.pop(several[0], ()) if several else ()
    wanted = {n: p for n, p in inspect.signature(_written(known)).parameters.items()
              if p.kind is not p.VAR_POSITIONAL}  # fmt: skip
    for theirs, own in zip(takes.parameters, wanted, strict=False):
        if theirs in given and own not in given:  # the array, whatever it is called
            given = {own: given.pop(theirs), **given}
        break
    for name in [n for n in given if n not in wanted]:
        default = takes.parameters[name].default if name in takes.parameters else None
        if name in ORDERS or given[name] is default:
            del given[name]
    extra = [name for name in given if name not in wanted]
    missing = [n for n, p in wanted.items() if p.default is p.empty and n not in given]
    if extra or (missing and not items):
        what = f"does not take {', '.join(extra)}" if extra else f"needs {', '.join(missing)}"
        raise TypeError(
            f"np.{func.__name__} on tensors {what}; minigrad.{func.__name__} and the array "
            "itself, tensor.data, are the other ways"
        )
    for name in wanted if not items else ():  # a primitive takes its operands by place
        if name not in given:
            break
        items = (*items, given.pop(name))
    try:
        return known(*items, **given)
    except TypeError as error:
        raise TypeError(f"np.{func.__name__} on tensors: {error}") from None


def _method(name: str, function: Any, known: Callable[..., Any]) -> Callable[..., Any]:
    """The method of NumPy's arrays: the function of its name, with its arguments."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(self, *args, **kwargs)
        except TypeError as error:
            told = call_error(name, _written(known), (self, *args), kwargs)
            raise told or error from None

    method.__name__, method.__doc__ = name, f"The same as `np.{name}(self, ...)`."
    return method


# NumPy asks its operands for these two.
Tensor.__array_ufunc__ = _ufunc  # type: ignore[attr-defined]  # set here alone
Tensor.__array_function__ = _function  # type: ignore[attr-defined]  # set here alone

for _name in dir(np.ndarray):
    _theirs, _known = getattr(np, _name, None), answer(getattr(np, _name, None))
    if _known is not None and _name != "sort" and not hasattr(Tensor, _name):
        is_method = callable(getattr(np.ndarray, _name))
        setattr(Tensor, _name, _method(_name, _theirs, _known) if is_method else property(_known))
