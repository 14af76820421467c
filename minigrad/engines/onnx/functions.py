"""NumPy's functions as ONNX nodes, by their names.

Each is `function(model, like, *args, **kwargs)`, where `like` has the shape and the dtype of the
result; `model.node(op, operands, like, **attributes)` writes one node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Function = Callable[..., Any]

ALIKE = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow",
    "maximum": "Max", "minimum": "Min", "negative": "Neg", "absolute": "Abs", "sign": "Sign",
    "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "tanh": "Tanh", "sin": "Sin", "cos": "Cos",
    "matmul": "MatMul", "copy": "Identity", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos",
    "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh",
    "arctanh": "Atanh", "floor": "Floor", "ceil": "Ceil", "rint": "Round",
}  # fmt: skip
"""What ONNX has too: the operands are brought to the dtype of the result.

The angles (but sin and cos) and sinh, cosh and their inverses are of double precision in ONNX, but
onnxruntime has them in single precision alone, and says so when it opens the file.
"""

ASKED = {
    "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less",
    "less_equal": "LessOrEqual", "equal": "Equal", "logical_and": "And", "logical_or": "Or",
    "logical_not": "Not",
}  # fmt: skip
"""What is true or false of operands, which are brought to one dtype."""

REDUCED = {"add": "ReduceSum", "multiply": "ReduceProd", "maximum": "ReduceMax",
           "minimum": "ReduceMin"}  # fmt: skip


def _alike(op: str) -> Function:
    return lambda m, like, *xs: m.node(op, [m.cast(x, like.dtype) for x in xs], like)


def _asked(op: str, dtype: Any = None) -> Function:
    def write(m: Any, like: Any, *xs: Any) -> Any:
        common = dtype or np.result_type(*(getattr(x, "like", x) for x in xs))
        return m.node(op, [m.cast(x, common) for x in xs], like)

    return write


def _reduced(op: str) -> Function:
    def write(m: Any, like: Any, x: Any, axis: Any = None, keepdims: bool = False,
              initial: Any = None) -> Any:  # fmt: skip
        every = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = m.symbol(np.array(list(every), np.int64))
        kept = {"keepdims": int(keepdims), "noop_with_empty_axes": 1}
        return m.node(op, [m.cast(x, like.dtype), axes], like, **kept)

    return write


def _shaped(m: Any, like: Any, x: Any, *where: Any, **more: Any) -> Any:
    """Reshape, with an axis put in or taken out too: only the result's shape counts."""
    return m.node("Reshape", [x, m.symbol(np.array(like.shape, np.int64))], like, allowzero=1)


def _transposed(m: Any, like: Any, x: Any, axes: Sequence[int]) -> Any:
    return m.node("Transpose", [x], like, perm=[a % x.ndim for a in axes])


def _broadcast(m: Any, like: Any, x: Any, shape: Any) -> Any:
    return m.node("Expand", [x, m.symbol(np.array(like.shape, np.int64))], like)


def _joined(m: Any, like: Any, xs: Sequence[Any], axis: int = 0) -> Any:
    return m.node("Concat", [m.cast(x, like.dtype) for x in xs], like, axis=axis % like.ndim)


def _stacked(m: Any, like: Any, xs: Sequence[Any], axis: int = 0) -> Any:
    rows = [np.expand_dims(m.symbol(x), axis) for x in xs]
    return _joined(m, like, rows, axis)


def _chosen(m: Any, like: Any, flag: Any, a: Any, b: Any) -> Any:
    operands = [m.cast(flag, np.dtype(bool)), m.cast(a, like.dtype), m.cast(b, like.dtype)]
    return m.node("Where", operands, like)


def _clipped(m: Any, like: Any, x: Any, low: Any = None, high: Any = None) -> Any:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _flipped(m: Any, like: Any, x: Any, axis: Any) -> Any:
    axes = axis if isinstance(axis, tuple) else (axis,)
    return x[tuple(slice(None, None, -1 if a - x.ndim in axes else 1) for a in range(x.ndim))]


def _padded(m: Any, like: Any, x: Any, widths: Any) -> Any:
    pads = np.array([*(a for a, _ in widths), *(b for _, b in widths)], np.int64)
    return m.node("Pad", [x, m.symbol(pads)], like)


def _running(m: Any, like: Any, x: Any, axis: int) -> Any:
    return m.node("CumSum", [m.cast(x, like.dtype), m.symbol(np.array(axis, np.int64))], like)


def _taken(m: Any, like: Any, x: Any, indices: Any, axis: int = 0, *how: Any) -> Any:
    n = x.shape[axis]
    inside = np.clip(m.symbol(indices), 0, n - 1)
    return m.node("Gather", [x, m.cast(inside, np.dtype("int64"))], like, axis=axis)


def _log1p(m: Any, like: Any, x: Any) -> Any:
    """Kahan's: what is lost in 1 + x is lost in the divisor too."""
    more = 1.0 + x
    straight = more == 1.0
    return np.where(straight, x, np.log(more) * x / np.where(straight, 1.0, more - 1.0))


def _log_of_sum(m: Any, like: Any, a: Any, b: Any) -> Any:
    more = np.maximum(a, b) + np.log1p(np.exp(-np.abs(a - b)))
    return np.where(np.equal(a, b), a + math.log(2.0), more)  # of two infinities too


def _hypotenuse(m: Any, like: Any, a: Any, b: Any) -> Any:
    """By the quotient of the sides, which does not overflow."""
    long, short = np.maximum(np.abs(a), np.abs(b)), np.minimum(np.abs(a), np.abs(b))
    flat = np.equal(short, 0.0)
    slope = np.where(flat, 0.0, short / np.where(flat, 1.0, long))
    return long * np.sqrt(1.0 + slope * slope)


def _angle(m: Any, like: Any, a: Any, b: Any) -> Any:
    """That of the quotient, which is in the half plane b > 0, turned by π where b < 0."""
    level = np.equal(b, 0.0)
    slope = np.arctan(a / np.where(level, 1.0, b))
    turned = np.where(b > 0.0, slope, slope + np.where(a < 0.0, -math.pi, math.pi))
    return np.where(level, np.sign(a) * (math.pi / 2.0), turned)


def _divided(m: Any, like: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Quotient and remainder as NumPy computes them, the remainder with the sign of b."""
    a, b = m.cast(a, like.dtype), m.cast(b, like.dtype)
    rest = m.node("Mod", [a, b], like, fmod=1)
    other = np.logical_and(np.not_equal(rest, 0), np.not_equal(np.sign(rest), np.sign(b)))
    quotient = np.floor((a - rest) / b + 0.5)
    return np.where(other, quotient - 1.0, quotient), np.where(other, rest + b, rest)


def _place(op: str) -> Function:
    def write(m: Any, like: Any, x: Any, axis: int, keepdims: bool) -> Any:
        return m.node(op, [x], like, axis=axis, keepdims=int(keepdims))

    return write


def _order(m: Any, like: Any, x: Any, axis: int, stable: bool) -> Any:
    """The places of all, from the smallest; of equal entries ONNX takes the first one first."""
    axis, n = axis % x.ndim, m.symbol(np.array([x.shape[axis]], np.int64))
    return m.node("TopK", [x, n], like, output=1, axis=axis, largest=0, sorted=1)


def _before(m: Any, like: Any, a: Any, v: Any, side: str) -> Any:
    """How many entries of a sorted row come before each v."""
    least = m.symbol(v)[..., None]
    less = np.less(a, least) if side == "left" else np.less_equal(a, least)
    return np.sum(less.astype("int64"), axis=-1)


def _determinant(m: Any, like: Any, x: Any) -> Any:
    """Sign and logarithm of ONNX's determinant, which may overflow where LAPACK's does not."""
    whole = m.node("Det", [x], like[1])
    return np.sign(whole), np.log(np.abs(whole))


FUNCTIONS: dict[str, Function] = {
    **{name: _alike(op) for name, op in ALIKE.items()},
    **{name: _asked(op) for name, op in ASKED.items()},
    **{f"{name}.reduce": _reduced(op) for name, op in REDUCED.items()},
    **{name: _asked(ASKED[name], np.dtype(bool)) for name in ("logical_and", "logical_or",
                                                             "logical_not")},
    "sum": _reduced("ReduceSum"), "prod": _reduced("ReduceProd"),
    "max": _reduced("ReduceMax"), "min": _reduced("ReduceMin"),
    "reshape": _shaped, "expand_dims": _shaped, "squeeze": _shaped, "transpose": _transposed,
    "broadcast_to": _broadcast, "concatenate": _joined, "stack": _stacked, "where": _chosen,
    "clip": _clipped, "flip": _flipped, "pad": _padded, "cumsum": _running, "take": _taken,
    "not_equal": lambda m, like, a, b: np.logical_not(np.equal(a, b)),
    "square": lambda m, like, x: x * x,
    "log1p": _log1p,
    "expm1": lambda m, like, x: np.tanh(0.5 * x) * (np.exp(x) + 1.0),
    "isfinite": lambda m, like, x: np.abs(x) < np.inf,
    "exp2": lambda m, like, x: np.exp(x * math.log(2.0)),
    "log2": lambda m, like, x: np.log(x) / math.log(2.0),
    "log10": lambda m, like, x: np.log(x) / math.log(10.0),
    "cbrt": lambda m, like, x: np.sign(x) * np.power(np.abs(x), 1.0 / 3.0),
    "trunc": lambda m, like, x: np.sign(x) * np.floor(np.abs(x)),
    "signbit": lambda m, like, x: np.logical_or(x < 0.0, 1.0 / x < 0.0),
    "logaddexp": _log_of_sum, "hypot": _hypotenuse, "arctan2": _angle,
    "floor_divide": lambda *given: _divided(*given)[0],
    "remainder": lambda *given: _divided(*given)[1],
    "argmax": _place("ArgMax"), "argmin": _place("ArgMin"), "argsort": _order,
    "searchsorted": _before, "slogdet": _determinant,
}  # fmt: skip
"""Those that are written, by NumPy's names; `add.reduce` is a method of a ufunc."""


def entries(m: Any, x: Any, position: Any, like: Any) -> Any:
    """x[position]: slices, integers, None, `...`, and arrays of integers in front or alone."""
    items = _whole(position if isinstance(position, tuple) else (position,), x.ndim)
    arrays = [n for n, item in enumerate(items) if not _is_basic(item)]
    if not arrays:
        return _sliced(m, x, items, like)
    known = all(isinstance(items[n], np.ndarray) for n in arrays)
    if known:  # nothing is open: the places of all entries, in a row
        places = np.arange(x.size).reshape(x.shape)[tuple(items)]
        return m.node("Gather", [x.reshape(-1), m.symbol(places.astype(np.int64))], like)
    (first, *others), rest = arrays, [item for item in items if _is_basic(item)]
    if any(item != slice(None) for item in rest):
        raise TypeError("open indices beside parts of other axes are not written as ONNX")
    if not others:
        index = m.cast(items[first], np.dtype("int64"))
        return m.node("Gather", [x, index], like, axis=first)
    if arrays != list(range(len(arrays))):
        raise TypeError("open indices of axes behind others are not written as ONNX")
    index = [np.expand_dims(m.cast(items[n], np.dtype("int64")), -1) for n in arrays]
    lead = np.broadcast_shapes(*(i.shape for i in index))
    index = [np.broadcast_to(i, lead) for i in index]
    return m.node("GatherND", [x, np.concatenate(index, axis=-1)], like)


def _is_basic(item: Any) -> bool:
    return item is None or isinstance(item, int | np.integer | slice)


def _whole(items: tuple[Any, ...], ndim: int) -> list[Any]:
    """A position with something for every axis, flags as places."""
    given: list[Any] = []
    for item in items:
        is_flags = isinstance(item, np.ndarray) and item.dtype == bool
        given += list(np.nonzero(item)) if is_flags else [item]
    gap = next((n for n, item in enumerate(given) if item is Ellipsis), len(given))
    read = sum(item is not None and item is not Ellipsis for item in given)
    return [*given[:gap], *[slice(None)] * (ndim - read), *given[gap + 1 :]]


def _sliced(m: Any, x: Any, items: list[Any], like: Any) -> Any:
    """Slices of all axes at once; then the result's shape tells which are put in or taken out."""
    spans = [_span(item, n) for item, n in zip([i for i in items if i is not None], x.shape,
                                               strict=True)]  # fmt: skip
    cut = [k for k, (span, n) in enumerate(zip(spans, x.shape, strict=True)) if span != (0, n, 1)]
    if cut:
        ends = [m.symbol(np.array([spans[k][e] for k in cut], np.int64)) for e in range(3)]
        axes = m.symbol(np.array(cut, np.int64))
        part = x.like[tuple(slice(a, None if b < -n else b, c)
                            for (a, b, c), n in zip(spans, x.shape, strict=True))]  # fmt: skip
        x = m.node("Slice", [x, ends[0], ends[1], axes, ends[2]], part)
    return x if x.shape == like.shape else _shaped(m, like, x)


def _span(item: Any, n: int) -> tuple[int, int, int]:
    """Start, end and stride as ONNX takes them: before the first entry is −n − 1."""
    if not isinstance(item, slice):
        return item % n, item % n + 1, 1
    start, stop, stride = item.indices(n)
    return start, stop if stop >= 0 else -n - 1, stride


def added(m: Any, x: Any, position: Any, part: Any) -> Any:
    """x with a part added at a position, where repeated entries add up."""
    items = position if isinstance(position, tuple) else (position,)
    part = m.cast(part, x.dtype)
    if all(item is Ellipsis or _is_basic(item) or isinstance(item, np.ndarray) for item in items):
        places = np.arange(x.size).reshape(x.shape)[items]
        flat = np.broadcast_to(part, places.shape).reshape(-1)
        index = m.symbol(places.reshape(-1).astype(np.int64))
        row = m.node("ScatterElements", [x.reshape(-1), index, flat], x.like.reshape(-1),
                     reduction="add")  # fmt: skip
        return row.reshape(x.shape)
    (index,) = items
    index = np.expand_dims(m.cast(index, np.dtype("int64")), -1)
    return m.node("ScatterND", [x, index, part], x.like, reduction="add")
