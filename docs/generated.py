"""What the site takes from the code when it is built: tables, the gallery, the notebook."""

from __future__ import annotations

import doctest
from pathlib import Path

import jupytext
import nbformat

from tests.readme import cells, primitives
from viz.figures.gallery import gallery

DOCS = Path(__file__).resolve().parent


def write(folder: Path) -> None:
    """Write all of them into a folder."""
    folder.mkdir(exist_ok=True)
    pages = {
        "cells": f"# Cells\n\n{cells()}\n",
        "primitives": "# Primitives\n\nEach is defined in one place: NumPy forward, derivative "
        f"rules, signature, label, domain. Leading axes broadcast.\n\n{primitives()}\n",
        "gallery": figures(folder),
    }
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    nbformat.write(notebook((DOCS / "lesson.md").read_text("utf-8")), folder / "lesson.ipynb")


def figures(folder: Path) -> str:
    """The page of all figures, whose pictures are written beside it."""
    parts = ["# The gallery", "Every figure is one call of `viz.figures` or `viz.draw` on a cell."]
    for entry in gallery():
        entry.drawing().save(folder / f"{entry.name}.svg")
        parts += [f"## {entry.title}", f"![{entry.title}]({entry.name}.svg)", entry.caption]
        if entry.formulas:
            parts.append(f"```text\n{entry.formulas.unicode}\n```")
    return "\n\n".join(parts) + "\n"


def notebook(page: str) -> nbformat.NotebookNode:
    r"""A page as a notebook: each example that shows something ends a cell, which will show it.

    >>> page = "Squares:\n\n```python\n>>> n = 3\n>>> n * n\n9\n>>> n * n * n\n27\n```\n"
    >>> [cell.source for cell in notebook(page).cells]
    ['Squares:', 'n = 3\nn * n', 'n * n * n']
    """
    found = jupytext.reads(page, "md")
    found.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    written, found.cells = found.cells, []
    for cell in written:
        if cell.cell_type != "code":
            found.cells.append(cell)
            continue
        source = ""
        for example in doctest.DocTestParser().get_examples(cell.source):
            source += example.source
            if example.want:
                found.cells.append(nbformat.v4.new_code_cell(source.rstrip()))
                source = ""
        if source:
            found.cells.append(nbformat.v4.new_code_cell(source.rstrip()))
    return found
