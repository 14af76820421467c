"""Characters learnt from in a second: the training loop here and the same in PyTorch.

    python -m tests.benchmarks.training [--threads N]

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


def ours(text: str, kind: str, hidden: int, seed: int = 0) -> Any:
    """A function that trains on so many windows and gives the last loss; the windows; the start."""
    from rnn.descent import gradient_of
    from rnn.text.characters import character_model, loss_function
    from rnn.text.streams import Streams, split
    from rnn.text.training import Recipe, Training, advance
    from rnn.text.vocabulary import Vocabulary

    cell = character_model(kind, len(Vocabulary.of(text)), hidden)
    start = Training.start(cell, text, Recipe(), seed)
    learnt, _ = split(start.vocabulary.encode(text))
    streams = Streams(learnt, start.recipe.batch, start.recipe.length)
    gradient = gradient_of(loss_function(cell))
    run = [start]

    def train(steps: int) -> float:
        for _ in range(steps):
            run[0], figures = advance(run[0], gradient, streams)
        return figures.loss

    return train, lambda: run[0].params, streams, start


def theirs(streams: Any, start: Any, given: bool = True) -> Any:
    """The same in PyTorch, from the same first weights, or from its own if none are given."""
    import numpy as np
    import torch
    from torch import nn

    import rnn

    torch.manual_seed(start.seed)
    recipe, classes, (layer, _) = start.recipe, len(start.vocabulary), start.cell.layers
    kind = type(layer).__name__.removesuffix("Cell")
    recurrent, out = getattr(nn, kind)(classes, layer.hidden), nn.Linear(layer.hidden, classes)
    if given:
        weights = rnn.to_torch(layer, start.params.layer1)
        recurrent.load_state_dict({name: torch.tensor(w) for name, w in weights.items()})
        dense = start.params.layer2
        out.load_state_dict({"weight": torch.tensor(dense.W.T), "bias": torch.tensor(dense.b)})
    parameters = [*recurrent.parameters(), *out.parameters()]
    adam = torch.optim.Adam(parameters, recipe.rate, (0.9, 0.99))
    state: list[Any] = [None, 0]

    def train(steps: int) -> float:
        for _ in range(steps):
            window = state[1] % len(streams)
            xs, targets = (torch.from_numpy(np.array(x)) for x in streams[window])
            rows = nn.functional.one_hot(xs, classes).float()
            ys, last = recurrent(rows, state[0] if window else None)
            loss = nn.functional.cross_entropy(out(ys).reshape(-1, classes), targets.reshape(-1))
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, recipe.limit)
            adam.step()
            last = tuple(s.detach() for s in last) if kind == "LSTM" else last.detach()
            state[:] = [last, state[1] + 1]
        return float(loss.detach())

    def params() -> Any:
        dense = {"W": out.weight.detach().numpy().T, "b": out.bias.detach().numpy()}
        own = rnn.from_torch(recurrent).params
        return rnn.Params(layer1=own, layer2=rnn.Params(dense))

    return train, params


def main() -> None:
    """Print both rates, and that both learn the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
    import torch

    from rnn.text.reading import read_text

    torch.set_num_threads(threads)
    own, _, streams, start = ours(read_text(), "lstm", HIDDEN)
    other, _ = theirs(streams, start)
    runs = {"minigrad": own, "PyTorch": other}
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
