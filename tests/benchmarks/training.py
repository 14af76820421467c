"""Characters learnt from in a second: the training loop here and the same in PyTorch.

    python tests/benchmarks/training.py [--threads N]

One LSTM layer and a read-out on class indices, windows of the default recipe with the state
carried on, gradients clipped, Adam; rounds are interleaved. PyTorch takes one-hot rows, as
`torch.nn.LSTM` has no look-up, and gets the same first weights.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

# NumPy is imported where it is used, as its BLAS reads the number of threads when it is loaded.
HIDDEN, ROUNDS, STEPS = 128, 9, 10


def ours(text: str, hidden: int) -> Any:
    """A function that trains on so many windows and gives the last loss."""
    import minigrad as mg
    from rnn.text.characters import character_model, loss_function
    from rnn.text.streams import Streams, split
    from rnn.text.training import Recipe, Training, advance
    from rnn.text.vocabulary import Vocabulary

    cell = character_model("lstm", len(Vocabulary.of(text)), hidden, 1)
    run = [Training.start(cell, text, Recipe())]
    learnt, _ = split(run[0].vocabulary.encode(text))
    streams = Streams(learnt, Recipe().batch, Recipe().length)
    gradient = mg.compile(mg.value_and_grad(loss_function(cell), has_aux=True))

    def train(steps: int) -> float:
        for _ in range(steps):
            run[0], figures = advance(run[0], gradient, streams)
        return figures.loss

    return train, streams, run[0]


def theirs(streams: Any, start: Any, threads: int) -> Any:
    """The same in PyTorch."""
    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    recipe, classes = start.recipe, len(start.vocabulary)
    lstm, out = nn.LSTM(classes, HIDDEN), nn.Linear(HIDDEN, classes)
    weights = start.params.named()
    own, read = ({k.split(".")[-1]: w for k, w in weights.items() if k.startswith(part)}
                 for part in ("layer1.", "layer2."))  # fmt: skip
    with torch.no_grad():
        stacked = lambda prefix: np.concatenate([own[f"{prefix}{g}"] for g in "ifco"], -1)
        lstm.weight_ih_l0.copy_(torch.from_numpy(stacked("W_x").T.copy()))
        lstm.weight_hh_l0.copy_(torch.from_numpy(stacked("W_h").T.copy()))
        lstm.bias_ih_l0.copy_(torch.from_numpy(stacked("b_")))
        lstm.bias_hh_l0.zero_()
        w, b = sorted(read.values(), key=np.ndim, reverse=True)
        out.weight.copy_(torch.from_numpy(w.T.copy()))
        out.bias.copy_(torch.from_numpy(b))
    parameters = [*lstm.parameters(), *out.parameters()]
    adam = torch.optim.Adam(parameters, recipe.rate, (0.9, 0.99))
    state: list[Any] = [None, 0]

    def train(steps: int) -> float:
        for _ in range(steps):
            xs, targets = (torch.from_numpy(np.array(x)) for x in streams[state[1] % len(streams)])
            rows = nn.functional.one_hot(xs, classes).float()
            ys, last = lstm(rows, state[0])
            loss = nn.functional.cross_entropy(out(ys).reshape(-1, classes), targets.reshape(-1))
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, recipe.limit)
            adam.step()
            state[:] = [tuple(s.detach() for s in last), state[1] + 1]
        return float(loss.detach())

    return train


def main() -> None:
    """Print both rates, and that both learn the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
    from rnn.text.reading import read_text

    a, streams, start = ours(read_text(), HIDDEN)
    runs = {"minigrad": a, "PyTorch": theirs(streams, start, threads)}
    times: dict[str, list[float]] = {name: [] for name in runs}
    losses = {}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            begin = time.perf_counter()
            losses[name] = run(STEPS)
            times[name].append(time.perf_counter() - begin)
    window = start.recipe.batch * start.recipe.length * STEPS
    for name, found in times.items():
        rate = window / statistics.median(found)
        print(f"{name:10s} {rate:10,.0f} characters/s, loss {losses[name]:.3f} nats")
    pairs = zip(times["PyTorch"], times["minigrad"], strict=True)
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    print(f"minigrad is {ratio:.2f} × as fast, {threads} thread(s)")


if __name__ == "__main__":
    main()
