"""`minigrad ops`: the table of primitives."""

from __future__ import annotations

import argparse
from typing import Any

import minigrad as mg
from minigrad import Primitive

COLUMNS = ("name", "kind", "signature", "label", "domain", "what it gives")


def add(commands: Any) -> None:
    """Say what `minigrad ops` takes."""
    p = commands.add_parser("ops", help="list the primitives", description=__doc__)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    rows = [COLUMNS, *(row(primitive) for primitive in mg.PRIMITIVES.values())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        print("  ".join(text.ljust(w) for text, w in zip(cells, widths, strict=True)).rstrip())
    return 0


def row(primitive: Primitive) -> tuple[str, ...]:
    """What the table says of a primitive.

    >>> row(mg.PRIMITIVES["tanh"])[:5]
    ('tanh', 'elementwise', '()->()', 'tanh', '[-3, 3]')
    """
    domain = ", ".join(
        f"[{kind[0]:g}, {kind[1]:g}]" if isinstance(kind, tuple) else str(kind)
        for kind in primitive.domain
    )
    about = (primitive.__doc__ or "").partition("\n")[0]
    return (primitive.name, primitive.kind, primitive.signature, primitive.label, domain, about)
