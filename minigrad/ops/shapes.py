"""Primitives that move entries and leave them as they are: all linear.

Axes are brought to negative numbers, so a leading axis (time) can be put in front of a traced
operation without touching it. Transposes that are sums or look-ups are found by name, since those
modules build on this one.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from minigrad.core import FUNCTIONS, Tensor
from minigrad.core.kinds import linear, negative_axes, public, rank, zeros
from minigrad.core.walks import sum_to
from minigrad.facts import ATOM, SHOWS_OPERAND, Formula, Lowering

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a tensor, array or number."""
    return x.shape if isinstance(x, Tensor | np.ndarray) else np.shape(x)


def _longer(attrs: dict[str, Any], steps: int) -> dict[str, Any]:
    """The target shape with an axis of steps in front."""
    return {"shape": (steps, *attrs["shape"])}


def _new_shape(x: Any, *shape: Any) -> Arguments:
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    size, wanted = int(np.prod(shape_of(x))), tuple(int(n) for n in wanted)
    if wanted.count(-1) == 1:
        rest = int(np.prod([n for n in wanted if n != -1]))
        wanted = tuple(size // rest if n == -1 and rest else n for n in wanted)
    if any(n < 0 for n in wanted) or int(np.prod(wanted)) != size:
        raise ValueError(f"reshape: {size} entries of shape {shape_of(x)} do not fill {shape}")
    return (x,), {"shape": wanted}


def _prepare_reshape(x: Any, *sizes: Any, shape: Any = None) -> Arguments:
    return _new_shape(x, *(sizes if shape is None else (shape,)))


@linear(
    lambda g, x, shape: reshape(g, shape_of(x)),
    signature="(...)->(...)",
    prepare=_prepare_reshape,
    lift=_longer,
    sample=lambda r: ([(2, 6)], {"shape": r.choice(((3, 4), (12,), (2, 1, 6), (2, 3, 2)))}),
    lowering=Lowering(view=True),
    formula=SHOWS_OPERAND,
)
def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """The same entries, in order, in another shape; one size may be −1."""
    return np.reshape(x, shape)


def flatten(x: Any) -> Any:
    """All entries in a row."""
    return reshape(x, (-1,))


def _permutation(x: Any, *order: Any, axes: Any = None) -> Arguments:
    order = (axes,) if axes is not None else order
    order = order[0] if len(order) == 1 and not isinstance(order[0], int) else order
    n = rank(x)
    order = () if order is None else tuple(order)
    order = order or tuple(range(-1, -n - 1, -1))
    negative = tuple(int(a) - n if a >= 0 else int(a) for a in order)
    if sorted(negative) != list(range(-n, 0)):
        raise ValueError(f"transpose: axes {order} are not an order of the {n} axes")
    return (x,), {"axes": negative}


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes one."""
    n = len(axes)
    return tuple(sorted(range(-n, 0), key=lambda a: axes[a] % n if n else 0))


@linear(
    lambda g, x, axes: transpose(g, inverse(axes)),
    prepare=_permutation,
    lift=lambda attrs, steps: {"axes": (-len(attrs["axes"]) - 1, *attrs["axes"])},
    sample=lambda r: ([(2, 3, 4)], {"axes": tuple(r.sample((-3, -2, -1), 3))}),
    lowering=Lowering(view=True, through=True),
    formula=Formula("aᵀ", needs=(ATOM,)),
)
def transpose(x: Any, axes: tuple[int, ...]) -> Any:
    """Axes in another order; in reverse order if none is given."""
    return np.transpose(x, axes)


@public
def swapaxes(x: Any, a: int = -2, b: int = -1) -> Any:
    """Two axes exchanged, by default the last two (the matrix transpose)."""
    if type(x) is np.ndarray:
        return x.swapaxes(a, b)
    n = rank(x)
    (a,), (b,) = negative_axes(a, n, "swapaxes"), negative_axes(b, n, "swapaxes")
    order = list(range(-n, 0))
    order[a], order[b] = order[b], order[a]
    return transpose(x, tuple(order))


@public
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """One or several axes moved to other places, the others in their order."""
    n = rank(x)
    sources, places = (a if isinstance(a, tuple | list) else (a,) for a in (source, destination))
    if len(sources) != len(places):
        raise ValueError(f"moveaxis: {len(sources)} axes do not go to {len(places)} places")
    froms = [negative_axes(a, n, "moveaxis")[0] for a in sources]
    tos = [negative_axes(a, n, "moveaxis")[0] for a in places]
    if len({*froms}) < len(froms) or len({*tos}) < len(tos):
        raise ValueError(f"moveaxis: an axis twice in {source} to {destination}")
    order = [a for a in range(-n, 0) if a not in froms]
    for to, a in sorted(zip(tos, froms, strict=True)):
        order.insert(to + n, a)
    return transpose(x, tuple(order)) if order != [*range(-n, 0)] else x


def _inserted(x: Any, axis: Any = -1) -> Arguments:
    count = len(axis) if isinstance(axis, tuple | list) else 1
    return (x,), {"axis": negative_axes(axis, rank(x) + count, "expand_dims")}


@linear(
    lambda g, x, axis: squeeze(g, axis),
    prepare=_inserted,
    lift="same",
    sample=lambda r: ([(2, 3)], {"axis": r.choice(((-1,), (-3,), (-2, -1)))}),
    lowering=Lowering(view=True, through=True),
    formula=SHOWS_OPERAND,
)
def expand_dims(x: Any, axis: tuple[int, ...]) -> Any:
    """Axes of size 1 inserted; the axes are those of the result."""
    return np.expand_dims(x, axis)


def _removed(x: Any, axis: Any = None) -> Arguments:
    shape = shape_of(x)
    if axis is None:
        axis = tuple(k for k, n in enumerate(shape) if n == 1)
    axes = negative_axes(axis, len(shape), "squeeze")
    if any(shape[a] != 1 for a in axes):
        raise ValueError(f"squeeze: axis {axis!r} of shape {shape} is not of size 1")
    return (x,), {"axis": axes}


@linear(
    lambda g, x, axis: expand_dims(g, axis),
    prepare=_removed,
    lift="same",
    sample=lambda r: ([(2, 1, 1)], {"axis": r.choice(((-1,), (-2,), (-2, -1)))}),
    lowering=Lowering(view=True, through=True),
    formula=SHOWS_OPERAND,
)
def squeeze(x: Any, axis: tuple[int, ...]) -> Any:
    """Axes of size 1 removed, all of them if none is given."""
    return np.squeeze(x, axis)


def _target(x: Any, shape: Any) -> Arguments:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    missing = len(shape) - rank(x)
    if missing > 0:  # equal ranks, so that an axis in front stays in front
        x = expand_dims(x, tuple(range(-len(shape), -rank(x))))
    return (x,), {"shape": shape}


@linear(
    lambda g, x, shape: sum_to(g, shape_of(x)),
    prepare=_target,
    lift=_longer,
    sample=lambda r: ([r.choice(((3,), (1, 3), (2, 1), ()))], {"shape": (2, 3)}),
    lowering=Lowering(view=True),
    formula=SHOWS_OPERAND,
)
def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Axes of size 1 stretched, and axes added in front, to reach a shape."""
    return np.broadcast_to(x, shape)


def _sequence(tensors: Any, axis: Any, extra: int, where: str) -> Arguments:
    if not tensors:
        raise ValueError(f"{where} needs at least one tensor, got an empty sequence")
    ranks = [rank(x) for x in tensors]
    if len(set(ranks)) > 1:
        raise ValueError(f"{where}: all tensors need the same number of axes, got {ranks}")
    (axis,) = negative_axes(axis, ranks[0] + extra, where)
    return tuple(tensors), {"axis": axis}


def _items(tensors: tuple[Any, ...], axis: Any) -> tuple[tuple[Any, ...], Any]:
    """Tensors given as one list (and an axis, as NumPy takes it) or one by one."""
    first: Any = tensors[0] if tensors else ()
    if isinstance(first, tuple | list) and len(tensors) <= 2:
        return tuple(first), tensors[1] if len(tensors) == 2 else axis
    return tensors, axis


def _joined(*tensors: Any, axis: Any = 0) -> Arguments:
    parts, axis = _items(tensors, axis)
    if axis is None:
        parts, axis = tuple(map(flatten, parts)), 0
    return _sequence(parts, axis, 0, "concatenate")


def _parts(g: Any, y: Any, xs: Any, attrs: Any, asked: Any) -> list[Any]:
    axis = attrs["axis"]
    ends = itertools.accumulate([shape_of(x)[axis] for x in xs], initial=0)
    return [cut(g, axis, start, stop) for start, stop in itertools.pairwise(ends)]


@linear(
    joint=_parts,
    prepare=_joined,
    lift="same",
    label="concat",
    sample=lambda r, n: ([(2, r.randint(1, 3)) for _ in range(n)], {"axis": -1}),
    lowering=Lowering(joins=True),
)
def concatenate(*tensors: Any, axis: int) -> Any:
    """Tensors joined along an axis, by default the first: `concatenate([a, b], axis=-1)`.

    With `axis=None` all entries are put in a row.
    """
    return np.concatenate(tensors, axis)


def _piled(*tensors: Any, axis: Any = 0) -> Arguments:
    return _sequence(*_items(tensors, axis), 1, "stack")


@linear(
    joint=lambda g, y, xs, attrs, asked: unstack(g, **attrs),
    prepare=_piled,
    lift="same",
    sample=lambda r, n: ([(2, 3)] * n, {"axis": r.choice((-1, -2, -3))}),
)
def stack(*tensors: Any, axis: int) -> Any:
    """Tensors of one shape joined along a new axis, by default the first."""
    return np.stack(tensors, axis)


def cut(x: Any, axis: int, start: int, stop: int | None = None) -> Any:
    """Entries start … stop − 1 along an axis; without `stop` the one entry, axis removed."""
    piece = start if stop is None else slice(start, stop)
    position = (..., piece, *(slice(None),) * (-axis - 1 if axis < 0 else rank(x) - axis - 1))
    return x[position] if type(x) is np.ndarray else FUNCTIONS["index"](x, position)


@public
def unstack(x: Any, axis: int = 0) -> list[Any]:
    """The entries along an axis, as a list: the inverse of `stack`."""
    (axis,) = negative_axes(axis, rank(x), "unstack")
    return [cut(x, axis, k) for k in range(shape_of(x)[axis])]


@public
def split(x: Any, parts: Any, axis: int = 0) -> list[Any]:
    """`parts` equal pieces along an axis, or pieces of the sizes in a list.

    >>> import minigrad as mg, numpy as np
    >>> [part.shape for part in mg.split(np.ones((2, 6)), [1, 2, 3], axis=1)]
    [(2, 1), (2, 2), (2, 3)]
    """
    (axis,) = negative_axes(axis, rank(x), "split")
    total = shape_of(x)[axis]
    if isinstance(parts, int):
        if parts < 1 or total % parts:
            raise ValueError(f"split: axis of size {total} does not part into {parts} equal pieces")
        parts = [total // parts] * parts
    if sum(parts) != total:
        raise ValueError(f"split: sizes {list(parts)} add up to {sum(parts)}, the axis is {total}")
    ends = np.cumsum([0, *parts]).tolist()
    return [cut(x, axis, a, b) for a, b in itertools.pairwise(ends)]


def _widths(x: Any, widths: Any) -> Arguments:
    n = rank(x)
    pairs: list[Any] = [widths] * n if isinstance(widths, int) else list(widths)
    if len(pairs) == 2 and all(isinstance(w, int) for w in pairs):
        pairs = [tuple(pairs)] * n
    pairs = [(w, w) if isinstance(w, int) else tuple(int(v) for v in w) for w in pairs]
    if len(pairs) != n or any(len(p) != 2 or min(p) < 0 for p in pairs):
        raise ValueError(f"pad: widths {widths!r} do not fit {n} axes (one pair ≥ 0 an axis)")
    return (x,), {"widths": tuple(pairs)}


def _unpad(g: Any, x: Any, widths: Any) -> Any:
    return FUNCTIONS["index"](
        g, (..., *(slice(a, a + n) for (a, _), n in zip(widths, shape_of(x), strict=True)))
    )


@linear(
    _unpad,
    prepare=_widths,
    lift=lambda attrs, steps: {"widths": ((0, 0), *attrs["widths"])},
    sample=lambda r: (
        [(2, 3)],
        {"widths": tuple((r.randint(0, 2), r.randint(0, 2)) for _ in "ab")},
    ),
)
def pad(x: Any, widths: tuple[tuple[int, int], ...]) -> Any:
    """Zeros put around: `widths` is one number, or a pair (before, after) for each axis."""
    return np.pad(x, widths)


def _flipped(x: Any, axis: Any = None) -> Arguments:
    return (x,), {"axis": negative_axes(axis, rank(x), "flip")}


@linear(
    lambda g, x, axis: flip(g, axis),
    prepare=_flipped,
    lift="same",
    sample=lambda r: ([(2, 3)], {"axis": r.choice(((-1,), (-2,), (-2, -1)))}),
    lowering=Lowering(view=True),
)
def flip(x: Any, axis: tuple[int, ...]) -> Any:
    """The entries in reverse order along the axes, along all if none is given."""
    return np.flip(x, axis)


@public
def zeros_like(x: Any) -> Any:
    """An array of zeros in the shape and dtype of x."""
    return zeros(x)
