"""`minigrad demo`: from nothing to a network that writes, its pictures and its page, in a minute.

An LSTM learns the Python language reference, character by character, and is measured against
models that only count; the judge is a tenth of the text that neither has seen. It ends with the
page of what was learnt: the trained network on a sentence of that tenth, forward and backward.
"""

from __future__ import annotations

import argparse
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

import viz
from minigrad.extras import installing
from rnn import Cell, cross_entropy
from rnn.checks import whole
from rnn.descent import Figures
from rnn.text.baselines import bits_per_character
from rnn.text.characters import character_model
from rnn.text.reading import read_text
from rnn.text.sampling import sample
from rnn.text.streams import split
from rnn.text.train import train
from rnn.text.training import Recipe, Training
from rnn.text.vocabulary import Vocabulary
from viz.cli.training import WEIGHTS
from viz.page import write

STEPS = 2000

READ = 24
"""Characters on the page: at this width the numbers of 24 take ten seconds, those of 50 forty."""

PAGE = "study.html"


def add(commands: Any) -> None:
    """Say what `minigrad demo` takes."""
    p = commands.add_parser("demo", help="train, sample and draw", description=__doc__)
    p.add_argument("--out", metavar="DIR", type=Path, default=Path("demo"), help="(%(default)s)")
    p.add_argument("--steps", type=int, default=STEPS, help="of training (%(default)s)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, compare, draw; 1 if the network does not beat the trigram, 130 after Ctrl-C."""
    whole("demo", "steps", args.steps)
    args.out.mkdir(parents=True, exist_ok=True)
    text = read_text()
    vocabulary = Vocabulary.of(text)
    baselines = bits_per_character(*split(vocabulary.encode(text)), len(vocabulary))
    print(f"{len(text):,} characters of the Python language reference, {len(vocabulary)} different")
    print("bits per character on the held-out tenth:")
    for name, bits in baselines.items():
        print(f"  {name:8} {bits:.3f}")
    cell = character_model("lstm", len(vocabulary), hidden=128)
    draw(cell, args.out)
    training = Training.start(cell, text, Recipe())
    reached = math.inf

    def tell(training: Training, figures: Figures, bits: float) -> None:
        nonlocal reached
        reached = bits
        show(training, figures, bits)

    path, begin = args.out / WEIGHTS, time.perf_counter()
    training = train(training, text, args.steps, path, every=max(1, args.steps // 5), report=tell)
    seconds = time.perf_counter() - begin
    if training.step < args.steps:
        print(f"\nstopped at step {training.step} of {args.steps}, saved in {path}")
        return 130
    page = study(training, sentence(text), args.out)
    print(f"\n{', '.join(sorted(p.name for p in args.out.iterdir()))} are in {args.out}")
    wins = reached < baselines["trigram"]
    print(
        f"After {seconds:.0f} s the LSTM needs {reached:.3f} bits per character and "
        f"{'beats' if wins else 'does not beat'} the trigram's {baselines['trigram']:.3f}."
    )
    print(page)
    return 0 if wins else 1


def draw(cell: Cell, folder: Path) -> None:
    """The network's pictures, folded and unfolded."""
    viz.draw(cell, view="folded").save(folder / "folded.svg")
    viz.draw(cell, view="unfolded", steps=3).save(folder / "unfolded.svg")


def sentence(text: str) -> str:
    """The beginning of the first sentence in the tenth of a text that is held out.

    >>> sentence("a" * 9000 + " b c. The quick brown fox jumps over the dog." + "d" * 900)
    'The quick brown fox jumps'
    """
    held_out = text[len(text) * 9 // 10 :]
    begins = re.search(r"[.]\s+(?=[A-Z][a-z]* [a-z])", held_out[: -READ - 1])
    first = begins.end() if begins else 0
    return held_out[first : first + READ + 1]


def study(training: Training, text: str, folder: Path) -> str:
    """Write the page of the network as it reads a text; says where to look first."""
    classes = training.vocabulary.encode(text)
    xs, targets = classes[:-1, None], classes[1:, None]
    try:
        path = write(
            folder / PAGE, training.cell, training.params, xs,
            lambda ys: cross_entropy(ys[-1:], targets[-1:]), text=text[:-1],
            title=f"An LSTM reads “{text[:-1]}” and is asked for the next character, “{text[-1]}”",
        )  # fmt: skip
    except ImportError:
        return f"Its page needs jinja2 and matplotlib: {installing('study')}"
    return (
        f"Look first at {path}: the network reads a sentence it never saw, step by step, and the "
        "gradient comes back."
    )


def show(training: Training, figures: Figures, bits: float) -> None:
    """What the network writes at this moment, beside its loss."""
    from tqdm import tqdm

    rng = np.random.default_rng(training.step)
    start = training.opening
    drawn = sample(training.cell, training.params, training.vocabulary, start, 160, 0.7, rng)
    told = (start + drawn).replace("\n", "\n    ")
    tqdm.write(
        f"\nstep {training.step}: loss {figures.loss:.3f} nats, "
        f"{bits:.3f} bits per held-out character; it writes:\n    {told}"
    )
