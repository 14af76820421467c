"""What a gradient promises besides its numbers: shapes, purity, memory, linearity.

Each of these was broken by some engine: a second call that gives another answer, a seed that is
written into, two gradients in one array, an unused input without a gradient.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from minigrad.autodiff import vjp
from minigrad.testing.rounding import norm


def check_promises(f: Any, seed: int = 0) -> list[str]:
    """What is broken, in words; `f` is a `flat.Flat`."""
    if not f.points:
        return []
    broken: list[str] = []
    with np.errstate(all="ignore"):
        before = [x.copy() for x in f.points]
        outputs, pull = vjp(lambda *xs: f(*xs), *f.points)
        rng = np.random.default_rng(seed)
        seeds = [np.asarray(rng.normal(size=np.shape(y))) for y in outputs]
        seeds = [w.astype(np.asarray(y).dtype) for w, y in zip(seeds, outputs, strict=True)]
        kept = [w.copy() for w in seeds]
        first, second = pull(seeds), pull(seeds)
        again = [np.asarray(y) for y in f(*f.points)]
        broken += _purity(f, before, outputs, again, seeds, kept, first, second)
        broken += _forms(f, first, seeds)
        broken += _linearity(f, pull, seeds, first)
    return broken


def _same(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


def _purity(
    f: Any, before: Any, outputs: Any, again: Any, seeds: Any, kept: Any, first: Any, second: Any
) -> list[str]:
    broken = []
    if not _same(f.points, before) or not all(x.flags.writeable for x in f.points):
        broken.append("the function, or its derivative, changes its inputs")
    if not _same(seeds, kept):
        broken.append("the derivative writes into the cotangent it is given")
    if not _same(outputs, again):
        broken.append("run twice on the same inputs, the function gives different values")
    if not _same(first, second):
        broken.append("pulled back twice, the same cotangent gives different gradients")
    return broken


def _forms(f: Any, grads: Any, seeds: Any) -> list[str]:
    """Shapes, types and memory of the gradients."""
    broken = []
    for name, x, g in zip(f.names, f.points, grads, strict=True):
        if not isinstance(g, np.ndarray) or g.shape != x.shape or g.dtype != x.dtype:
            told = f"{getattr(g, 'dtype', type(g).__name__)}{list(np.shape(g))}"
            broken.append(f"the gradient by {name} is {told}, the input {x.dtype}{list(x.shape)}")
    arrays = [*zip(f.names, grads, strict=True)]
    for (a, x), (b, y) in combinations(arrays, 2):
        if np.shares_memory(x, y):
            broken.append(f"the gradients by {a} and by {b} share memory")
    for name, g in arrays:
        if any(np.shares_memory(g, other) for other in (*f.points, *seeds)):
            broken.append(f"the gradient by {name} shares memory with an input or a cotangent")
    return broken


def _linearity(f: Any, pull: Any, seeds: Any, first: Any) -> list[str]:
    """Twice the cotangent gives twice the gradient, to the bit; none gives zeros."""
    broken = []
    doubled = pull([2 * w for w in seeds])
    for name, g, d in zip(f.names, first, doubled, strict=True):
        tiny = np.abs(g) < 1e-290  # below it doubling may round
        if np.shape(d) == np.shape(g) and not np.all((2 * g == d) | tiny | ~np.isfinite(g)):
            broken.append(f"the gradient by {name} is not linear in the cotangent")
    silent = pull([np.zeros_like(w) for w in seeds])
    for name, g, z in zip(f.names, first, silent, strict=True):
        if np.all(np.isfinite(g)) and norm(z) != 0:
            broken.append(
                f"a cotangent of zeros gives the gradient by {name} entries that are not 0"
            )
    return broken
