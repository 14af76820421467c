"""The NumPy engine: from a schedule to Python source on fixed buffers.

`face` is the way in, `program` makes the list of `instructions`. `needs` says how long values are
kept, `storage` gives them places in `buffers`, `operands` tells these as data; `calls` lists what
needs no loop, `nests` loops, `totals` sums over steps, by `operations`. `source` writes the list as
Python. `tiles` cuts products into what OpenBLAS multiplies fastest, and `alarms` tells which
operation overflowed.
"""
