"""`minigrad draw`: the picture of a cell, folded or unfolded."""

from __future__ import annotations

import argparse
from typing import Any

import viz
from minigrad.folded import folded_adjoint
from rnn import Cell, RNNCell, Stack
from rnn.cells import RECURRENCES
from rnn.kinds import LAYERS, layered
from viz.given import MANY, count
from viz.views.draw import VIEWS
from viz.views.scenes import LIMIT


def add(commands: Any) -> None:
    """Say what `minigrad draw` takes."""
    p = commands.add_parser("draw", help="draw a cell", description=__doc__)
    p.add_argument("--cell", choices=LAYERS, default="rnn")
    p.add_argument(
        "--recurrence",
        metavar="KINDS",
        default=RECURRENCES[0],
        help=f"of the RNN: {', '.join(RECURRENCES)}, or several with commas between them "
        "(%(default)s)",
    )
    p.add_argument("--layers", type=int, default=1, help="recurrent layers (%(default)s)")
    p.add_argument("--inputs", type=int, default=3, help="columns of x (%(default)s)")
    p.add_argument("--hidden", type=int, default=4, help="units of each layer (%(default)s)")
    p.add_argument("--outputs", type=int, default=2, help="of the RNN's top layer (%(default)s)")
    p.add_argument("--view", choices=VIEWS, help="folded and unfolded by default")
    p.add_argument(
        "--backward", action="store_true", help="draw backpropagation through it instead"
    )
    p.add_argument("--steps", type=int, default=4, help="of the unfolded view (%(default)s)")
    p.add_argument("--level", help="how much detail to draw")
    p.add_argument("-o", "--output", metavar="FILE", help="svg, png, pdf or gv (CELL.svg)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw the cell into a file."""
    cell = drawn_cell(args)
    path = f"{args.cell}.svg" if args.output is None else args.output
    count("draw", "--steps", args.steps, MANY)
    if args.view == "schedule" and args.level in (None, "op"):
        viz.figures.schedule(cell, args.backward).save(path)
    else:
        drawn = folded_adjoint(cell.folded()) if args.backward else cell
        viz.draw(drawn, view=args.view, steps=args.steps, level=args.level).save(path)
    print(path)
    return 0


def drawn_cell(args: argparse.Namespace) -> Cell:
    """The cell that the options describe; all are checked, also those that it has no use for."""
    for option in ("layers", "inputs", "hidden", "outputs"):
        count("draw", f"--{option}", getattr(args, option), LIMIT)
    options = {"outputs": args.outputs, "recurrence": tuple(args.recurrence.split(","))}
    RNNCell(args.inputs, args.hidden, **options)
    taken = LAYERS[args.cell].__dataclass_fields__
    own = {name: value for name, value in options.items() if name in taken}
    layers = layered(args.cell, args.inputs, args.hidden, args.layers, **own)
    return layers[0] if len(layers) == 1 else Stack(layers)
