"""Sums of products over named axes: einsum and its relatives, each a product that there is.

Two operands are brought into the form of `a @ b` by what moves no entry where it can be: axes that
both keep go in front, summed ones inside. What needs no sum is entrywise. So `"ij,jk->ik"` is the
one operation `matmul`, and `"bhqd,bhkd->bhqk"` is `q @ swapaxes(k)`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from string import ascii_letters
from typing import Any

import numpy as np

from minigrad.core.kinds import negative_axes, public, rank
from minigrad.errors import ShapeError
from minigrad.habits import explained
from minigrad.ops.matrices import diagonal
from minigrad.ops.products import matmul
from minigrad.ops.rearranging import array_of
from minigrad.ops.reductions import sum
from minigrad.ops.shapes import (
    expand_dims,
    flatten,
    moveaxis,
    reshape,
    shape_of,
    squeeze,
    transpose,
)

Letters = tuple[str, ...]
"""The names of the axes of an operand."""


def _ordered(x: Any, names: Letters, order: Sequence[str]) -> Any:
    """x with its axes in another order of their names."""
    return x if names == tuple(order) else transpose(x, tuple(map(names.index, order)))


def _merged(x: Any, *groups: int) -> Any:
    """The axes of each group as one: groups are counted in axes, all of them together are x's."""
    if all(n == 1 for n in groups):
        return x
    ends = list(itertools.accumulate(groups, initial=0))
    sizes = [shape_of(x)[a:b] for a, b in itertools.pairwise(ends)]
    return reshape(x, tuple(int(np.prod(s, dtype=int)) for s in sizes))


def _alone(x: Any, names: Letters, kept: set[str]) -> tuple[Any, Letters]:
    """x with the diagonal of names that it has twice, and summed over those that nobody keeps."""
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            first, second = [k for k, other in enumerate(names) if other == name][:2]
            x = diagonal(x, 0, first, second)
            names = (*(n for k, n in enumerate(names) if k not in (first, second)), name)
    gone = tuple(k for k, name in enumerate(names) if name not in kept)
    return (sum(x, gone), tuple(n for n in names if n in kept)) if gone else (x, names)


def _pair(
    a: Any, left: Letters, b: Any, right: Letters, out: Sequence[str]
) -> tuple[Any, Letters]:
    """The product of two operands, summed over the names that `out` has not; and its names."""
    both = [n for n in left if n in right]
    summed, batch = [n for n in both if n not in out], [n for n in out if n in both]
    rows, columns = ([n for n in out if n in side and n not in both] for side in (left, right))
    if not summed:
        names = (*batch, *rows, *columns)
        names = tuple(n for n in out if n in names)
        return _spread(a, left, names) * _spread(b, right, names), names
    if columns and rows and out.index(columns[0]) < out.index(rows[0]):
        return _pair(b, right, a, left, out)
    a = _ordered(a, left, (*batch, *rows, *summed))
    b = _ordered(b, right, (*batch, *summed, *columns))
    n, m, k = len(rows), len(columns), len(summed)
    shape = [shape_of(a)[len(batch) + i] for i in range(n)]
    shape += [shape_of(b)[len(batch) + k + i] for i in range(m)]
    lead = (1,) * len(batch)
    if batch:  # a row on the left, a column on the right, also where an operand has none
        a, b = (_merged(a, *lead, n, k), _merged(b, *lead, k, m))
        whole = [shape_of(a)[i] for i in range(len(batch))] + shape
        y = matmul(a, b)
        y = reshape(y, tuple(whole)) if list(shape_of(y)) != whole else y
    else:
        a = _merged(a, *(1,) * n, k)
        b = _merged(b, k, *((m,) if m else ()))
        y = matmul(a, b)
        y = reshape(y, tuple(shape)) if list(shape_of(y)) != shape else y
    return y, (*batch, *rows, *columns)


def _spread(x: Any, names: Letters, wanted: Letters) -> Any:
    """x with its axes in the order wanted, and axes of size 1 for the names that it has not."""
    x = _ordered(x, names, [n for n in wanted if n in names])
    gaps = tuple(k for k, n in enumerate(wanted) if n not in names)
    return expand_dims(x, gaps) if gaps else x


def _contracted(operands: Sequence[Any], names: Sequence[Letters], out: Letters) -> Any:
    """The sum of products of all operands, two at a time from the left."""
    sizes: dict[str, int] = {}
    for x, letters in zip(operands, names, strict=True):
        for letter, size in zip(letters, shape_of(x), strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ShapeError(
                    f"einsum: axis {letter} is {sizes[letter]} and {size} "
                    f"(shapes {' and '.join(str(shape_of(x)) for x in operands)})"
                )
    xs, left = list(operands), list(names)
    for k in range(len(xs)):
        others = {n for i, part in enumerate(left) if i != k for n in part}
        xs[k], left[k] = _alone(xs[k], left[k], others | {*out})
    while len(xs) > 1:
        later = {n for part in left[2:] for n in part}
        kept = (*out, *sorted(later - {*out}))
        y, made = _pair(xs[0], left[0], xs[1], left[1], kept)
        xs, left = [y, *xs[2:]], [made, *left[2:]]
    return _ordered(xs[0], left[0], out)


def _parsed(subscripts: str, ranks: Sequence[int]) -> tuple[list[Letters], Letters]:
    """The names of the axes of operands and result; what `...` stands for has names of its own."""
    given, arrow, result = subscripts.replace(" ", "").partition("->")
    parts = given.split(",")
    if len(parts) != len(ranks):
        raise ValueError(f"einsum: {subscripts!r} is for {len(parts)} operands, got {len(ranks)}")
    names, longest = [], 0
    for part, n in zip(parts, ranks, strict=True):
        before, dots, after = part.partition("...")
        free = n - len(before) - len(after)
        if not set(before + after) <= {*ascii_letters} or free < 0 or (free and not dots):
            raise ValueError(f"einsum: {part!r} of {subscripts!r} does not fit {n} axes")
        names.append((*before, *(f"…{k}" for k in range(free, 0, -1)), *after))
        longest = max(longest, free)
    dotted = tuple(f"…{k}" for k in range(longest, 0, -1))
    if not arrow:
        once = sorted(n for n in {*given} - {*",."} if given.count(n) == 1)
        return names, (*dotted, *once)
    before, dots, after = result.partition("...")
    out = (*before, *(dotted if dots else ()), *after)
    if len(set(out)) < len(out) or not set(out) <= {n for part in names for n in part}:
        raise ValueError(f"einsum: the result of {subscripts!r} has names twice, or of no operand")
    return names, out


@public
@explained
def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Any:
    """Sums of products by the names of axes, as NumPy's `einsum` reads them.

    Operands are taken two at a time from the left, whatever `optimize` says.

    >>> import minigrad as mg, numpy as np
    >>> mg.einsum("ij,kj->ik", np.ones((2, 3)), np.ones((4, 3))).shape
    (2, 4)
    """
    if not isinstance(subscripts, str):
        raise TypeError("einsum: the names of axes come first, as a text such as 'ij,jk->ik'")
    xs = [array_of(x) for x in operands]
    return _contracted(xs, *_parsed(subscripts, [rank(x) for x in xs]))


@public
@explained
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes: so many last of a and first of b, or two lists."""
    a, b = array_of(a), array_of(b)
    n, m = rank(a), rank(b)
    if isinstance(axes, int | np.integer):
        ours, theirs = tuple(range(n - int(axes), n)), tuple(range(int(axes)))
    else:
        ours, theirs = (tuple(k) if np.ndim(k) else (k,) for k in axes)
    froms = [negative_axes(k, n, "tensordot")[0] + n for k in ours]
    tos = [negative_axes(k, m, "tensordot")[0] + m for k in theirs]
    if len(froms) != len(tos):
        raise ValueError(f"tensordot: axes {axes!r} are not pairs")
    left, right = [f"a{k}" for k in range(n)], [f"b{k}" for k in range(m)]
    for k, i in zip(froms, tos, strict=True):
        left[k] = right[i] = f"s{k}"
    out = [x for x in (*left, *right) if x[0] != "s"]
    return _contracted([a, b], [tuple(left), tuple(right)], tuple(out))


@public
@explained
def dot(a: Any, b: Any) -> Any:
    """NumPy's `dot`: `a @ b` of vectors and matrices, a product with a number, else `tensordot`."""
    a, b = array_of(a), array_of(b)
    if not rank(a) or not rank(b):
        return a * b
    if rank(a) <= 2 and rank(b) <= 2:
        return matmul(a, b)
    return tensordot(a, b, (-1, -1 if rank(b) == 1 else -2))


@public
@explained
def inner(a: Any, b: Any) -> Any:
    """Sums of products over the last axes of both."""
    a, b = array_of(a), array_of(b)
    return tensordot(a, b, (-1, -1)) if rank(a) and rank(b) else a * b


@public
@explained
def vdot(a: Any, b: Any) -> Any:
    """The sum of products of all entries in their order, of real numbers."""
    return matmul(flatten(array_of(a)), flatten(array_of(b)))


@public
@explained
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """The sum of products along an axis, the others broadcast."""
    a, b = (moveaxis(array_of(x), axis, -1) for x in (x1, x2))
    return squeeze(matmul(expand_dims(a, -2), expand_dims(b, -1)), (-2, -1))


@public
@explained
def kron(a: Any, b: Any) -> Any:
    """Each entry of a times the whole of b, side by side."""
    a, b = array_of(a), array_of(b)
    n = max(rank(a), rank(b))
    first, second = ((1,) * (n - rank(x)) + shape_of(x) for x in (a, b))
    rows = reshape(a, tuple(s for size in first for s in (size, 1)))
    columns = reshape(b, tuple(s for size in second for s in (1, size)))
    return reshape(rows * columns, tuple(s * t for s, t in zip(first, second, strict=True)))


@public
@explained
def cross(a: Any, b: Any, axis: int = -1) -> Any:
    """The vector product of vectors of three entries along an axis."""
    a, b = moveaxis(array_of(a), axis, -1), moveaxis(array_of(b), axis, -1)
    if shape_of(a)[-1] != 3 or shape_of(b)[-1] != 3:
        raise ShapeError(f"cross: vectors of 3 entries, got {shape_of(a)} and {shape_of(b)}")
    on, back = (1, 2, 0), (2, 0, 1)
    return moveaxis(a[..., on] * b[..., back] - a[..., back] * b[..., on], -1, axis)


@public
@explained
def multi_dot(arrays: Sequence[Any]) -> Any:
    """The matrix product of all, from the left."""
    return reduce(dot, arrays)
