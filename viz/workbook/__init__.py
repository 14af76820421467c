"""The unfolded network as a workbook of live formulas, forward and backward: change a number in it.

`rows` says what stands in which row, `formulas` writes an instruction on single numbers as a
spreadsheet does, `book` makes the file.
"""

from viz.workbook.book import write

__all__ = ["write"]
