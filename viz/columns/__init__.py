"""Columns: the boxes of a step in ranks, and channels between steps."""
