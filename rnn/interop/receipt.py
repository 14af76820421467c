"""What became of every weight in a conversion, as a table that can be read and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from minigrad import files
from minigrad.extras import needed
from rnn.cell import Cell
from rnn.params import Params


class Row(NamedTuple):
    """One parameter: its name and shape here, where it stands there, and what is done to it."""

    ours: str
    shape: tuple[int, ...]
    theirs: str
    done: str


@dataclass(frozen=True)
class Receipt:
    """The table of a conversion.

    Attributes:
        title: from what to what.
        rows: one for each parameter.
        notes: the order of gates, where the reset gate acts, what was assumed, what has no weights.
    """

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        table = [("here", "shape", "there", "")]
        table += [(row.ours, str(row.shape), row.theirs, row.done) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
        return "\n".join([self.title, *lines, *(f"· {note}" for note in self.notes)])

    __repr__ = __str__


@dataclass(frozen=True)
class Imported:
    """A cell with weights from elsewhere; `cell, params = …` takes it apart.

    It prints as its receipt.
    """

    cell: Cell
    params: Params
    receipt: Receipt

    def __iter__(self) -> Iterator[Any]:
        return iter((self.cell, self.params))

    def __repr__(self) -> str:
        return str(self.receipt)


class Named(dict[str, Any]):
    """Arrays by the names that another library gives them, with the `receipt` of their making."""

    receipt: Receipt

    def __init__(self, arrays: Mapping[str, Any], receipt: Receipt) -> None:
        super().__init__(arrays)
        self.receipt = receipt

    def save(self, path: str | Path) -> None:
        """Write them to a safetensors file, whole or not at all."""
        library = needed("safetensors.numpy", "interop", "writing safetensors")
        files.write(path, library.save(dict(self)))


class Listed(list[Any]):
    """Arrays in the order in which another library takes them, with their `receipt`."""

    receipt: Receipt

    def __init__(self, arrays: Sequence[Any], receipt: Receipt) -> None:
        super().__init__(arrays)
        self.receipt = receipt
