"""Textbook figures: a circle for each layer, a column for each step."""
