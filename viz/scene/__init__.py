"""Scenes: shapes, wires and texts with their places; labels, curves, and the one table of looks."""
