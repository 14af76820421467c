"""Formulas: the equations of a step, printed from its graph."""
