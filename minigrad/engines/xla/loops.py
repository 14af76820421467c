"""Loops over time as `lax.scan`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from minigrad.engines.walk import Step, Values
from minigrad.engines.xla.arrays import Array, bare

UNROLL = {"cpu": 1}
"""Steps in one turn of a loop, by the kind of device; elsewhere 8, which halves the time of a GPU
that starts a kernel for every call, where 32 can multiply it (measured on an H100)."""


def turns() -> int:
    """The number of steps in one turn of a loop."""
    return UNROLL.get(jax.default_backend(), 8)


def loop(
    step: Step, carried: Values, sequences: Values, beside: Values, steps: int, direction: int
) -> tuple[Values, Values]:
    """One `lax.scan`; see `minigrad.engines.walk`."""

    def body(carry: Any, now: Any) -> Any:
        after, kept = step([*map(Array, carry)], [*map(Array, now)])
        return _plain(after), _plain(kept)

    given = _plain(sequences)
    start = _of_each_device(_plain(carried), given + _plain(beside))
    end, kept = lax.scan(body, start, given, steps, direction < 0, max(1, min(turns(), steps)))
    return [*map(Array, end)], [*map(Array, kept)]


def _plain(values: Values) -> Values:
    """JAX's arrays in place of ours and of NumPy's."""
    return [jnp.asarray(bare(x)) for x in values]


def _of_each_device(start: Values, given: Values) -> Values:
    """Start values as what is carried will be: under `shard_map` every device has its own."""
    axes = frozenset[str]().union(*(jax.typeof(x).mat.varying for x in (*start, *given)))
    missing = [tuple(axes - jax.typeof(x).mat.varying) for x in start]
    return [lax.pcast(x, m, to="varying") if m else x for x, m in zip(start, missing, strict=True)]
