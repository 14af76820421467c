"""`minigrad figures`: every figure of the seed's text, and a page of them all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viz.figures.gallery import gallery, page
from viz.given import choice
from viz.output.drawing import SUFFIXES
from viz.output.files import write
from viz.output.render import available
from viz.scene.styles import STYLES

KINDS = tuple(suffix[1:] for suffix in SUFFIXES)


def add(commands: Any) -> None:
    """Say what `minigrad figures` takes."""
    p = commands.add_parser("figures", help="draw all figures", description=__doc__)
    p.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("figures"))
    p.add_argument("--style", choices=tuple(STYLES), default="print")
    p.add_argument("--inputs", type=int, default=3, help="columns of x (%(default)s)")
    p.add_argument("--hidden", type=int, default=5, help="units of each layer (%(default)s)")
    p.add_argument("--outputs", type=int, default=2, help="columns of o (%(default)s)")
    p.add_argument(
        "--formats",
        metavar="KINDS",
        help=f"{', '.join(KINDS)}, with commas; by default svg and gv, and png and pdf where "
        "Typst or Graphviz is installed",
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files and the page."""
    kinds = ["svg", "gv"] if args.formats is None else args.formats.split(",")
    for kind in kinds:
        choice("figures", "format", kind, KINDS)
    renderers = available()
    if args.formats is None and any(renderers[name] for name in ("typst", "dot", "pygraphviz")):
        kinds += ["png", "pdf"]
    entries = gallery(args.inputs, args.hidden, args.outputs, args.style)
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OSError(f"figures: -o names a folder, which cannot be made: {error}") from None
    drawn = []
    for entry in entries:
        drawing = entry.drawing()
        drawn.append((entry, drawing))
        for kind in kinds:
            drawing.save(args.output / f"{entry.name}.{kind}")
    index = args.output / "index.html"
    write(str(index), page(drawn).encode())
    print(f"{len(drawn)} figures as {', '.join(kinds)} in {args.output}; all of them: {index}")
    return 0
