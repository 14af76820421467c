"""The tables of the README, from the code; `make readme` renews them, and its pictures."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import minigrad as mg
from minigrad.habits import NUMPY
from minigrad.tree import flatten
from rnn.cell import state_paths
from rnn.kinds import KINDS, written
from tests.stub import homes

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"3": "X", "4": "H", "2": "O"}
"""What the sizes of the examples stand for."""


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )


def cells() -> str:
    """The kinds of cells: what they are, state, parameters, size of the step's graph."""
    rows = []
    for plain, cell in ((examples[0], cell) for examples in KINDS.values() for cell in examples):
        name = re.sub(r"\b[342]\b", lambda size: SIZES[size[0]], written(cell))
        about = (cell.__doc__ or "").partition("\n")[0] if cell is plain else ""
        delays = [edge.delay for edge in flatten(cell.edges())[0]]
        state = [f"{path} (t{-d:+d})" for path, d in zip(state_paths(cell), delays, strict=True)]
        names = ", ".join(cell.init(0).named())
        operations = sum(n.op not in ("input", "constant") for n in cell.folded().step.nodes)
        rows.append((f"`{name}`", about, ", ".join(state) or "none", f"`{names}`", str(operations)))
    head = ("cell", "what it is", "state, and where it comes from", "parameters", "operations")
    return table(head, rows)


def primitives() -> str:
    """The table of primitives."""
    rows = [
        (f"`{p.name}`", p.label, p.kind, f"`{p.signature}`", (p.__doc__ or "").partition("\n")[0])
        for p in mg.PRIMITIVES.values()
    ]
    return table(("name", "label", "kind", "signature", "what it gives"), rows)


def functions() -> str:
    """The public functions by the idea they stand for, and what NumPy has that is refused."""
    rows = []
    for home, names in homes().items():
        about = (sys.modules[home].__doc__ or "").partition("\n\n")[0].replace("\n", " ")
        rows.append((about, ", ".join(f"`{name}`" for name in names)))
    refused = ", ".join(f"`{name}`" for name in NUMPY)
    rows.append(("Refused by name, with what to do instead (`fft`: all of its module).", refused))
    return table(("what", "functions"), rows)


def renewed(text: str) -> str:
    """The README with its tables made anew."""
    for name, make in (("cells", cells), ("functions", functions), ("primitives", primitives)):
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        text = block.sub(lambda m, make=make: f"{m[1]}\n{make()}\n\n{m[2]}", text)
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(renewed(readme.read_text(encoding="utf-8")), encoding="utf-8")
