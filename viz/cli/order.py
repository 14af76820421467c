"""`minigrad order`: what the order of samples and of steps is worth, in numbers and as a plot."""

from __future__ import annotations

import argparse
import io
from typing import Any

from rnn.checks import whole
from rnn.exercises.order import order
from viz.cli.training import kind, made_of
from viz.output.files import write

FORMATS = ("svg", "png", "pdf")


def add(commands: Any) -> None:
    """Say what `minigrad order` takes."""
    p = commands.add_parser("order", help="show that order matters", description=__doc__)
    p.add_argument("--cell", type=kind, default="gru", help="as of train (%(default)s)")
    p.add_argument("--hidden", type=int, default=48, help="units (%(default)s)")
    p.add_argument("--steps", type=int, default=400, help="batches to train on (%(default)s)")
    p.add_argument("--seed", type=int, default=0, help="of weights and shuffles (%(default)s)")
    p.add_argument("-o", "--output", metavar="FILE", help="draw it: svg, png, pdf")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train nine times, print, draw."""
    whole("order", "hidden", args.hidden)
    whole("order", "steps", args.steps)
    whole("order", "seed", args.seed, least=0)
    suffix = args.output and args.output.rpartition(".")[2]
    if args.output is not None and suffix not in FORMATS:  # before the work
        names = ", ".join(f".{name}" for name in FORMATS)
        raise ValueError(f"order: {args.output!r} must end in one of {names}")
    found = order(made_of(args.cell), args.hidden, args.steps, args.seed)
    print(found)
    if args.output is not None:
        picture = io.BytesIO()
        found.plot().savefig(picture, format=suffix)
        write(args.output, picture.getvalue())
        print(args.output)
    return 0
