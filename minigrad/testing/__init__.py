"""Property-based testing of gradients: draws for every primitive, and the laws they must obey."""

from minigrad.testing.cases import Case, draw_case
from minigrad.testing.laws import LAWS, Broken, check_law

__all__ = ["LAWS", "Broken", "Case", "check_law", "draw_case"]
