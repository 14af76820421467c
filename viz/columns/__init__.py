"""Columns: the boxes of a step in ranks, channels between steps, and a row for each layer."""
