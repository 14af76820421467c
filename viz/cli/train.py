"""`minigrad train`: a character model of a text, or a network for one of the tasks."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from minigrad.engines import ENGINES
from rnn.checks import whole
from rnn.descent import Figures
from rnn.kinds import LAYERS
from rnn.text.characters import character_model
from rnn.text.reading import read_text
from rnn.text.train import train
from rnn.text.training import Recipe, Training
from rnn.text.vocabulary import Vocabulary
from viz.cli import tasks
from viz.cli.training import WEIGHTS, agreed, kind, made_of, precise, vacant

STEPS = 2000
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
    p = commands.add_parser("train", help="train on a text or a task", description=__doc__)
    what = p.add_mutually_exclusive_group()
    what.add_argument(
        "--text", metavar="FILE", help="UTF-8 text; by default Python's language reference"
    )
    what.add_argument(
        "--task",
        metavar="NAME",
        nargs="?",
        const="",
        help="a task in place of a text; "
        "--task alone lists them. Sizes and steps are then the task's own where none are given",
    )
    p.add_argument("--steps", type=int, help=f"windows to train on ({STEPS})")
    p.add_argument("--out", metavar="DIR", type=Path, default=Path("run"), help="(%(default)s)")
    p.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in DIR as it was begun, up to --steps; only --lr may be another",
    )

    def option(name: str, about: str, **more: Any) -> None:
        # None says that it was not given, so that --resume can tell what was.
        p.add_argument(f"--{name}", help=f"{about} ({DEFAULTS[name]})", **more)

    option("cell", f"{', '.join(LAYERS)}, or module:name of one's own", type=kind)
    option("hidden", "units of each layer", type=int)
    option("layers", "recurrent layers", type=int)
    option("batch", "readers side by side", type=int)
    option("length", "steps of a window", type=int)
    option("lr", "Adam's step size", type=float)
    option("dtype", "precision", choices=("float32", "float64"))
    option("seed", "of the first weights", type=int)
    p.add_argument(
        "--engine", choices=ENGINES, default="numpy", help="computes the gradients (%(default)s)"
    )
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, report, save; 130 if Ctrl-C or SIGTERM ended it early."""
    if args.task is not None:
        return tasks.run(args)
    steps = STEPS if args.steps is None else args.steps
    whole("train", "steps", steps)
    text, path = read_text(args.text), args.out / WEIGHTS
    given = {name: value for name in DEFAULTS if (value := getattr(args, name)) is not None}
    made = made_of(given.get("cell", DEFAULTS["cell"]))
    if args.resume:
        if callable(made):  # the file says the class of a cell, not the module it came from
            given["cell"] = type(made(3, 4)).__name__
        training = resumed(path, given)
        precise(args.engine, options(training)["dtype"])
    else:
        vacant(path)
        o = {**DEFAULTS, **given}
        precise(args.engine, o["dtype"])
        cell = character_model(made, len(Vocabulary.of(text)), o["hidden"], o["layers"])
        recipe = Recipe(o["batch"], o["length"], o["lr"])
        training = Training.start(cell, text, recipe, o["seed"], o["dtype"])
        args.out.mkdir(parents=True, exist_ok=True)
    training = train(training, text, steps, path, report=tell, engine=args.engine)
    print(f"step {training.step} of {steps}, saved in {path}")
    return 0 if training.step >= steps else 130


def resumed(path: Path, given: dict[str, Any]) -> Training:
    """The run that was saved, as it was begun; with another rate if one was given.

    Raises:
        ValueError: an option that was given is not what the run was begun with.
    """
    training = Training.load(path)
    rate = agreed(path, given, options(training))
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
