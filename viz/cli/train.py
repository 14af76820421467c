"""`minigrad train`: a character model of a text."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnn.checks import whole
from rnn.kinds import LAYERS
from rnn.text.characters import character_model
from rnn.text.reading import read_text
from rnn.text.train import train
from rnn.text.training import Figures, Recipe, Training
from rnn.text.vocabulary import Vocabulary

WEIGHTS = "weights.safetensors"

PLAN = Recipe()
DEFAULTS: dict[str, Any] = {
    "cell": "lstm",
    "hidden": 128,
    "layers": 1,
    "batch": PLAN.batch,
    "length": PLAN.length,
    "lr": PLAN.rate,
    "dtype": "float32",
    "seed": 0,
}
"""What a new run is made with where nothing else is asked for."""


def add(commands: Any) -> None:
    """Say what `minigrad train` takes."""
    p = commands.add_parser("train", help="train a character model on a text", description=__doc__)
    p.add_argument(
        "--text", metavar="FILE", help="UTF-8 text; by default Python's language reference"
    )
    p.add_argument("--steps", type=int, default=2000, help="windows to train on (%(default)s)")
    p.add_argument("--out", metavar="DIR", type=Path, default=Path("run"), help="(%(default)s)")
    p.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in DIR as it was begun, up to --steps; only --lr may be another",
    )

    def option(name: str, about: str, **more: Any) -> None:
        # None says that it was not given, so that --resume can tell what was.
        p.add_argument(f"--{name}", help=f"{about} ({DEFAULTS[name]})", **more)

    option("cell", "of the recurrent layers", choices=LAYERS)
    option("hidden", "units of each layer", type=int)
    option("layers", "recurrent layers", type=int)
    option("batch", "readers side by side", type=int)
    option("length", "steps of a window", type=int)
    option("lr", "Adam's step size", type=float)
    option("dtype", "precision", choices=("float32", "float64"))
    option("seed", "of the first weights", type=int)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, report, save; 130 if Ctrl-C or SIGTERM ended it early."""
    whole("train", "steps", args.steps)
    text, path = read_text(args.text), args.out / WEIGHTS
    given = {name: value for name in DEFAULTS if (value := getattr(args, name)) is not None}
    if args.resume:
        training = resumed(path, given)
    elif path.exists():
        raise FileExistsError(f"{path} holds a run; --resume goes on with it, --out starts another")
    else:
        o = {**DEFAULTS, **given}
        cell = character_model(o["cell"], len(Vocabulary.of(text)), o["hidden"], o["layers"])
        recipe = Recipe(o["batch"], o["length"], o["lr"])
        training = Training.start(cell, text, recipe, o["seed"], o["dtype"])
        args.out.mkdir(parents=True, exist_ok=True)
    training = train(training, text, args.steps, path, report=tell)
    print(f"step {training.step} of {args.steps}, saved in {path}")
    return 0 if training.step >= args.steps else 130


def resumed(path: Path, given: dict[str, Any]) -> Training:
    """The run that was saved, as it was begun; with another rate if one was given.

    Raises:
        ValueError: an option that was given is not what the run was begun with.
    """
    training = Training.load(path)
    known = options(training)
    for name, value in given.items():
        if name != "lr" and known[name] not in (value, None):
            raise ValueError(
                f"--{name} {value}: the run in {path} was begun with {known[name]}; leave it out "
                "to go on with that, or start another run with --out"
            )
    rate = given.get("lr", known["lr"])
    if rate != known["lr"]:
        print(f"going on with rate {rate:g} in place of {known['lr']:g}", file=sys.stderr)
    return replace(training, recipe=replace(training.recipe, rate=rate))


def options(training: Training) -> dict[str, Any]:
    """The options by which a run was begun."""
    *layers, _ = getattr(training.cell, "layers", (training.cell, None))
    kinds = {kind: name for name, kind in LAYERS.items()}
    return {
        "cell": kinds.get(type(layers[0]), type(layers[0]).__name__),
        "hidden": getattr(layers[0], "hidden", None),
        "layers": len(layers),
        "batch": training.recipe.batch,
        "length": training.recipe.length,
        "lr": training.recipe.rate,
        "dtype": next(iter(training.params.named().values())).dtype.name,
        "seed": training.seed,
    }


def tell(training: Training, figures: Figures, bits: float) -> None:
    """One line of a report, above the progress bar."""
    from tqdm import tqdm

    tqdm.write(
        f"step {training.step:5d}  loss {figures.loss:.3f} nats  held-out {bits:.3f} bits/char"
    )
