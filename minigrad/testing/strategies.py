"""Strategies for Hypothesis: shapes, tensors, indices, and whole programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad.core import Primitive
from minigrad.core.kinds import REAL
from minigrad.testing.programs import Program, draw_fan_out, draw_program

RANDOM = st.randoms(use_true_random=False)
DRAWN = 32
"""Arrays of up to so many entries are drawn entry by entry, so that they shrink to the few that
matter; larger ones from a seed, which is quick and has no accidental ties."""


def shapes(most_axes: int = 3, most: int = 4, empty: bool = False) -> st.SearchStrategy[Any]:
    """Shapes of arrays, scalars too; with `empty` also such without entries.

    >>> from hypothesis import find
    >>> len(find(shapes(), lambda shape: 4 in shape)) <= 3
    True
    """
    return hnp.array_shapes(
        min_dims=0, max_dims=most_axes, min_side=0 if empty else 1, max_side=most
    )


@st.composite
def tensors(
    draw: Any,
    shape: Any = None,
    domain: tuple[float, float] = REAL,
    kinks: str = "avoid",
    dtype: Any = np.float64,
) -> Any:
    """Arrays of finite numbers from a domain.

    Args:
        draw: given by Hypothesis.
        shape: a shape, a strategy of them, or None for any.
        domain: the interval.
        kinks: "avoid" keeps away from 0 and from ties, "hit" puts entries at 0 and repeats some,
            "any" does neither.
        dtype: of the array.

    Raises:
        ValueError: another word for `kinks`.

    >>> from hypothesis import find
    >>> find(tensors(shape=(3,), kinks="hit"), lambda x: x[1] == 0).shape
    (3,)
    """
    if kinks not in ("avoid", "hit", "any"):
        raise ValueError(f"tensors: kinks is 'avoid', 'hit' or 'any', got {kinks!r}")
    size = draw(shape if isinstance(shape, st.SearchStrategy) else
                shapes() if shape is None else st.just(shape))  # fmt: skip
    low, high = domain
    count = int(np.prod(size))
    if count <= DRAWN and kinks != "avoid":
        grid = st.integers(0, 64)
        values = np.array(draw(st.lists(grid, min_size=count, max_size=count)), float) / 64
        values = low + (high - low) * values
    else:
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        values = rng.uniform(low, high, count)
    if kinks == "hit" and count:
        hits = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count))
        values[hits] = 0.0 if low <= 0 <= high else values[0]
    if kinks == "avoid" and count:
        # Each entry has a place of its own on a grid: no two are nearer than a part of a cell.
        order = np.argsort(np.argsort(values))
        values = low + (high - low) * (order + 0.25 + 0.5 * (values - low) / (high - low)) / count
        values[np.abs(values) < (high - low) / (16 * count)] += (high - low) / (8 * count)
    return values.reshape(size).astype(dtype)


@st.composite
def broadcast_args(draw: Any, /, signature: str = "(),()->()", **about: Any) -> Any:
    """A tuple of arrays that fit a gufunc signature, leading axes broadcasting in every way.

    Args:
        draw: given by Hypothesis.
        signature: one shape for each array, such as that of a matrix product.
        about: `domain`, `kinks` and `dtype` of `tensors`.

    >>> from hypothesis import find
    >>> x, W = find(broadcast_args("(b,n),(n,m)->(b,m)"), lambda args: args[0].ndim == 3)
    >>> (x @ W).ndim
    3
    """
    found = draw(hnp.mutually_broadcastable_shapes(signature=signature, max_dims=2, max_side=3))
    return tuple(draw(tensors(shape=shape, **about)) for shape in found.input_shapes)


def indices(shape: Sequence[int]) -> st.SearchStrategy[Any]:
    """Positions that an array of a shape can be read at: slices, integers, arrays, flags.

    >>> from hypothesis import find
    >>> np.zeros((3, 2))[find(indices((3, 2)), lambda position: True)].size >= 0
    True
    """
    whole = tuple(shape)
    if not whole or not all(whole):
        return hnp.basic_indices(whole, allow_newaxis=True)
    rows = st.lists(st.integers(-whole[0], whole[0] - 1), min_size=1, max_size=4)
    flags = st.lists(st.booleans(), min_size=whole[0], max_size=whole[0])
    return st.one_of(
        hnp.basic_indices(whole, allow_newaxis=True),
        hnp.integer_array_indices(whole),
        rows.map(lambda r: (np.array(r),)),
        flags.map(lambda f: (np.array(f),)),
    )


def graphs(
    primitives: Sequence[Primitive] | None = None, most: int = 8, scale: float = 1.0
) -> st.SearchStrategy[Program]:
    """Random programs: `program.graph`, `program.values`; printed as Python when a test fails.

    Args:
        primitives: what they are made of; None for all that pass a gradient.
        most: drawn operations, some more bring operands into shape.
        scale: of the inputs.

    >>> import minigrad as mg
    >>> from hypothesis import find
    >>> program = find(graphs([mg.PRIMITIVES["sin"]]), lambda program: len(program) > 1)
    >>> "sin" in {node.op for node in program.graph.nodes}
    True
    """
    return st.builds(lambda random: draw_program(random, primitives, most, scale), RANDOM)


def fan_outs(scale: float = 1.0) -> st.SearchStrategy[Program]:
    """Programs that use one parameter 1 … 64 times, as recurrent networks do.

    >>> from hypothesis import find
    >>> find(fan_outs(), lambda program: len(program) > 20)().dtype
    dtype('float64')
    """
    return st.builds(lambda random: draw_fan_out(random, scale), RANDOM)
