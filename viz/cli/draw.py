"""`minigrad draw`: the picture of a cell, folded or unfolded.

`minigrad draw pkg.module:name` or `file.py:name` draws a cell of one's own, a folded graph, a
traced graph, a tensor, or a function with `example_inputs`; without it, a cell of the library.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import minigrad as mg
import viz
from minigrad.core import Tensor
from minigrad.folded import Folded, folded_adjoint
from minigrad.graph import Graph
from minigrad.lower.schedule import Schedule
from rnn import Cell, RNNCell, Stack
from rnn.cells import RECURRENCES
from rnn.kinds import LAYERS, layered
from rnn.run import run as run_cell
from viz.cli.targets import named
from viz.given import MANY, count
from viz.output.drawing import DPI
from viz.views.draw import LEVELS, VIEWS
from viz.views.scenes import LIMIT


def add(commands: Any) -> None:
    """Say what `minigrad draw` takes."""
    p = commands.add_parser("draw", help="draw a cell", description=__doc__)
    p.add_argument("target", nargs="?", metavar="module:name", help="what is drawn")
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
    p.add_argument("--around", action="store_true", help="call the steps t−1, t and t+1 instead")
    p.add_argument("--level", help=f"how much detail to draw: {', '.join(LEVELS)}")
    p.add_argument("--on-edges", action="store_true", help="write weights on the edges")
    p.add_argument("--params", default="tags", help="tags beside boxes, or shared nodes")
    p.add_argument("--values", action="store_true", help="draw a run, with values of tensors")
    p.add_argument("--gradients", action="store_true", help="draw a run, with norms of gradients")
    p.add_argument("--style", default="print", help="its name, or a TOML file (%(default)s)")
    p.add_argument("--title", default="", help="written above")
    p.add_argument("--width", help="on paper, such as 8cm")
    p.add_argument("--layout", default="nop2", help="dot and the like let Graphviz place the boxes")
    p.add_argument("--engine", help="graphviz, dot or pygraphviz to render by Graphviz")
    p.add_argument("--force", action="store_true", help="however many boxes there are")
    p.add_argument("--dpi", type=float, default=DPI, help="of a PNG (%(default)s)")
    p.add_argument(
        "-o", "--output", metavar="FILE", help="svg, png, pdf, eps, tikz or gv (CELL.svg)"
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw the cell into a file."""
    made = drawn_cell(args)
    count("draw", "--steps", args.steps, MANY)
    thing = made if args.target is None else _named(args.target)
    name = args.cell if args.target is None else args.target.rpartition(":")[2]
    path = f"{name}.svg" if args.output is None else args.output
    looks = {key: getattr(args, key) for key in ("style", "title", "width", "layout", "engine")}
    if args.view == "schedule" and args.level in (None, "op") and isinstance(thing, Cell):
        if args.backward:
            thing = viz.figures.schedule(thing, True).scene
            drawing = viz.Drawing(thing, args.layout, args.engine, args.width)
        else:
            drawing = viz.draw(thing, "schedule", **looks)
    else:
        if args.values or args.gradients:
            thing = _run(thing, args.steps)
        elif args.backward:
            thing = folded_adjoint(thing.folded() if isinstance(thing, Cell) else thing)
        recorded = isinstance(thing, Tensor | Graph)
        steps = None if recorded else "t" if args.around else args.steps
        drawing = viz.draw(
            thing, args.view, steps, args.level, on_edges=args.on_edges, values=args.values,
            gradients=args.gradients, params=args.params, force=args.force, **looks,
        )  # fmt: skip
    drawing.save(path, args.dpi)
    print(path)
    return 0


def _named(target: str) -> Any:
    """What a target names; a function is traced on its example inputs."""
    thing = named("draw", target, (Folded, Graph, Schedule, Tensor))
    if isinstance(thing, (Cell, Folded, Graph, Schedule, Tensor)):
        return thing
    given = getattr(thing, "example_inputs", None)
    if given is None:
        raise ValueError(
            f"draw: {target} is no cell, graph or tensor; a function is traced on its "
            "example_inputs, such as f.example_inputs = (np.ones(3),)"
        )
    return mg.trace(thing, *(given() if callable(given) else given))


def _run(thing: Any, steps: int) -> Any:
    """The loss of a run of a cell over random inputs, the mean of its squares, with gradients."""
    if not isinstance(thing, Cell):
        return thing
    params = thing.init(0).tensors()
    xs = np.random.default_rng(0).normal(size=(steps, 1, thing.inputs))
    ys, _ = run_cell(thing, params, xs, unfolded=True)
    loss = mg.named("L", mg.mean(ys * ys))
    loss.backward()
    return loss


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
