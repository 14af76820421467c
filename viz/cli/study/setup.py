"""What is studied: which cell, which weights, which sequence, which loss; and that in words.

Every study, and the page of all of them, begins with the one `setup`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import minigrad as mg
from rnn import Cell, Dense, Stack, checkpoint, cross_entropy
from rnn.bptt.chain import shortened
from rnn.checks import whole
from rnn.kinds import LAYERS, written
from rnn.text.vocabulary import Vocabulary
from viz.cli.targets import resolve, steps
from viz.cli.training import WEIGHTS
from viz.given import count

R = TypeVar("R")

LONGEST = 10_000
"""Most steps and units that are studied."""

SHOWN = 60
"""How many characters of a text are told."""

DEFAULTS = {
    "cell": "rnn",
    "inputs": 2,
    "hidden": 3,
    "layers": 1,
    "steps": 6,
    "loss": "last",
    "seed": 0,
}
"""What is studied where nothing else is asked for, and the study has no wishes of its own."""

LOSSES: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "last": ("L = ½ Σ (y⁽ᵀ⁾)²", lambda ys: mg.sum(mg.square(mg.named("y", ys[-1]))) * 0.5),
    "every": ("L = ½ Σₜ Σ (y⁽ᵗ⁾)²", lambda ys: mg.sum(mg.square(ys)) * 0.5),
}
"""Losses of a sequence of numbers, by the steps that they hear."""


@dataclass(frozen=True, eq=False)
class Setup:
    """A network on a sequence, as the functions of `rnn.bptt` take it.

    Attributes:
        cell, params, xs, loss: their arguments.
        text: the characters that are read, one a step; None for a sequence of numbers.
        weights, task: in words, where the weights come from, and what is read and judged.
    """

    cell: Cell
    params: Mapping[str, Any]
    xs: Any
    loss: Callable[[Any], Any]
    text: str | None
    weights: str
    task: str

    def study(self, function: Callable[..., R], *more: Any, **named: Any) -> R:
        """What a function makes of it that takes its arguments as those of `rnn.bptt` do."""
        return function(self.cell, self.params, self.xs, self.loss, *more, **named)

    @property
    def title(self) -> str:
        """All in one sentence."""
        return f"{written(self.cell)}, {self.weights}; T = {len(self.xs)}, {self.task}"


def options(parser: Any, wishes: Mapping[str, Any], is_inner: bool = False) -> None:
    """Say what `setup` takes, and what it chooses by itself.

    Those of an inner parser leave alone what was given before its name.
    """
    usual = {**DEFAULTS, **wishes}
    unsaid = {"default": argparse.SUPPRESS} if is_inner else {}

    def add(name: str, about: str, **how: Any) -> None:
        told = f"{about} ({usual[name]})" if name in usual else about
        parser.add_argument(f"--{name}", help=told, **how, **unsaid)

    add("cell", f"{', '.join(LAYERS)}; your own as pkg.module:name or file.py:name", metavar="NAME")
    add("inputs", "columns of x, where no text is read", type=int, metavar="X")
    add("hidden", "units of a layer", type=int, metavar="H")
    add("layers", "recurrent layers", type=int, metavar="N")
    add("steps", "of the sequence; all of a text", type=int, metavar="T")
    add("weights", "a trained network: its folder, or its weights file", metavar="RUN")
    add("text", "what to read; each character is predicted from those before", metavar="TEXT")
    add("loss", "the steps whose outputs are judged", choices=tuple(LOSSES))
    add("seed", "of first weights and random inputs", type=int)


def setup(args: argparse.Namespace, wishes: Mapping[str, Any]) -> Setup:
    """The network, its weights, a sequence and a loss, as the options describe them.

    Args:
        args: with the options of `options`; None where one was not given.
        wishes: what a study would have in place of `DEFAULTS`.

    Raises:
        OSError, ValueError: they describe nothing; the message says what to do.
    """
    for name in ("inputs", "hidden", "layers", "steps"):
        if getattr(args, name) is not None:
            count("study", f"--{name}", getattr(args, name), LONGEST)
    given = {name: value for name, value in vars(args).items() if value is not None}
    chosen = {**DEFAULTS, **wishes, **given}
    whole("study", "--seed", chosen["seed"], least=0)
    if args.text is not None and args.steps is not None:
        args.text = args.text[: args.steps + 1]
    if args.weights is not None:
        return _trained(args, chosen)
    weights = f"first weights (seed {chosen['seed']})"
    if args.text is None:
        cell = _cell(args, chosen, chosen["inputs"])
        return _random(cell, cell.init(chosen["seed"]), chosen, weights)
    vocabulary = Vocabulary.of(args.text)
    cell = _cell(args, chosen, len(vocabulary))
    cell = Stack([*getattr(cell, "layers", (cell,)), Dense(cell.width, len(vocabulary))])
    return _reading(cell, cell.init(chosen["seed"]), vocabulary, args.text, chosen, weights)


def _cell(args: argparse.Namespace, chosen: Mapping[str, Any], inputs: int) -> Cell:
    """The cell of that name, with as many layers as are asked for."""
    name, hidden = chosen["cell"], chosen["hidden"]
    if name in LAYERS:
        make: Any = LAYERS[name]
    elif ":" in name or name.endswith(".py"):
        make = None
    else:
        raise ValueError(
            f"study: unknown cell {name!r}; there are {', '.join(LAYERS)}, and your own as "
            "pkg.module:name or file.py:name"
        )
    layers: list[Cell] = []
    for k in range(chosen["layers"]):
        below = layers[-1].width if k else inputs
        layers.append(make(below, hidden) if make else _own(args, name, below, hidden))
    return layers[0] if len(layers) == 1 else Stack(layers)


def _own(args: argparse.Namespace, target: str, inputs: int, hidden: int) -> Cell:
    """A cell of the reader's own, made with these sizes where only its class is named."""
    sizes = {"inputs": inputs, "hidden": hidden, "outputs": hidden}
    found = [thing for _, thing in resolve("study", target, sizes) if isinstance(thing, Cell)]
    if len(found) != 1:
        what = "no cell" if not found else f"{len(found)} cells"
        raise ValueError(f"study: {target!r} holds {what}; name one as pkg.module:name")
    cell = steps("study", target, found[0])
    for name in ("inputs", "hidden"):
        asked, has = getattr(args, name), getattr(cell, name, None)
        if asked is not None and has != asked:
            raise ValueError(
                f"study: {target} has {name} = {has}, which --{name} {asked} cannot change"
            )
    if cell.inputs != inputs and args.text is not None:
        raise ValueError(
            f"study: {target} takes {cell.inputs} columns, but the text has {inputs} characters; "
            "name its class, which is then made as wide"
        )
    return cell


def _trained(args: argparse.Namespace, chosen: Mapping[str, Any]) -> Setup:
    """A network that was trained, on a text or on random inputs."""
    for name in ("inputs", "hidden", "layers"):
        if getattr(args, name) is not None:
            raise ValueError(f"study: --{name} is told by --weights; leave it out")
    if args.cell is not None and args.cell not in LAYERS:
        list(resolve("study", args.cell))  # a class of one's own is known once it is loaded
    path = Path(args.weights)
    path = path / WEIGHTS if path.is_dir() else path
    params, cell, known = checkpoint.load(path)
    weights = f"weights of {path}"
    if "vocabulary" in known:
        text = known.get("opening", "") if args.text is None else args.text
        return _reading(cell, params, Vocabulary(known["vocabulary"]), text, chosen, weights)
    if args.text is not None:
        raise ValueError(f"study: {str(path)!r} holds no vocabulary, so it cannot read a text")
    return _random(cell, params, chosen, weights)


def _random(
    cell: Cell, params: Mapping[str, Any], chosen: Mapping[str, Any], weights: str
) -> Setup:
    """A network on a sequence of random numbers."""
    rng = np.random.default_rng(chosen["seed"])
    xs = rng.normal(size=(chosen["steps"], 1, cell.inputs))
    told, loss = LOSSES[chosen["loss"]]
    return Setup(cell, params, xs, loss, None, weights, f"random inputs, {told}")


def _reading(
    cell: Cell,
    params: Mapping[str, Any],
    vocabulary: Vocabulary,
    text: str,
    chosen: Mapping[str, Any],
    weights: str,
) -> Setup:
    """A network that reads a text and is to say at every step which character comes next."""
    if len(text) < 2:
        raise ValueError(
            f"study: --text {text!r} is too short: it needs a character to read and one to predict"
        )
    count("study", "the steps of --text", len(text) - 1, LONGEST)
    classes = vocabulary.encode(text)
    xs, targets = classes[:-1, None], classes[1:, None]
    first = len(targets) - 1 if chosen["loss"] == "last" else 0
    whom = f"the last character, {text[-1]!r}" if first else "every next character, their mean"
    return Setup(
        cell, params, xs, lambda ys: cross_entropy(ys[first:], targets[first:]), text[:-1], weights,
        f"reads {shortened(text[:-1], SHOWN)!r}, L = −log p of {whom}",
    )  # fmt: skip
