"""Sequences to learn from: text by character, and toy problems made by formula."""
