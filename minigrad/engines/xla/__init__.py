"""The XLA engine: the same schedule as one XLA program, through JAX, the extra `jax`.

`face` is the way in. `arrays` lets NumPy's functions, of which every primitive's forward is made,
mean those of `jax.numpy`; `loops` runs the nodes of a schedule, each loop over time as one
`lax.scan`. Storage, devices and sharding are JAX's.
"""
