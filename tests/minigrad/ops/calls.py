"""What a NumPy user calls on tensors, by hand: each takes `t`, which makes a tensor of an array.

`CALLS` are answered, `REFUSED` by name. The names are NumPy's; a second call of one function has
its arguments behind the name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0.2, 0.8, size=(3, 4))
"""Between 0 and 1, where everything is defined."""
y = rng.uniform(1.2, 2.8, size=(3, 4))
v = rng.uniform(-1.0, 1.0, size=4)
w = rng.uniform(0.5, 1.0, size=4)
cube = rng.normal(size=(2, 3, 4))
square = np.diag([1.0, 2.0, 4.0]) + 0.1 * rng.normal(size=(3, 3))
even = square + square.T
pile = np.stack([square, square.T + np.eye(3)])
holes = np.where(x < 0.4, np.nan, x)
flag, other = x > 0.5, y > 2.0
place = np.array([[2, 0], [1, 1], [-1, 0]])

UNARY = [
    "absolute", "all", "allclose", "amax", "amin", "any", "arccos", "arcsin", "arcsinh", "arctan",
    "arctanh", "argmax", "argmin", "argsort", "around", "atleast_1d", "atleast_2d", "atleast_3d",
    "average", "cbrt", "ceil", "conj", "corrcoef", "cos", "cosh", "count_nonzero", "cov",
    "cumprod", "cumsum", "deg2rad", "degrees", "diag",
    "diagflat", "diagonal", "diff", "ediff1d", "empty_like", "exp", "exp2", "expm1", "fabs", "fix",
    "flip", "fliplr", "flipud", "floor", "imag", "iscomplexobj", "isfinite", "isinf", "isnan",
    "isrealobj", "log", "log10", "log1p", "log2", "logical_not", "matrix_transpose", "max", "mean",
    "median", "min", "nan_to_num", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
    "nanvar", "ndim", "negative", "ones_like", "positive", "prod", "ptp", "rad2deg", "radians",
    "ravel", "real", "reciprocal", "rint", "rot90", "shape", "sign", "signbit", "sin", "sinc",
    "sinh", "size", "sort", "sqrt", "square", "squeeze", "std", "sum", "tan", "tanh", "trace",
    "transpose", "trapezoid", "tril", "triu", "trunc", "unstack", "var", "zeros_like",
]  # fmt: skip
BINARY = [
    "add", "append", "arctan2", "array_equal", "broadcast_arrays", "copysign", "divide", "divmod",
    "equal", "float_power", "floor_divide", "fmax", "fmin", "full_like", "greater",
    "greater_equal", "heaviside", "hypot", "inner", "isclose", "kron", "less", "less_equal",
    "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor", "maximum", "meshgrid",
    "minimum", "multiply", "not_equal", "outer", "power", "remainder", "subtract", "tensordot",
    "vdot", "vecdot",
]  # fmt: skip
OF_MATRIX = ["cholesky", "cond", "det", "diagonal", "eigh", "eigvalsh", "inv", "norm", "slogdet",
             "svdvals", "trace"]  # fmt: skip
UNLIKE = {"arccosh", "allclose", "empty_like", "unstack",
          "tensordot", "logical_not", "full_like", "cov", "corrcoef"}  # fmt: skip


def _one(name: str) -> Callable[..., Any]:
    return lambda t: getattr(np, name)(t(x))


def _two(name: str) -> Callable[..., Any]:
    return lambda t: getattr(np, name)(t(x), t(y))


def _matrix(name: str) -> Callable[..., Any]:
    return lambda t: getattr(np.linalg, name)(t(even))


CALLS: dict[str, Callable[..., Any]] = {
    **{name: _one(name) for name in UNARY if name not in UNLIKE},
    **{name: _two(name) for name in BINARY if name not in UNLIKE},
    **{f"linalg.{name}": _matrix(name) for name in OF_MATRIX},
    "arccosh": lambda t: np.arccosh(t(y)),
    "allclose": lambda t: np.allclose(t(x), x + 1e-9),
    "cov": lambda t: np.cov(t(x)),
    "corrcoef": lambda t: np.corrcoef(t(x)),
    "cov of columns": lambda t: np.cov(t(x), rowvar=False, ddof=0),
    "tensordot": lambda t: np.tensordot(t(cube), t(x), axes=([1, 2], [0, 1])),
    "tensordot of a number": lambda t: np.tensordot(t(cube), t(x.T), 1),
    "unstack": lambda t: np.unstack(t(cube), axis=1),
    "logical_not": lambda t: np.logical_not(t(flag)),
    "full_like": lambda t: np.full_like(t(x), 2.5),
    "bitwise_and": lambda t: t(flag) & t(other),
    "bitwise_or": lambda t: t(flag) | t(other),
    "bitwise_xor": lambda t: t(flag) ^ t(other),
    "invert": lambda t: ~t(flag),
    "mod": lambda t: t(y) % 0.7,
    "// of a number": lambda t: 7.0 // t(x),
    "matmul": lambda t: np.matmul(t(cube), t(x.T)),
    "dot": lambda t: np.dot(t(x), t(v)),
    "dot of piles": lambda t: np.dot(t(cube), t(cube.swapaxes(1, 2))),
    "einsum": lambda t: np.einsum("ij,kj->ik", t(x), t(y)),
    "einsum of three": lambda t: np.einsum("bij,j,ij->b", t(cube), t(v), t(x)),
    "cross": lambda t: np.cross(t(square), t(even)),
    "linalg.cross": lambda t: np.linalg.cross(t(square), t(even)),
    "linalg.outer": lambda t: np.linalg.outer(t(v), t(w)),
    "linalg.matmul": lambda t: np.linalg.matmul(t(square), t(even)),
    "linalg.tensordot": lambda t: np.linalg.tensordot(t(x), t(y), axes=2),
    "linalg.vecdot": lambda t: np.linalg.vecdot(t(x), t(y)),
    "linalg.solve": lambda t: np.linalg.solve(t(square), t(v[:3])),
    "linalg.solve of piles": lambda t: np.linalg.solve(t(pile), t(cube)),
    "linalg.inv of piles": lambda t: np.linalg.inv(t(pile)),
    "linalg.matrix_power": lambda t: np.linalg.matrix_power(t(square), 3),
    "linalg.matrix_power of the inverse": lambda t: np.linalg.matrix_power(t(square), -2),
    "linalg.multi_dot": lambda t: np.linalg.multi_dot([t(square), t(even), t(square)]),
    "linalg.matrix_norm": lambda t: np.linalg.matrix_norm(t(pile)),
    "linalg.vector_norm": lambda t: np.linalg.vector_norm(t(x), axis=1, ord=3),
    "linalg.svd": lambda t: np.linalg.svd(t(x), compute_uv=False),
    "linalg.norm by columns": lambda t: np.linalg.norm(t(x), 1),
    "linalg.norm by rows": lambda t: np.linalg.norm(t(x), np.inf),
    "linalg.norm, the smallest": lambda t: np.linalg.norm(t(x), -1, axis=(1, 0)),
    "linalg.norm, spectral": lambda t: np.linalg.norm(t(cube), 2, axis=(0, 2), keepdims=True),
    "linalg.norm, nuclear": lambda t: np.linalg.norm(t(x), "nuc"),
    "linalg.norm of order 3": lambda t: np.linalg.norm(t(x), 3, axis=1),
    "linalg.matrix_transpose": lambda t: np.linalg.matrix_transpose(t(cube)),
    "where": lambda t: np.where(flag, t(x), t(y)),
    "select": lambda t: np.select([x < 0.4, x < 0.6], [t(x), t(y)], default=t(v)),
    "clip": lambda t: np.clip(t(x), 0.3, 0.6),
    "clip by arrays": lambda t: np.clip(t(x), t(w - 0.4), t(w)),
    "take": lambda t: np.take(t(x), [2, 0], axis=1),
    "take of all": lambda t: np.take(t(x), [7, 0]),
    "take_along_axis": lambda t: np.take_along_axis(t(x), place, axis=1),
    "searchsorted": lambda t: np.searchsorted(t(np.sort(v)), t(x), side="right"),
    "concatenate": lambda t: np.concatenate([t(x), t(y)], axis=1),
    "stack": lambda t: np.stack([t(x), t(y)], axis=-1),
    "vstack": lambda t: np.vstack([t(v), t(x)]),
    "hstack": lambda t: np.hstack([t(x), t(y)]),
    "dstack": lambda t: np.dstack([t(x), t(y)]),
    "column_stack": lambda t: np.column_stack([t(v), t(w)]),
    "append along an axis": lambda t: np.append(t(x), t(y), axis=0),
    "split": lambda t: np.split(t(x), 2, axis=1),
    "split at positions": lambda t: np.split(t(x), [1, 3], axis=1),
    "array_split": lambda t: np.array_split(t(x), 3, axis=1),
    "array_split at positions": lambda t: np.array_split(t(x), [1, -1], axis=1),
    "hsplit": lambda t: np.hsplit(t(x), 2),
    "vsplit": lambda t: np.vsplit(t(x), [2]),
    "dsplit": lambda t: np.dsplit(t(cube), 2),
    "delete": lambda t: np.delete(t(x), [0, 2], axis=1),
    "insert": lambda t: np.insert(t(x), 1, t(v), axis=0),
    "repeat": lambda t: np.repeat(t(x), 3, axis=1),
    "repeat by counts": lambda t: np.repeat(t(x), [2, 0, 1], axis=0),
    "repeat of all": lambda t: np.repeat(t(x), 2),
    "tile": lambda t: np.tile(t(x), (2, 1, 3)),
    "roll": lambda t: np.roll(t(x), 3),
    "roll along axes": lambda t: np.roll(t(x), (1, -2), axis=(0, 1)),
    "rollaxis": lambda t: np.rollaxis(t(cube), 2),
    "rot90 three times": lambda t: np.rot90(t(cube), 3, axes=(2, 0)),
    "moveaxis": lambda t: np.moveaxis(t(cube), 0, -1),
    "moveaxis of tuples": lambda t: np.moveaxis(t(cube), (0, 1), (-1, 0)),
    "swapaxes": lambda t: np.swapaxes(t(cube), 0, 2),
    "reshape": lambda t: np.reshape(t(x), (2, -1)),
    "expand_dims": lambda t: np.expand_dims(t(x), (0, 2)),
    "broadcast_to": lambda t: np.broadcast_to(t(v), (3, 4)),
    "pad": lambda t: np.pad(t(x), ((1, 2), (0, 1))),
    "astype": lambda t: np.astype(t(x), np.float32),
    "tril": lambda t: np.tril(t(cube), -1),
    "triu": lambda t: np.triu(t(cube), 1),
    "diag of a vector": lambda t: np.diag(t(v), -2),
    "diagonal of a plane": lambda t: np.diagonal(t(cube), -1, 2, 0),
    "trace of a plane": lambda t: np.trace(t(cube), 1, 1, 2),
    "sort along an axis": lambda t: np.sort(t(cube), axis=1),
    "sort of all": lambda t: np.sort(t(x), axis=None, kind="stable"),
    "argsort along an axis": lambda t: np.argsort(t(x), axis=0),
    "argmax along an axis": lambda t: np.argmax(t(cube), axis=1, keepdims=True),
    "quantile": lambda t: np.quantile(t(x), 0.3),
    "quantile of parts": lambda t: np.quantile(t(cube), [[0.1], [0.5]], axis=(0, 2)),
    "percentile": lambda t: np.percentile(t(x), 30, axis=1, keepdims=True),
    "median along axes": lambda t: np.median(t(cube), axis=(0, 2)),
    "average with weights": lambda t: np.average(t(x), axis=1, weights=t(w)),
    "round": lambda t: np.round(t(x), 1),
    "round to tens": lambda t: np.round(t(100 * x), -1),
    "diff twice": lambda t: np.diff(t(x), 2, axis=0),
    "diff with ends": lambda t: np.diff(t(x), prepend=0.0, append=t(y)),
    "trapezoid at points": lambda t: np.trapezoid(t(x), t(np.cumsum(w)), axis=1),
    "polyval": lambda t: np.polyval(t(v), t(x)),
    "nansum of holes": lambda t: np.nansum(t(holes), axis=0),
    "nanmean of holes": lambda t: np.nanmean(t(holes)),
    "nanstd of holes": lambda t: np.nanstd(t(holes), ddof=1),
    "nanmax of holes": lambda t: np.nanmax(t(holes), axis=1),
    "nan_to_num of holes": lambda t: np.nan_to_num(t(holes)),
    "any along an axis": lambda t: np.any(t(x) > 0.7, axis=1, keepdims=True),
    "all along an axis": lambda t: np.all(t(x) > 0.3, axis=0),
    "size along an axis": lambda t: np.size(t(cube), 1),
    "std of a sample": lambda t: np.std(t(x), axis=0, ddof=1),
    "max out=None": lambda t: np.max(t(x), axis=0, out=None),
}  # fmt: skip

REFUSED: dict[str, Callable[..., Any]] = {
    "fft": lambda t: np.fft.fft(t(v)),
    "rfft": lambda t: np.fft.rfft(t(v)),
    "ifft2": lambda t: np.fft.ifft2(t(x)),
    "convolve": lambda t: np.convolve(t(v), t(w)),
    "correlate": lambda t: np.correlate(t(v), t(w)),
    "unique": lambda t: np.unique(t(v)),
    "nonzero": lambda t: np.nonzero(t(v)),
    "argwhere": lambda t: np.argwhere(t(v)),
    "flatnonzero": lambda t: np.flatnonzero(t(v)),
    "extract": lambda t: np.extract(v > 0, t(v)),
    "compress": lambda t: np.compress(v > 0, t(v)),
    "histogram": lambda t: np.histogram(t(v)),
    "bincount": lambda t: np.bincount(t(np.array([1, 2]))),
    "partition": lambda t: np.partition(t(v), 2),
    "interp": lambda t: np.interp(t(x), np.sort(v), w),
    "gradient": lambda t: np.gradient(t(x)),
    "copyto": lambda t: np.copyto(np.zeros(4), t(v)),
    "put": lambda t: np.put(np.zeros(4), [0], t(v)),
    "linalg.qr": lambda t: np.linalg.qr(t(square)),
    "linalg.eig": lambda t: np.linalg.eig(t(square)),
    "linalg.svd": lambda t: np.linalg.svd(t(square)),
    "linalg.lstsq": lambda t: np.linalg.lstsq(t(square), t(v[:3])),
    "linalg.pinv": lambda t: np.linalg.pinv(t(square)),
    "left_shift": lambda t: t(np.array([1, 2])) << 1,
    "bitwise_count": lambda t: np.bitwise_count(t(np.array([1, 2]))),
    "copy": lambda t: np.copy(t(v)),
    "angle": lambda t: np.angle(t(v)),
}  # fmt: skip
