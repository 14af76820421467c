"""Folding: how the loops of a traced graph are found, and what they are called.

`fold` and `embed` (in `minigrad.fold`) are the way in. Tagged operations are cut into parts
(`tags`, `parts`), alike parts are steps (`steps`), what steps read of each other makes the delayed
edges (`dependence`, `sequences`, `runs`), and the graph with its loops is an `Embedded`.
"""
