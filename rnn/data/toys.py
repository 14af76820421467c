"""Toy problems made by formula: what a recurrent network must remember is known exactly.

Each takes a random generator, the number of steps T and of samples B, and gives `(xs, targets)`,
time first.
"""

from __future__ import annotations

import numpy as np

from minigrad.core import Array

Pair = tuple[Array, Array]


def adding(rng: np.random.Generator, steps: int, batch: int) -> Pair:
    """Numbers of which two are marked; the target is the sum of those two.

    xs `(T, B, 2)`: a number in [0, 1) and a mark, 1 at one step of the first half and at one of
    the second. targets `(B, 1)`. Always answering 1 has mean squared error 1/6.
    Source: Hochreiter, Schmidhuber (1997), experiment 4, in the form of Le et al. (2015).

    >>> xs, targets = adding(np.random.default_rng(0), steps=6, batch=3)
    >>> np.allclose((xs[..., 0] * xs[..., 1]).sum(0), targets[:, 0])
    True
    """
    _at_least("adding", steps, 2)
    numbers, marks = rng.random((steps, batch)), np.zeros((steps, batch))
    samples = np.arange(batch)
    marks[rng.integers(0, steps // 2, batch), samples] = 1
    marks[rng.integers(steps // 2, steps, batch), samples] = 1
    return np.stack([numbers, marks], -1), (numbers * marks).sum(0)[:, None]


def copy_memory(
    rng: np.random.Generator, steps: int, batch: int, symbols: int = 8, length: int = 10
) -> Pair:
    """A few symbols to be said again after a long silence.

    xs and targets are class indices `(T, B)` with T = steps + 2·length: `length` symbols
    1 … symbols, blanks 0, and just before the answer the bell, symbols + 1. The target is blank up
    to the bell, then the symbols. Without memory the best mean cross-entropy is
    length · log(symbols) / T nats. Source: Arjovsky et al. (2016), section 4.1.

    >>> xs, targets = copy_memory(np.random.default_rng(0), steps=4, batch=1, symbols=2, length=2)
    >>> xs[:, 0].tolist(), targets[:, 0].tolist()
    ([2, 2, 0, 0, 0, 3, 0, 0], [0, 0, 0, 0, 0, 0, 2, 2])
    """
    _at_least("copy_memory", steps, 1)
    said = rng.integers(1, symbols + 1, (length, batch))
    xs, targets = np.zeros((2, steps + 2 * length, batch), np.int64)
    xs[:length], xs[steps + length - 1] = said, symbols + 1
    targets[steps + length :] = said
    return xs, targets


def parity(rng: np.random.Generator, steps: int, batch: int) -> Pair:
    """Random bits, and at every step whether the number of ones so far is odd.

    xs and targets `(T, B, 1)`, of 0 and 1. One bit of memory is enough, and no bit may be missed.
    Source: Minsky, Papert (1969); as a task in time, Hochreiter, Schmidhuber (1997).

    >>> xs, targets = parity(np.random.default_rng(0), steps=5, batch=1)
    >>> xs[:, 0, 0], targets[:, 0, 0]
    (array([1., 1., 1., 0., 0.]), array([1., 0., 1., 1., 1.]))
    """
    _at_least("parity", steps, 1)
    bits = rng.integers(0, 2, (steps, batch, 1)).astype(float)
    return bits, bits.cumsum(0) % 2


def sines(rng: np.random.Generator, steps: int, batch: int) -> Pair:
    """Sine waves of random period and phase; the target is the next value.

    xs and targets `(T, B, 1)`. Periods are between 8 and 32 steps. Two values determine the rest:
    x⁽ᵗ⁺¹⁾ = 2 cos(ω) x⁽ᵗ⁾ − x⁽ᵗ⁻¹⁾.

    >>> xs, targets = sines(np.random.default_rng(0), steps=20, batch=2)
    >>> np.array_equal(xs[1:], targets[:-1])
    True
    """
    _at_least("sines", steps, 1)
    period, phase = rng.uniform(8, 32, batch), rng.uniform(0, 2 * np.pi, batch)
    wave = np.sin(2 * np.pi * np.arange(steps + 1)[:, None] / period + phase)[..., None]
    return wave[:-1], wave[1:]


def _at_least(where: str, steps: int, least: int) -> None:
    if steps < least:
        raise ValueError(f"{where}: needs at least {least} steps, got {steps}")
