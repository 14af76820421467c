"""Sequences to learn from: toy problems made by formula."""
