"""Quotients: what of a graph is one thing in a picture, and how it is called."""
