"""Bits per character after two minutes: plain networks, GRUs and LSTMs, here and in PyTorch.

    python -m tests.benchmarks.characters [--seconds 120] [--seed 0] [kind ...]

All have as many parameters, to within 1 %, and learn the default text by the default recipe: the
same windows in the same order, state carried on, gradients clipped, Adam. The budget is CPU time
of training on one thread. Rounds are interleaved, so that whatever else the machine does meets all
alike. PyTorch begins from its own first weights, and once more from those of here. All are judged
on the last tenth of the text, and on the first, by the same function, PyTorch's by weights that
are brought here.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.benchmarks.training import ours, theirs

HIDDEN = {"rnn": 274, "gru": 152, "lstm": 128}
ROUND, MARKS = 10, (0.25, 0.5, 1.0)


def spent(train: Any, seconds: float) -> tuple[float, int]:
    """CPU time of training for a while, and the windows in it."""
    start, windows = time.process_time(), 0
    while (taken := time.process_time() - start) < seconds:
        train(1)
        windows += 1
    return taken, windows


def compared(text: str, kind: str, seconds: float, seed: int) -> None:
    """Print for one kind what each run has come to at parts of the budget."""
    from rnn.text.characters import held_out_bits
    from rnn.text.streams import split

    own, params, streams, start = ours(text, kind, HIDDEN[kind], seed)
    runs = {
        "minigrad": (own, params),
        "PyTorch": theirs(streams, start, given=False),
        "PyTorch, first weights of here": theirs(streams, start),
    }
    recipe, (learnt, held_out) = start.recipe, split(start.vocabulary.encode(text))
    judged = held_out, learnt[: len(held_out)]
    size = sum(p.size for p in start.params.named().values())
    print(f"{kind}, H = {HIDDEN[kind]}, {size:,} parameters, seed {seed}")
    used = dict.fromkeys(runs, (0.0, 0))
    for mark in MARKS:
        while any(taken < mark * seconds for taken, _ in used.values()):
            for name, (train, _) in runs.items():
                taken, windows = used[name]
                more = spent(train, min(ROUND, mark * seconds - taken))
                used[name] = (taken + more[0], windows + more[1])
        for name, (_, params) in runs.items():
            taken, windows = used[name]
            on, own = (
                held_out_bits(start.cell, params(), classes, recipe.batch, recipe.length)
                for classes in judged
            )
            seen = windows * recipe.batch * recipe.length
            told = f"{on:.3f} bits, {own:.3f} on what was learnt, {seen / 1e6:5.2f} million"
            print(f"  {taken:6.1f} s  {name:31s} {told}, {seen / taken:9,.0f}/s", flush=True)


def main() -> None:
    """Print all kinds one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=[*HIDDEN], metavar="kind")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    import torch

    from rnn.text.reading import read_text

    torch.set_num_threads(1)
    for kind in given.kinds:
        compared(read_text(), kind, given.seconds, given.seed)


if __name__ == "__main__":
    main()
