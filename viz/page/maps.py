"""Heat maps as tables: scales of nine levels, and the cells of the page as it is written.

The script of the page paints the same tables by the same scales.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rnn.bptt.table import number, percent


@dataclass(frozen=True)
class Scale:
    """Nine levels of a heat map.

    Attributes:
        kind: "d", around the middle, or "s", from nothing on.
        breaks: where the next level begins.
        labels: what the legend says of each level.
    """

    kind: str
    breaks: tuple[float, ...]
    labels: tuple[str, ...]

    def level(self, x: float) -> str:
        """The class of a number.

        >>> SCALES["value"].level(0.0), SCALES["norm"].level(1.0)
        ('d4', 's8')
        """
        return f"{self.kind}{bisect_right(self.breaks, x)}"


SCALES = {
    "value": Scale("d", (-0.75, -0.5, -0.25, -0.05, 0.05, 0.25, 0.5, 0.75),
                   ("−1", "−¾", "−½", "−¼", "0", "¼", "½", "¾", "1")),
    "share": Scale("d", (-0.5, -0.1, -0.02, -0.002, 0.002, 0.02, 0.1, 0.5),
                   ("≤ −½", "−10 %", "−2 %", "−0.2 %", "0", "0.2 %", "2 %", "10 %", "≥ ½")),
    "norm": Scale("s", (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5),
                  ("0", "10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "0.1 %", "1 %", "10 %", "largest")),
    "gain": Scale("d", (1e-4, 1e-3, 1e-2, 0.3, 3.0, 10.0, 100.0, 1000.0),
                  ("< 10⁻⁴", "10⁻⁴", "0.1 %", "1 %", "kept", "× 3", "× 10", "× 100", "> 1000")),
}  # fmt: skip


@dataclass(frozen=True)
class Map:
    """A heat map as a table.

    Attributes:
        name: in the page; `caption`: what it shows; `scale`: one of `SCALES`.
        corner, columns: what stands above.
        rows: the head of each, and for each cell its class and text.
    """

    name: str
    caption: str
    scale: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def heat_map(
    name: str, caption: str, scale: str, corner: str, columns: Iterable[Any],
    heads: Iterable[Any], table: Sequence[Sequence[float | None]], most: float = 1.0,
) -> Map:  # fmt: skip
    """The map of a table of numbers, which are seen as parts of `most`."""
    write = percent if scale == "share" else number

    def cell(x: float | None) -> tuple[str, str]:
        if x is None or x == 0:
            return "none", "" if x is None else "0"
        return SCALES[scale].level(x / most), write(float(x)).replace("-", "−")

    rows = tuple((str(head), tuple(map(cell, row))) for head, row in zip(heads, table, strict=True))
    return Map(name, caption, scale, corner, tuple(map(str, columns)), rows)
