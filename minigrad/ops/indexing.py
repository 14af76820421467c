"""Reading entries by position, and the transposes that put them back.

`index` has its position as an attribute, `take` and `pick` have it as an operand (class indices
that come as data). Repeated positions add up in the gradient. `one_hot` makes rows of class
indices, of which a product is a look-up.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import index as whole
from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS, Tensor
from minigrad.core.kinds import (
    INDEX,
    REAL,
    as_array,
    is_open,
    linear,
    negative_axes,
    public,
    rank,
    stepwise,
)
from minigrad.errors import ShapeError
from minigrad.facts import MATRIX, Formula, Lowering
from minigrad.habits import unmasked
from minigrad.ops.kinks import where
from minigrad.ops.shapes import Arguments, moveaxis, shape_of, transpose


def _is_basic(item: Any) -> bool:
    return item is None or item is ... or isinstance(item, int | slice | np.integer)


_ENDS = frozenset((int, type(None)))


def _position(x: Any, position: Any) -> Arguments:
    items = position if isinstance(position, tuple) else (position,)
    clean = []
    for item in items:
        if isinstance(item, Tensor):
            item._not_frozen("an index")
            item = item._data
        if type(item) is slice:
            ends = item.start, item.stop, item.step
            if not _ENDS.issuperset(map(type, ends)):  # an array of one number can be written to
                item = slice(*(end if end is None else whole(end) for end in ends))
        elif not _is_basic(item):
            # A copy, as operands are: writing into the caller's array cannot reach it.
            item = np.array(unmasked(item, "index: a position"))
            item.flags.writeable = False
            if item.dtype.kind not in "iub" or item.dtype == object:
                raise TypeError(
                    f"index {item!r:.60} is neither an integer, a slice, nor an array of integers "
                    "or booleans"
                )
        clean.append(item)
    return (x,), {"position": tuple(clean)}


def _sample_index(r: Any) -> Any:
    choices = (
        (1,), (slice(None), -1), (slice(None, None, 2),), (slice(None, None, -1), None),
        (..., 0), (np.array([0, 2, 0, 0]),), (slice(None), np.array([[1, 1], [0, 1]])),
        (np.array([0, 2, 2]), np.array([1, 0, 0])), (np.array([True, False, True]),),
    )  # fmt: skip
    return [(3, 2)], {"position": r.choice(choices)}


def _sample_scatter(r: Any, n: int) -> Any:
    kinds = [r.choice((((2,), (1,)), ((4, 2), (np.array([0, 2, 0, 0]),)))) for _ in range(n)]
    shapes, positions = zip(*kinds, strict=True)
    return shapes, {"positions": positions, "shape": (3, 2)}


def _put_back(x: Any, parts: list[tuple[Any, Any]]) -> Any:
    """The cotangents of all reads of x, put into place by one operation."""
    positions = tuple(user.attrs["position"] for _, user in parts)
    return scatter(*(g for g, _ in parts), positions=positions, shape=shape_of(x))


def _positions(*parts: Any, positions: tuple[Any, ...], shape: tuple[int, ...]) -> Arguments:
    if any(type(item) is np.ndarray for position in positions for item in position):
        positions = tuple(_position(None, position)[1]["position"] for position in positions)
    return parts, {"positions": positions, "shape": shape}


def _behind(position: tuple[Any, ...]) -> tuple[Any, ...]:
    """The position with an axis of steps in front that is kept whole."""
    return (slice(None), *position)


@linear(
    lambda g, x, position: scatter(g, positions=(position,), shape=shape_of(x)),
    prepare=_position,
    sample=_sample_index,
    lift=lambda attrs, steps: {"position": _behind(attrs["position"])},
    collect=_put_back,
    label="[ ]",
    lowering=Lowering(view=True, through=True),
)
def index(x: Any, position: tuple[Any, ...]) -> Any:
    """x[position] for integers, slices, None, `...`, and arrays of integers or booleans."""
    return as_array(x)[position]


@linear(
    joint=lambda g, y, xs, attrs, asked: [index(g, place) for place in attrs["positions"]],
    prepare=_positions,
    label="put",
    lift=lambda attrs, steps: {
        "positions": tuple(map(_behind, attrs["positions"])),
        "shape": (steps, *attrs["shape"]),
    },
    sample=_sample_scatter,
)
def scatter(*parts: Any, positions: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, with each part added at its position: the transpose of `index`."""
    if any(map(is_open, parts)):
        return _added(shape, parts, positions)
    result = np.zeros(shape, np.result_type(*parts))
    for part, position in zip(parts, positions, strict=True):
        if all(map(_is_basic, position)):
            result[position] += part
        else:
            np.add.at(result, position, part)
    return result


def _added(shape: tuple[int, ...], parts: Sequence[Any], positions: Sequence[Any]) -> Any:
    """Zeros with parts added at positions, for arrays that nothing can be written into.

    There is no such function in NumPy, so an engine's array has `zeros` and `added`.
    """
    known = next(x for x in (*parts, *itertools.chain(*positions)) if is_open(x))
    total = known.zeros(shape, np.result_type(*parts))
    for part, position in zip(parts, positions, strict=True):
        total = total.added(position, part)
    return total


def integers(indices: Any, where: str) -> Any:
    """Integers as an array or a tensor; refused if they are none."""
    if not isinstance(indices, Tensor):
        indices = np.asarray(unmasked(indices, f"{where}: indices"))
    if indices.dtype.kind not in "iu":
        raise TypeError(f"{where}: indices must be integers, got dtype {indices.dtype}")
    return indices


def _rows(x: Any, indices: Any) -> Arguments:
    return (x, integers(indices, "take")), {}


@public
def take(x: Any, indices: Any, axis: int = 0) -> Any:
    """Entries of x at integer `indices` along an axis; for axis 0 a row look-up.

    Shapes: `(..., n, ...), (b,) -> (..., b, ...)`; indices may have any number of axes.

    >>> import minigrad as mg, numpy as np
    >>> mg.take(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 1, 0]))
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    (axis,) = negative_axes(axis, rank(x), "take")
    place, n = axis + rank(x), rank(indices)
    y = lookup(moveaxis(x, place, 0) if place else x, indices)
    return (
        transpose(y, (*range(n, n + place), *range(n), *range(n + place, rank(y)))) if place else y
    )


def read(x: Any, position: Any) -> Any:
    """x[position], where one item may be a tensor of integers that is only known at each call."""
    items = position if isinstance(position, tuple) else (position,)
    open_ = [k for k, item in enumerate(items) if isinstance(item, Tensor)]
    rest = [item for k, item in enumerate(items) if k not in open_]
    slices = all(item is ... or isinstance(item, slice) for item in rest)
    if len(open_) != 1 or items[open_[0]].dtype.kind not in "iu" or not slices:
        return index(x, position)
    k, chosen = open_[0], items[open_[0]]
    axis = k - len(items) if ... in items[:k] else k
    if any(item not in (..., slice(None)) for item in rest):
        x = index(x, (*items[:k], slice(None), *items[k + 1 :]))
    n = shape_of(x)[axis]
    return take(x, where(chosen < 0, chosen + n, chosen), axis)


FUNCTIONS["_read"] = read


def _check_bounds(indices: Any, n: int) -> None:
    """Refuse an index outside of 0 … n − 1, also one that NumPy would count from the end."""
    known = indices.size and not is_open(indices)
    if known and not ((top := indices.max()) < n and indices.min() >= 0):
        worst = top if top >= n else indices.min()
        raise IndexError(f"index {worst} is outside 0 … {n - 1}")


def _inside(y: Any, indices: Any, n: int) -> Any:
    """What was read at indices; NaN where nobody could say that they are outside of 0 … n − 1."""
    if not is_open(indices):
        return y
    lost = np.logical_or(indices < 0, indices >= n)
    return np.where(lost.reshape(*lost.shape, *(1,) * (y.ndim - lost.ndim)), np.nan, y)


def _take_rows(x: Any, indices: Any, out: Any = None) -> Any:
    x, indices = as_array(x), as_array(indices)
    _check_bounds(indices, x.shape[0])
    return _inside(np.take(x, indices, 0, out, "clip"), indices, x.shape[0])


@linear(
    lambda g, x, indices: put(g, indices, rows=shape_of(x)[0]),
    None,
    signature="(n,...),(...)->(...)",
    domain=(REAL, INDEX),
    label="row",
    prepare=_rows,
    kernel=_take_rows,
    sample=lambda r: ([(3, 2), np.array([[0, 2], [2, 2]])], {}),
    lowering=Lowering(weight=0),
    formula=Formula("a b", MATRIX, (MATRIX, MATRIX)),
)
def lookup(x: Any, indices: Any) -> Any:
    """Rows of x at integer positions: `(n, ...)` and indices `(b,)` give `(b, ...)`."""


SMALL = 1 << 19
"""Multiplications up to which the gradient of a table is a product with zeros and ones."""
WIDE = 64
"""Rows of so many entries are added up row by row; NumPy's `reduceat` is slower for them."""


@linear(
    lambda g, parts, indices, rows: lookup(g, indices),
    None,
    signature="(...),(...)->(n,...)",
    domain=(REAL, INDEX),
    label="put",
    sample=lambda r: ([(2, 2, 2), np.array([[0, 2], [2, 2]])], {"rows": 3}),
)
def put(parts: Any, indices: Any, rows: int) -> Any:
    """Zeros of `(rows, ...)`, with parts added at row positions: the transpose of `lookup`."""
    indices, parts = as_array(indices), as_array(parts)
    if is_open(parts) or is_open(indices):
        return _added((rows, *parts.shape[indices.ndim :]), [parts], [(indices,)])
    shape, flat = (rows, *parts.shape[indices.ndim :]), indices.reshape(-1)
    if 0 < rows * parts.size <= SMALL and parts.ndim == indices.ndim + 1:
        ones = np.zeros((rows, flat.size), parts.dtype)
        ones[flat, np.arange(flat.size)] = 1  # a small product is faster than sorting
        return np.matmul(ones, parts.reshape(flat.size, shape[1]))
    result = np.zeros(shape, parts.dtype)
    if flat.size:
        # Sorted by row, each row's parts stand together.
        order = np.argsort(flat, kind="stable")
        flat, ordered = flat[order], parts.reshape(flat.size, *shape[1:])[order]
        starts = np.flatnonzero(np.diff(flat, prepend=flat[0] - 1))
        if ordered[0].size < WIDE:
            result[flat[starts]] = np.add.reduceat(ordered, starts, axis=0)
        else:
            for low, high in itertools.pairwise([*starts.tolist(), flat.size]):
                np.add.reduce(ordered[low:high], 0, None, result[flat[low]])
    return result


def _along(x: Any, indices: Any) -> Arguments:
    indices = integers(indices, "pick")
    if shape_of(x)[:-1] != indices.shape:
        raise ShapeError(
            f"pick: indices of shape {indices.shape} do not fit values of shape {shape_of(x)}; "
            f"one index a row is wanted, shape {shape_of(x)[:-1]}"
        )
    return (x, indices), {}


@linear(
    lambda g, x, indices: spread(g, indices, n=shape_of(x)[-1]),
    None,
    signature="(n),()->()",
    domain=(REAL, INDEX),
    prepare=_along,
    lift="same",
    sample=lambda r: ([(2, 3), np.array([r.randint(0, 2), 2])], {}),
)
def pick(x: Any, indices: Any) -> Any:
    """From each row of x the entry at that row's index: `(..., n), (...) -> (...)`."""
    x, indices = as_array(x), as_array(indices)
    _check_bounds(indices, x.shape[-1])
    rows = x.reshape(indices.size, x.shape[-1])
    y = rows[np.arange(indices.size), indices.reshape(-1)].reshape(indices.shape)
    return _inside(y, indices, x.shape[-1])


@linear(
    lambda g, x, indices, n: pick(g, indices),
    None,
    signature="(),()->(n)",
    domain=(REAL, INDEX),
    lift="same",
    sample=lambda r: ([(2,), np.array([r.randint(0, 2), 2])], {"n": 3}),
)
def spread(x: Any, indices: Any, n: int) -> Any:
    """Rows of n zeros with one entry put at its index: the transpose of `pick`."""
    x, indices = as_array(x), as_array(indices)
    if is_open(x) or is_open(indices):
        return np.where(np.equal(indices[..., None], np.arange(n)), x[..., None], 0)
    result = np.zeros((x.size, n), x.dtype)
    result[np.arange(x.size), indices.reshape(-1)] = x.reshape(-1)
    return result.reshape(*x.shape, n)


def _classes(indices: Any, classes: int) -> tuple[tuple[Any], dict[str, Any]]:
    if not hasattr(indices, "dtype"):
        indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"one_hot: class indices must be integers, got dtype {indices.dtype}")
    return (indices,), {"classes": int(classes)}


@stepwise(
    1,
    signature="()->(n)",
    domain=(INDEX,),
    prepare=_classes,
    lift="same",
    sample=lambda r: ([np.array([r.randint(0, 3) for _ in range(3)])], {"classes": 4}),
)
def one_hot(indices: Any, classes: int) -> Any:
    """Rows of zeros with a 1 at each class index: `(...)` integers give `(..., classes)`.

    >>> import minigrad as mg, numpy as np
    >>> mg.one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    indices = as_array(indices)
    known = indices.size and not is_open(indices)
    if known and not (indices.min() >= 0 and indices.max() < classes):
        worst = indices.max() if indices.max() >= classes else indices.min()
        raise IndexError(f"class index {worst} is outside 0 … {classes - 1}")
    return np.equal(indices[..., None], np.arange(classes)).astype(float)
