"""`minigrad train`: a character model of a text."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rnn.characters import CELLS, character_model
from rnn.data.text import Vocabulary, read_text
from rnn.train import Figures, Recipe, Training, train

WEIGHTS = "weights.safetensors"


def add(commands: Any) -> None:
    """Say what `minigrad train` takes."""
    plan = Recipe()
    p = commands.add_parser("train", help="train a character model on a text", description=__doc__)
    p.add_argument("--cell", choices=CELLS, default="lstm")
    p.add_argument(
        "--text", metavar="FILE", help="UTF-8 text; by default Python's language reference"
    )
    p.add_argument("--hidden", type=int, default=128, help="units of each layer (%(default)s)")
    p.add_argument("--layers", type=int, default=1, help="recurrent layers (%(default)s)")
    p.add_argument("--steps", type=int, default=2000, help="windows to train on (%(default)s)")
    p.add_argument(
        "--batch", type=int, default=plan.batch, help="readers side by side (%(default)s)"
    )
    p.add_argument(
        "--length", type=int, default=plan.length, help="steps of a window (%(default)s)"
    )
    p.add_argument("--lr", type=float, default=plan.rate, help="Adam's step size (%(default)s)")
    p.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    p.add_argument("--seed", type=int, default=0, help="of the first weights (%(default)s)")
    p.add_argument("--out", metavar="DIR", type=Path, default=Path("run"), help="(%(default)s)")
    p.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in DIR as it was begun, up to --steps",
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, report, save; 130 if Ctrl-C ended it early."""
    if args.steps < 1:
        raise ValueError(f"--steps must be at least 1, got {args.steps}")
    text, path = read_text(args.text), args.out / WEIGHTS
    if args.resume:
        training = Training.load(path)
    elif path.exists():
        raise FileExistsError(f"{path} holds a run; --resume goes on with it, --out starts another")
    else:
        args.out.mkdir(parents=True, exist_ok=True)
        cell = character_model(args.cell, len(Vocabulary.of(text)), args.hidden, args.layers)
        recipe = Recipe(args.batch, args.length, args.lr)
        training = Training.start(cell, text, recipe, args.seed, args.dtype)
    training = train(training, text, args.steps, path, report=tell)
    print(f"step {training.step} of {args.steps}, saved in {path}")
    return 0 if training.step >= args.steps else 130


def tell(training: Training, figures: Figures, bits: float) -> None:
    """One line of a report, above the progress bar."""
    from tqdm import tqdm

    tqdm.write(
        f"step {training.step:5d}  loss {figures.loss:.3f} nats  held-out {bits:.3f} bits/char"
    )
