"""The scalar engine: from a graph of arrays to instructions on single numbers.

What computes with one number at a time, such as a spreadsheet or a script in a page, runs these.
`expanded` is the way in: the operations' own NumPy forwards run on arrays of `symbols`, which write
down what is done to them. Whoever shows them prints them: a page, a workbook.
"""

from minigrad.engines.scalars.expanded import Expanded, expanded
from minigrad.engines.scalars.instructions import MEANING, Instruction, Place

__all__ = ["MEANING", "Expanded", "Instruction", "Place", "expanded"]
