"""`minigrad train --task`: a network for one of the exercises, and whether it beats what it must.

Left in the folder: the weights with all that a run needs to go on, and, where matplotlib is there,
the losses and figures on the way as a picture, beside what is to be beaten.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from minigrad.extras import installing, needed
from rnn.bptt.table import Table, number
from rnn.checks import whole
from rnn.exercises import EXERCISES, Exercise, Lesson, train
from rnn.exercises.exercise import Named
from rnn.fit import Fit
from rnn.history import History
from viz.cli.training import WEIGHTS, agreed, made_of, precise, vacant
from viz.output.files import write

TAKEN = ("cell", "hidden", "layers", "lr", "dtype", "seed")
"""The options of a run that a task takes; batches and lengths are its own."""

HISTORY = "history.svg"


def listing() -> str:
    """All tasks, what each is and shows.

    >>> listing().splitlines()[1].split()[:2]
    ['digits', 'one-to-one']
    """
    rows = (f"{name:16} {e.pattern:26} {e.shows}" for name, e in EXERCISES.items())
    return "\n".join(["minigrad train --task NAME trains a network for one of", *rows])


def run(args: argparse.Namespace) -> int:
    """Train, compare, show; 1 if the network is not ahead of its baselines, 130 after Ctrl-C."""
    if not args.task:
        print(listing())
        return 0
    if args.task not in EXERCISES:
        raise ValueError(f"train: there is no task {args.task!r}; there are {', '.join(EXERCISES)}")
    for name in ("batch", "length"):
        if getattr(args, name) is not None:
            raise ValueError(f"train: --{name} is of a text; the task {args.task} has its own")
    exercise = EXERCISES[args.task]
    steps = exercise.steps if args.steps is None else args.steps
    whole("train", "steps", steps)
    path = args.out / WEIGHTS
    given = {name: value for name in TAKEN if (value := getattr(args, name)) is not None}
    own = {"cell": exercise.cell, "hidden": exercise.hidden, "lr": exercise.rate}
    options = {**own, "layers": 1, "dtype": "float32", "seed": 0, **given}
    start, made = None, made_of(options["cell"])  # before the run, which may be of its class
    if args.resume:
        start = resumed(path, args.task)
        options = {**start.about["options"], "lr": agreed(path, given, start.about["options"])}
    else:
        vacant(path)
        for name in ("hidden", "layers"):
            whole("train", name, options[name])
        whole("train", "seed", options["seed"], least=0)
    precise(args.engine, options["dtype"])
    lesson = exercise.lesson()
    print(f"{args.task} ({exercise.pattern}): {exercise.shows}")
    if not args.resume:
        args.out.mkdir(parents=True, exist_ok=True)
    fitted = train(
        exercise, lesson, steps, made, options["hidden"], options["layers"], options["lr"],
        options["seed"], options["dtype"], start, path, tell,
        {"task": args.task, "options": options}, args.engine,
    )  # fmt: skip
    return judged(args.task, exercise, lesson, fitted, steps, args.out)


def resumed(path: Path, task: str) -> Fit:
    """The run that was saved.

    Raises:
        ValueError: it is a run of something else.
    """
    fitted = Fit.load(path)
    begun, options = fitted.about.get("task"), fitted.about.get("options", {})
    if begun != task:
        raise ValueError(f"train: the run in {path} is of the task {begun!r}, not of {task!r}")
    if not {*TAKEN} <= {*options}:
        raise ValueError(f"train: the run in {path} was not begun by this command")
    return fitted


def tell(fitted: Fit) -> None:
    """One line of a report, above the progress bar."""
    from tqdm import tqdm

    history = fitted.history
    found = "  ".join(f"{name} {number(v[-1])}" for name, v in history.judged.items())
    tqdm.write(f"step {fitted.step:5d}  loss {number(history.loss[-1])}  {found}")


def judged(
    name: str, exercise: Exercise, lesson: Lesson, fitted: Fit, steps: int, folder: Path
) -> int:
    """Show what the network does and how it stands to the baselines; gives the exit code."""
    found = lesson.judge(fitted.cell, fitted.params)
    print(f"\nit does:\n{lesson.sample(fitted.cell, fitted.params)}\n")
    print(standing(exercise, {"the network": found, **lesson.baselines}))
    if find_spec("matplotlib") is None:
        left = f"; a picture of the history needs matplotlib: {installing('study')}"
    else:
        picture = io.BytesIO()
        drawn(fitted.history, exercise, lesson.baselines).savefig(picture, format="svg")
        write(str(folder / HISTORY), picture.getvalue())
        left = f", its history drawn in {folder / HISTORY}"
    print(f"step {fitted.step} of {steps}, saved in {folder / WEIGHTS}{left}")
    if fitted.step < steps:
        return 130
    is_ahead = exercise.is_ahead(found, lesson.baselines)
    print(f"{name}: the network {'is' if is_ahead else 'is not'} ahead of its baselines")
    return 0 if is_ahead else 1


def drawn(history: History, exercise: Exercise, baselines: Mapping[str, Named]) -> Any:
    """The losses, and below them the figures, each with the best that a baseline reaches."""
    figures = needed("matplotlib.figure", "study", "a picture of the history")
    figure = figures.Figure(figsize=(6.4, 6.0), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    replace(history, judged={}).drawn(above)
    above.set_xlabel("")
    best = max if exercise.higher else min
    for name, values in history.judged.items():
        (line,) = below.plot(history.at, values, ".-", label=name)
        known = [found[name] for found in baselines.values() if name in found]
        if known:
            below.axhline(best(known), color=line.get_color(), ls=":", label=f"{name}, to beat")
    below.set_xlabel("step")
    below.legend()
    return figure


def standing(exercise: Exercise, found: Mapping[str, Named]) -> Table:
    """The figures of the network and of the baselines, one row each."""
    names = tuple(dict.fromkeys(name for figures in found.values() for name in figures))
    rows = tuple((who, *map(figures.get, names)) for who, figures in found.items())
    better = "higher" if exercise.higher else "lower"
    return Table(f"on what it was not trained on ({better} is better)", ("", *names), rows)
