"""Whether order matters: the same network on the same numbers, in order and out of it.

Samples in another order change nothing: they are independent of each other. Steps in another order
change everything, for what comes next is known from what came before. So it is with a text, with
DNA and with a time series; all three are read as symbols, and judged in bits a symbol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from minigrad.core import Array
from rnn.bptt.table import Result, Table
from rnn.cell import Cell
from rnn.data.series import mackey_glass
from rnn.exercises.exercise import HELD_OUT, stacked
from rnn.fit import fit
from rnn.kinds import layered
from rnn.losses import cross_entropy
from rnn.optim import Adam
from rnn.run import run
from rnn.text.baselines import bits_per_character
from rnn.text.reading import read_text
from rnn.text.vocabulary import Vocabulary

LENGTH, STEPS, BATCH, LEVELS = 40_000, 24, 32, 16
WAYS = ("in order", "samples shuffled", "steps shuffled")


@dataclass(frozen=True, eq=False, repr=False)
class Order(Result):
    """Bits a symbol, held out, of one network on each sequence in each order.

    Attributes:
        names: of the sequences.
        bits: `(sequences, 3)`, in order, samples shuffled, steps shuffled.
        counted: bits of a model that knows only how frequent each symbol is, `(sequences,)`.
        cell: the network.
    """

    names: tuple[str, ...]
    bits: Array
    counted: Array
    cell: str
    axes: ClassVar[Any] = {"bits": ("sequence", "order"), "counted": ("sequence",)}

    @property
    def sentence(self) -> str:
        """What either shuffle costs."""
        order, samples, steps = self.bits.T
        off, lost = np.abs(samples - order).max(), (steps - order).min()
        return (
            f"samples in another order: at most {off:.2f} bits off; steps in another order: at "
            f"least {lost:.2f} bits lost, and what is left is about what counting alone gives, or "
            "less"
        )

    def table(self) -> Table:
        """A row for each sequence."""
        rows = zip(self.names, self.bits, self.counted, strict=True)
        return Table(
            f"bits a symbol on what was held out: {self.cell}",
            ("", *WAYS, "counting alone"),
            tuple((name, *bits, counted) for name, bits, counted in rows),
            (self.sentence,),
        )

    def drawn(self, axes: Any) -> None:
        """Bars side by side, and how far counting alone comes."""
        places = np.arange(len(self.names))
        for k, way in enumerate(WAYS):
            axes.bar(places + 0.27 * (k - 1), self.bits[:, k], 0.25, label=way)
        for place, counted in zip(places, self.counted, strict=True):
            label = "counting alone" if place == 0 else None
            axes.hlines(counted, place - 0.42, place + 0.42, "black", "dashed", label=label)
        axes.set(xticks=places, xticklabels=self.names, ylabel="bits a symbol, held out")
        axes.set_title("order of samples, and of steps")
        axes.set_ylim(0, 1.35 * max(self.bits.max(), self.counted.max()))
        axes.legend(ncols=2)


def text() -> Array:
    """The language reference of Python, from its middle on."""
    whole = read_text()
    part = whole[len(whole) // 2 :][:LENGTH]
    return Vocabulary.of(part).encode(part)


def dna() -> Array:
    """Bases drawn from a Markov chain: each from the two before it.

    Not a genome; its order is known: whichever two bases come before, one base follows with
    probability 0.7, the others with 0.1 each, and over the whole all four are as frequent. That is
    1.36 bits a base.
    """
    rng = np.random.default_rng(HELD_OUT)
    bases, likely = np.zeros(LENGTH, np.int64), rng.random(LENGTH) < 0.6
    others = rng.integers(0, 4, LENGTH)
    for t in range(2, LENGTH):
        bases[t] = (bases[t - 1] + 2 * bases[t - 2] + 1) % 4 if likely[t] else others[t]
    return bases


def series() -> Array:
    """The equation of Mackey and Glass, each value as one of sixteen levels, all as frequent."""
    values = mackey_glass(LENGTH // 4)
    edges = np.quantile(values, np.arange(1, LEVELS) / LEVELS)
    found: Array = np.searchsorted(edges, values)
    return found


SEQUENCES: dict[str, Callable[[], Array]] = {
    "text": text,
    "DNA (a Markov chain)": dna,
    "time series": series,
}


def order(
    kind: str | Callable[..., Cell] = "gru", hidden: int = 48, steps: int = 400, seed: int = 0
) -> Order:
    """Train one network on each sequence in each order, and judge it in the same.

    The last tenth of a sequence is held out; windows of 24 steps are samples.

    Args:
        kind: of its recurrent layer, as `rnn.kinds.layered` takes it.
        hidden: its units.
        steps: batches to train on.
        seed: of first weights and of shuffles.
    """
    bits, counted, label = [], [], ""
    for make in SEQUENCES.values():
        classes = make()
        symbols = int(classes.max()) + 1
        cell = stacked(partial(layered, kind, hidden=hidden), symbols, symbols)
        label = f"{cell.parts()['layer1'].label}, {hidden} units"  # type: ignore[attr-defined]  # it is a stack
        cut = len(classes) * 9 // 10
        counted.append(bits_per_character(classes[:cut], classes[cut:], symbols)["unigram"])
        bits.append([_trained(cell, classes, cut, way, steps, seed) for way in WAYS])
    return Order(tuple(SEQUENCES), np.array(bits), np.array(counted), label)


def _trained(cell: Cell, classes: Array, cut: int, way: str, steps: int, seed: int) -> float:
    """Bits a symbol on the windows behind the cut."""
    rng = np.random.default_rng(seed)
    known, asked = (_windows(part) for part in (classes[:cut], classes[cut:]))
    if way == "samples shuffled":
        known, asked = (part[:, rng.permutation(part.shape[1])] for part in (known, asked))
    elif way == "steps shuffled":
        known, asked = (rng.permuted(part, axis=0) for part in (known, asked))

    def batch(step: int) -> tuple[Array, Array]:
        samples = np.arange(step * BATCH, (step + 1) * BATCH) % known.shape[1]
        return known[:-1, samples], known[1:, samples]

    def falling(step: int) -> Adam:
        return Adam(0.01 * max(0.02, 1 - step / steps))

    found = fit(
        cell, batch, steps, cross_entropy, optimiser=falling, seed=seed, dtype=np.float32
    )  # fmt: skip
    logits, _ = run(cell, found.params, asked[:-1])
    return float(cross_entropy(logits, asked[1:])) / float(np.log(2))


def _windows(classes: Array) -> Array:
    """Windows one after the other as samples, `(T + 1, N)`."""
    count = len(classes) // (STEPS + 1)
    return classes[: count * (STEPS + 1)].reshape(count, STEPS + 1).T
