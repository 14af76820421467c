"""The tables of the README, from the code; `make readme` renews them, and its pictures."""

from __future__ import annotations

import re
from pathlib import Path

import minigrad as mg
import rnn
from minigrad.tree import flatten
from rnn.cell import state_paths

ROOT = Path(__file__).resolve().parents[1]
CELLS: dict[str, rnn.Cell] = {
    "RNNCell(X, H)": rnn.RNNCell(3, 4),
    "RNNCell(X, H, O, recurrence=all three)": rnn.RNNCell(3, 4, 2, rnn.cells.RECURRENCES),
    "LSTMCell(X, H)": rnn.LSTMCell(3, 4),
    "LSTMCell(X, H, peepholes=True)": rnn.LSTMCell(3, 4, peepholes=True),
    "GRUCell(X, H)": rnn.GRUCell(3, 4),
    "Dense(X, O)": rnn.Dense(3, 2),
    "Stack([RNNCell(X, H), Dense(H, O)])": rnn.Stack([rnn.RNNCell(3, 4), rnn.Dense(4, 2)]),
    "Bidirectional(RNNCell(X, H))": rnn.Bidirectional(rnn.RNNCell(3, 4)),
}


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )


def cells() -> str:
    """The cells of the library: state, parameters, size of the step's graph."""
    rows = []
    for name, cell in CELLS.items():
        delays = [edge.delay for edge in flatten(cell.edges())[0]]
        state = [f"{path} (t{-d:+d})" for path, d in zip(state_paths(cell), delays, strict=True)]
        names = ", ".join(cell.init(0).named())
        operations = sum(n.op not in ("input", "constant") for n in cell.folded().step.nodes)
        rows.append((f"`{name}`", ", ".join(state) or "none", f"`{names}`", str(operations)))
    return table(("cell", "state, and where it comes from", "parameters", "operations"), rows)


def primitives() -> str:
    """The table of primitives."""
    rows = [
        (f"`{p.name}`", p.label, p.kind, f"`{p.signature}`", (p.__doc__ or "").partition("\n")[0])
        for p in mg.PRIMITIVES.values()
    ]
    return table(("name", "label", "kind", "signature", "what it gives"), rows)


def renewed(text: str) -> str:
    """The README with its tables made anew."""
    for name, make in (("cells", cells), ("primitives", primitives)):
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        text = block.sub(lambda m, make=make: f"{m[1]}\n{make()}\n\n{m[2]}", text)
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(renewed(readme.read_text(encoding="utf-8")), encoding="utf-8")
