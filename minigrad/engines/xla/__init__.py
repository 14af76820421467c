"""The XLA engine: the same schedule as one XLA program, through JAX, the extra `jax`.

`face` is the way in. `arrays` lets NumPy's functions, of which every primitive's forward is made,
mean those of `jax.numpy`; `loops` runs the nodes of a schedule, each loop over time as one
`lax.scan`. Storage, devices and sharding are JAX's.
"""

from typing import Any

from minigrad.extras import needed


def engine(is_pure: bool = False) -> Any:
    """The engine; a pure one leaves it to others to compile.

    Raises:
        ImportError: JAX is not installed.
    """
    needed("jax", "jax", "the engine 'jax'")
    from minigrad.engines.xla.face import ENGINE, PURE

    return PURE if is_pure else ENGINE
