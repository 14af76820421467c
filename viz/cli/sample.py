"""`minigrad sample`: text from a trained character model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from rnn import checkpoint
from rnn.checks import whole
from rnn.text.sampling import sample
from rnn.text.vocabulary import Vocabulary
from viz.cli.training import WEIGHTS, kind, made_of


def add(commands: Any) -> None:
    """Say what `minigrad sample` takes."""
    p = commands.add_parser("sample", help="let a trained model write", description=__doc__)
    p.add_argument("--weights", metavar="FILE", default=f"run/{WEIGHTS}", help="(%(default)s)")
    p.add_argument("--start", metavar="TEXT", help="what to go on from (the text's first word)")
    p.add_argument("-n", "--characters", type=int, default=400, help="(%(default)s)")
    p.add_argument("--temperature", type=float, default=0.8, help="0 is greedy (%(default)s)")
    p.add_argument(
        "--seed", type=int, default=None, help="of the draws; another each time by default"
    )
    p.add_argument("--cell", type=kind, help="module:name of a cell of one's own")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the start and what follows."""
    if args.cell is not None:
        made_of(args.cell)  # a file says the class of a cell, not the module it came from
    params, cell, known = checkpoint.load(Path(args.weights))
    if "vocabulary" not in known:
        raise ValueError(f"{args.weights!r} holds no vocabulary: it is not a character model")
    vocabulary = Vocabulary(known["vocabulary"])
    # Weights of the version before do not know how their text began.
    start = args.start if args.start is not None else known.get("opening") or vocabulary.decode([0])
    if args.seed is not None:
        whole("sample", "seed", args.seed, least=0)
    rng = np.random.default_rng(args.seed)
    drawn = sample(cell, params, vocabulary, start, args.characters, args.temperature, rng)
    print(start + drawn)
    return 0
