"""`minigrad explain`: what runs once, before and in the loops over time, forward and backward."""

from __future__ import annotations

import argparse
from typing import Any

import minigrad as mg
from minigrad.engines import ENGINES
from rnn import Cell
from rnn.kinds import LAYERS
from viz.cli.targets import named
from viz.given import MANY, count


def add(commands: Any) -> None:
    """Say what `minigrad explain` takes."""
    p = commands.add_parser("explain", help="say how a cell runs", description=__doc__)
    p.add_argument("target", nargs="?", metavar="module:name", help="a cell of one's own")
    p.add_argument("--cell", choices=LAYERS, default="lstm", help="(%(default)s)")
    p.add_argument("--inputs", type=int, default=64, help="columns X of the input (%(default)s)")
    p.add_argument("--hidden", type=int, default=128, help="columns H (%(default)s)")
    p.add_argument("--batch", type=int, default=32, help="rows B (%(default)s)")
    p.add_argument("--steps", type=int, default=50, help="steps T (%(default)s)")
    p.add_argument("--engine", choices=ENGINES, default="numpy", help="(%(default)s)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    for option in ("inputs", "hidden", "batch", "steps"):
        count("explain", f"--{option}", getattr(args, option), MANY)
    if args.target is None:
        cell = LAYERS[args.cell](args.inputs, args.hidden)
    elif not isinstance(cell := named("explain", args.target), Cell):
        raise ValueError(f"explain takes a cell, got {cell!r:.60}")
    print(mg.explain(cell.folded(args.batch, "float32"), args.steps, args.engine))
    return 0
