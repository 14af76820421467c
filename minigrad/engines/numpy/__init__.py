"""The NumPy engine: from a schedule to Python source on fixed buffers.

`face` is the way in, `program` makes the source. `needs` says how long values are kept, `storage`
gives them places, `naming` gives them names; `straight` writes what runs once, `nests` writes
loops, `totals` sums over steps; `tiles` cuts products into what OpenBLAS multiplies fastest, and
`alarms` tells which operation overflowed.
"""
