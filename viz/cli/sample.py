"""`minigrad sample`: text from a trained character model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from rnn import checkpoint
from rnn.data.text import Vocabulary
from rnn.sampling import sample
from viz.cli.train import WEIGHTS


def add(commands: Any) -> None:
    """Say what `minigrad sample` takes."""
    p = commands.add_parser("sample", help="let a trained model write", description=__doc__)
    p.add_argument("--weights", metavar="FILE", default=f"run/{WEIGHTS}", help="(%(default)s)")
    p.add_argument(
        "--start", metavar="TEXT", default="The ", help="what to go on from (%(default)r)"
    )
    p.add_argument("-n", "--characters", type=int, default=400, help="(%(default)s)")
    p.add_argument("--temperature", type=float, default=0.8, help="0 is greedy (%(default)s)")
    p.add_argument(
        "--seed", type=int, default=None, help="of the draws; another each time by default"
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the start and what follows."""
    params, cell, known = checkpoint.load(Path(args.weights))
    if "vocabulary" not in known:
        raise ValueError(f"{args.weights!r} holds no vocabulary: it is not a character model")
    rng = np.random.default_rng(args.seed)
    vocabulary = Vocabulary(known["vocabulary"])
    drawn = sample(cell, params, vocabulary, args.start, args.characters, args.temperature, rng)
    print(args.start + drawn)
    return 0
