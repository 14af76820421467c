"""The file: rows as cells of a spreadsheet, by openpyxl."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.extras import needed
from rnn.bptt.recorded import Loss, plain, recorded
from rnn.cell import Cell
from viz.output import files
from viz.scene.label import clean
from viz.workbook.formulas import formula
from viz.workbook.rows import BACKWARD, FORWARD, Row, Rows, laid_out

CELLS = 20_000
"""A workbook of more formulas is refused: nobody reads it, and it opens slowly."""

TEXT = 120
"""How many characters of a formula in names are shown."""

HEAD, FIRST = 3, 3
"""The last row of the head; the column of the first entry, after name and formula in names."""

TOLD = {
    FORWARD: "change a yellow cell, and all the rest follows, forward and backward",
    BACKWARD: "from the last step to the first; the gradients of the weights are at the end",
}


def write(
    path: str | Path,
    cell: Cell,
    params: Mapping[str, Any],
    xs: Any,
    loss: Loss,
    state: Any = None,
) -> Path:
    """The file written: the unfolded network, forward and backward, as live formulas.

    The sheet “forward” has the weights, start values and inputs, which are to be changed, then
    every named value of every step, then L. The sheet “backward” has the derivative of L by each
    of them, from the last step to the first. A row is a value, its entries are in columns, and the
    second column says in names how it comes about.

    Args:
        path: of the file, `.xlsx`.
        cell: any.
        params: from `cell.init`.
        xs: the sequence `(T, B, X)`, or class indices `(T, B)`, which cannot be changed then.
        loss: a function of the outputs `(T, B, O)` that gives a number.
        state: start values, as `rnn.run` takes them, and chooses them if None.

    Raises:
        ImportError: openpyxl is not there; says how it is installed.
        ValueError: more than 20,000 formulas, an operation that no spreadsheet knows, or a number
            that is not finite.

    >>> import tempfile, numpy as np, minigrad as mg, rnn
    >>> cell, xs = rnn.RNNCell(2, 3), np.ones((3, 1, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write(f"{folder}/rnn.xlsx", cell, cell.init(0), xs, lambda ys: mg.mean(ys**2))
    ...     path.name
    'rnn.xlsx'
    """
    openpyxl = needed("openpyxl", "study", "a workbook")
    path = Path(path)
    if path.suffix != ".xlsx":
        raise ValueError(f"workbook: the name ends in .xlsx, got {str(path)!r}")
    params, xs, state = mg.tree_map(_double, (params, xs, state))
    run = recorded(cell, params, xs, loss, state)
    # A formula for each entry of each value, and one for its derivative: told before the work.
    _few(2 * run.steps * sum(math.prod(run.folded.step.nodes[k].shape) for k in run.names.values()))
    rows = laid_out(run, loss)
    _few(sum(len(row.lines) for row in rows.rows if row.given is None))
    book = openpyxl.Workbook()
    sheets = {FORWARD: book.active, BACKWARD: book.create_sheet()}
    places = _places(rows.rows, openpyxl.utils.get_column_letter)
    paint = _Paint(openpyxl.styles)
    for name, sheet in sheets.items():
        width = max((len(row.lines) for row in rows.rows if row.sheet == name), default=0)
        paint.head(sheet, name, f"{cell.label}, {len(xs)} steps: {TOLD[name]}", width)
    for row, columns, contents in zip(rows.rows, places, _contents(rows, places), strict=True):
        sheet = sheets[row.sheet]
        for at, content in zip(columns, contents, strict=True):
            sheet[at] = content
            if row.given is not None:
                paint.given(sheet[at])
        paint.text(sheet[f"A{sheet.max_row}"], row.label, bold=True)
        paint.text(sheet[f"B{sheet.max_row}"], row.about)
        if row.label == "L":
            for copy in sheets.values():
                copy["C2"] = f"={FORWARD}!{columns[0]}"
    book.calculation.fullCalcOnLoad = True
    file = io.BytesIO()
    book.save(file)
    files.write(str(path), file.getvalue())
    return path


def _few(count: int) -> None:
    if count > CELLS:
        raise ValueError(
            f"workbook: {count:,} formulas are too many to read (limit {CELLS:,}); take fewer "
            "steps, samples or units"
        )


def _places(rows: Sequence[Row], letter: Callable[[int], str]) -> list[list[str]]:
    """For each row the addresses of its entries."""
    count, places = {FORWARD: HEAD, BACKWARD: HEAD}, []
    for row in rows:
        count[row.sheet] += 1
        here = count[row.sheet]
        places.append([f"{letter(FIRST + n)}{here}" for n in range(len(row.lines))])
    return places


def _contents(rows: Rows, places: Sequence[Sequence[str]]) -> Iterator[list[float | str]]:
    """For each row its entries: numbers, formulas, or = and the cell that has it already."""
    homes: dict[int, tuple[str, str]] = {}
    for row, columns in zip(rows.rows, places, strict=True):
        for k, at in zip(row.lines, columns, strict=True):
            if rows.lines[k].op != "constant":
                homes.setdefault(k, (row.sheet, at))
    refer = {
        here: {k: at if sheet == here else f"{sheet}!{at}" for k, (sheet, at) in homes.items()}
        for here in (FORWARD, BACKWARD)
    }
    for row, columns in zip(rows.rows, places, strict=True):
        known, found = refer[row.sheet], list[float | str]()
        for n, (k, at) in enumerate(zip(row.lines, columns, strict=True)):
            if row.given is not None:
                found.append(_finite(row.given[n], row.label))
            elif k not in homes:
                found.append(_finite(rows.lines[k].value, row.label))
            elif homes[k] == (row.sheet, at):
                found.append(formula(rows.lines, k, known))
            else:
                found.append(f"={known[k]}")
        yield found


class _Paint:
    """How cells look."""

    def __init__(self, styles: Any) -> None:
        self.bold, self.grey = (
            styles.Font("Calibri", bold=True),
            styles.Font("Calibri", color="6B6B6B"),
        )
        self.yellow = styles.PatternFill("solid", fgColor="FFF2CC")

    def head(self, sheet: Any, name: str, title: str, width: int) -> None:
        """The first lines of a sheet, which stay in sight with the first columns."""
        sheet.title = name
        self.text(sheet["A1"], title, bold=True)
        self.text(sheet["A2"], "L", bold=True)
        self.text(sheet["B2"], "the loss, beside what changes it")
        self.text(sheet.cell(HEAD, 1), "value")
        self.text(sheet.cell(HEAD, 2), "how it comes about; entries in columns")
        for n in range(width):
            sheet.cell(HEAD, FIRST + n).value = n + 1
        sheet.freeze_panes = sheet.cell(HEAD + 1, FIRST)
        for column, width in (("A", 22), ("B", 48)):
            sheet.column_dimensions[column].width = width
        sheet.sheet_properties.pageSetUpPr.fitToPage = True  # in width; as many pages as it takes
        sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
        sheet.print_title_rows = f"1:{HEAD}"

    def text(self, cell: Any, text: str, bold: bool = False) -> None:
        """A text that stays one, also when it begins like a formula, and when it is edited."""
        cell.value = clean(text, TEXT)
        cell.data_type = "s"
        cell.quotePrefix = True
        cell.font = self.bold if bold else self.grey

    def given(self, cell: Any) -> None:
        """A number for the reader to change."""
        cell.fill = self.yellow


def _double(x: Any) -> Any:
    """An array in double precision, in which spreadsheets compute; anything else as it is."""
    x = plain(x)
    return x.astype(float) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def _finite(x: float, what: str) -> float:
    if not math.isfinite(x):
        raise ValueError(f"workbook: {what} holds {x}, and a spreadsheet has no such number")
    return x
