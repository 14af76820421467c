"""What the site takes from the code when it is built: tables, the gallery, the notebook."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import jupytext
import nbformat

import minigrad as mg
from minigrad.habits import NUMPY
from minigrad.tree import flatten
from rnn.cell import state_paths
from rnn.kinds import KINDS, written
from tests.stub import homes
from viz.figures.gallery import gallery

DOCS = Path(__file__).resolve().parent
SIZES = {"3": "X", "4": "H", "2": "O"}
"""What the sizes of the examples of cells stand for."""


def write(folder: Path) -> None:
    """Write all of them into a folder."""
    folder.mkdir(exist_ok=True)
    pages = {"cells": cells(), "functions": functions(), "primitives": primitives()}
    for name, text in {**pages, "gallery": figures(folder)}.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    nbformat.write(notebook((DOCS / "lesson.md").read_text("utf-8")), folder / "lesson.ipynb")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines
    )


def cells() -> str:
    """The kinds of cells: what they are, state, parameters, size of the step's graph."""
    rows = []
    for plain, cell in ((examples[0], cell) for examples in KINDS.values() for cell in examples):
        name = re.sub(r"\b[342]\b", lambda size: SIZES[size[0]], written(cell))
        about = (cell.__doc__ or "").partition("\n")[0] if cell is plain else ""
        paths = zip(state_paths(cell), flatten(cell.edges())[0], strict=True)
        state = [f"{path} (t{-d:+d})" for path, edge in paths for d in edge.lags]
        names = ", ".join(cell.init(0).named())
        operations = sum(n.op not in ("input", "constant") for n in cell.folded().step.nodes)
        what = f"`{name}`" + (f"<br>{about}" if about else "")
        parameters = f"`{names}`" if names else "none"
        rows.append((what, ", ".join(state) or "none", parameters, str(operations)))
    head = ("cell", "state, and where it comes from", "parameters", "operations")
    return f"# Cells\n\n{table(head, rows)}"


def primitives() -> str:
    """The table of primitives."""
    rows = [
        (f"`{p.name}`", p.label, p.kind, f"`{p.signature}`", (p.__doc__ or "").partition("\n")[0])
        for p in mg.PRIMITIVES.values()
    ]
    head = ("name", "label", "kind", "signature", "what it gives")
    about = (
        "Each is defined in one place: NumPy forward, derivative rules, signature, label, domain. "
        "Leading axes broadcast."
    )
    return f"# Primitives\n\n{about}\n\n{table(head, rows)}"


def functions() -> str:
    """The public functions by the idea they stand for, and what NumPy has that is refused."""
    rows = []
    for home, names in homes().items():
        about = (sys.modules[home].__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        rows.append((about, ", ".join(f"`{name}`" for name in names)))
    refused = ", ".join(f"`{name}`" for name in NUMPY)
    rows.append(("Refused by name, with what to do instead (`fft`: all of its module).", refused))
    about = "All of `minigrad.*` that computes, in NumPy's words; `np.*` of a tensor is the same."
    return f"# Functions\n\n{about}\n\n{table(('what', 'functions'), rows)}"


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
