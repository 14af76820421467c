"""Cells around a cell: what is added to any cell without another copy of it."""
