"""Generating code: from a schedule to Python source on fixed buffers.

`minigrad.program` is the way in. `needs` says how long values are kept, `storage` gives them
places, `naming` gives them names; `nests` writes loops, `totals` sums over steps, and `tiles` cuts
products into what OpenBLAS multiplies fastest.
"""
