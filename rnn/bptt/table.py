"""Results that are read: a table of text, the same table in a notebook, a picture on request.

A result is a frozen dataclass of plain arrays. `axes` says what the axes of each array are, and
`table()` what is worth printing; text, HTML and picture follow from the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar
from unicodedata import combining

import numpy as np

from minigrad.extras import needed

WIDTH = 100
"""How many columns of text a table may take."""

ROWS = 30
"""How many rows a table shows, the first and the last ones of longer ones."""


@dataclass(frozen=True)
class Table:
    """A title, names of columns, rows of text or numbers, and sentences below.

    >>> print(Table("squares", ("n", "n²"), ((1, 1.0), (20, 400.0))))
    squares
     n   n²
     1    1
    20  400
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()

    def cells(self, most: int = ROWS) -> list[list[str]]:
        """Header and rows as text, those in the middle left out where there are too many."""
        rows: list[Sequence[Any]] = [self.header, *_abridged(self.rows, most)]
        texts = [[number(x) for x in row] for row in rows]
        widths = [max(_width(row[k]) for row in texts) for k in range(len(self.header))]
        fits = len(widths)
        if sum(widths) + 2 * (fits - 1) <= WIDTH:
            return texts
        while fits > 3 and sum(widths[:fits]) + 2 * fits > WIDTH - 8:
            fits -= 1
        return [_abridged(row, fits) for row in texts]

    def text(self, most: int = ROWS) -> str:
        """The table as text of at most so many rows."""
        texts = self.cells(most)
        # Words stand on the left, numbers on the right, under each other.
        left = [not any(_is_number(row[k]) for row in texts[1:]) for k in range(len(texts[0]))]
        widths = [max(_width(row[k]) for row in texts) for k in range(len(texts[0]))]
        lines = [
            "  ".join(
                text + pad if words else pad + text
                for text, width, words in zip(row, widths, left, strict=True)
                for pad in (" " * (width - _width(text)),)
            ).rstrip()[:WIDTH]
            for row in texts
        ]
        return "\n".join(
            [
                *wrapped(self.title),
                *(lines if self.rows else ()),
                *(line for note in self.notes for line in wrapped(note)),
            ]
        )

    __str__ = text

    def html(self) -> str:
        """The same as an HTML table."""
        head, *rows = ([escape(text) for text in row] for row in self.cells())
        body = "".join(f"<tr>{''.join(f'<td>{x}</td>' for x in row)}</tr>" for row in rows)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        names = "".join(f'<th scope="col">{x}</th>' for x in head)
        return (
            f"<table><caption>{escape(self.title)}</caption><thead><tr>{names}</tr></thead>"
            f"<tbody>{body}</tbody></table>{notes}"
        )


class Result:
    """What a study gives back: arrays, the names of their axes, and a table.

    >>> import numpy as np
    >>> class Squares(Result):
    ...     def table(self):
    ...         return Table("squares", ("n", "n²"), ((2, 4.0),))
    >>> Squares()
    squares
    n  n²
    2   4
    """

    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """For each array of the result the names of its axes."""

    def table(self) -> Table:
        """What is worth printing."""
        raise NotImplementedError(f"{type(self).__name__} needs table()")

    def drawn(self, axes: Any) -> None:
        """Draw on the axes of matplotlib."""
        raise NotImplementedError(f"{type(self).__name__} has no picture; print it")

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table().html()

    def plot(self) -> Any:
        """The picture, as a figure of matplotlib, which is an extra.

        Raises:
            ImportError: matplotlib is not there; says how it is installed.
        """
        figures = needed("matplotlib.figure", "study", f"{type(self).__name__}.plot()")
        figure = figures.Figure(figsize=(6.4, 4.0), layout="constrained")
        self.drawn(figure.add_subplot())
        return figure


def number(x: Any) -> str:
    """A number to three digits, whole numbers and words as they are.

    >>> [number(x) for x in (12, 0.123456, 1e-10, 0.0, "h", None)]
    ['12', '0.123', '1e-10', '0', 'h', '']
    """
    if x is None:
        return ""
    if isinstance(x, float | np.floating):
        return f"{float(x):.3g}"
    return str(x)


def percent(part: Any) -> str:
    """A share as percent.

    >>> percent(0.1234), percent(0.0), percent(1e-6)
    ('12.3 %', '0 %', '0.0001 %')
    """
    return f"{100 * float(part):.3g} %"


def distinct(arrays: Mapping[str, Any]) -> list[str]:
    """The names, but for second names of the same array.

    >>> h, C = np.zeros(2), np.zeros(2)
    >>> distinct({"h": h, "h2": h, "C": C})
    ['h', 'C']
    """
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        if not any(array is other for other in found.values()):
            found[name] = array
    return list(found)


def joined(parts: Sequence[str]) -> str:
    """Several things in one sentence.

    >>> joined(["1", "2", "3"])
    '1, 2 and 3'
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def heat(axes: Any, values: Any, names: tuple[str, str], title: str) -> None:
    """Draw a table of sizes as a heat map, steps counted from 1, zeros left white."""
    norms = needed("matplotlib.colors", "study", "a heat map")
    shown = np.ma.masked_less_equal(values, 0)
    image = axes.imshow(
        shown, norm=norms.LogNorm(), origin="lower",
        extent=(0.5, values.shape[1] + 0.5, 0.5, values.shape[0] + 0.5),
    )  # fmt: skip
    axes.figure.colorbar(image, ax=axes)
    axes.set(ylabel=names[0], xlabel=names[1], title=title)


def _width(text: str) -> int:
    """How many columns a text takes: an accent stands over the letter before it."""
    return sum(not combining(c) for c in text)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"‖?[-+]?(\d[\d.]*(e[-+]?\d+)?|nan|inf)‖?( %|°| of \d+)?", text))


def _abridged(items: Sequence[Any], most: int) -> list[Any]:
    """At most so many items, three dots in place of those in the middle."""
    if len(items) <= most:
        return list(items)
    first = (most + 1) // 2
    gap = "…" if not isinstance(items[0], tuple) else ("…",) * len(items[0])
    return [*items[:first], gap, *items[len(items) - (most - first - 1) :]]


def wrapped(sentence: str) -> list[str]:
    """A sentence in lines that fit; a number stays beside its percent sign."""
    lines, line = [], ""
    for word in re.split(" (?!%)", sentence):
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
