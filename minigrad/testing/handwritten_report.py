"""The report of a wrong backward pass: which gradient and entry, what it is, from which step on."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.testing.numeric import place


def report(
    p: Any, given: list[Any], numeric: Any, wrong: list[int], seeds: Any, axis: int | None
) -> str:
    """The report on a `handwritten._Problem`: gradients given and numeric, and which are wrong."""
    right = [p.names[k] for k in p.moving if k not in wrong]
    lines = ["the backward pass is wrong"]
    lines.append(f"  wrong: {', '.join(p.names[k] for k in wrong)}")
    lines.append(f"  right: {', '.join(right) or 'none'}")
    for k in wrong:
        slope, _ = numeric[k]
        bad = ~p.within(k, given[k], numeric[k])
        miss = np.where(bad, np.nan_to_num(np.abs(given[k] - slope), nan=np.inf), -1.0)
        at = tuple(map(int, np.unravel_index(int(np.argmax(miss)), miss.shape)))
        lines.append(
            f"  {p.names[k]}{place(at)}: backward {given[k][at]:.10g}, numeric {slope[at]:.10g}"
            f"   ({int(np.sum(bad))} of {miss.size} entries wrong)"
        )
        lines += [f"    {fact}" for fact in _relations(p, k, given[k], numeric)]
    if axis is not None:
        lines += _by_step(p, wrong, seeds, axis)
    way = "complex step" if p.forward.is_complex else "differences"
    lines.append(f"  numeric derivatives by {way}; replay with the same arrays and seed")
    return "\n".join(lines)


def _relations(p: Any, k: int, given: Array, numeric: Any) -> list[str]:
    """Which simple thing the wrong gradient is, if it is one: another's, or a multiple."""
    facts = []
    for j, (slope, off) in numeric.items():
        fits = j != k and slope.shape == given.shape and np.any(slope)
        if fits and np.all(p.within(j, given, (slope, off))):
            facts.append(f"it is the gradient by {p.names[j]}")
    slope = numeric[k][0]
    size = float(np.sum(slope * slope))
    factor = float(np.sum(given * slope)) / size if size else 0.0
    if abs(factor - 1) > 1e-9 and np.allclose(given, factor * slope, rtol=1e-8, atol=0):
        facts.append(f"it is {factor:.6g} times the right one" if factor else "it is zero")
    return facts


def _by_step(p: Any, wrong: list[int], seeds: Any, axis: int) -> list[str]:
    """For a loss at one step alone: at which steps the gradients are right."""
    T = p.y[0].shape[axis]
    verdicts: dict[int, list[bool]] = {k: [] for k in wrong}
    for t in range(T):
        alone = [np.zeros_like(w) for w in seeds]
        here = [slice(None)] * seeds[0].ndim
        here[axis] = slice(t, t + 1)
        alone[0][tuple(here)] = seeds[0][tuple(here)]
        given, numeric = p.gradients(alone), p.numeric(alone)
        p.look_again(given, numeric, alone)
        for k in wrong:
            verdicts[k].append(bool(np.all(p.within(k, given[k], numeric[k]))))
    lines = ["  with a loss at step t alone:"]
    for k, ok in verdicts.items():
        told = " ".join(f"t={t}:{'right' if yes else 'WRONG'}" for t, yes in enumerate(ok, 1))
        lines.append(f"    {p.names[k]}: {told}")
        first = next((t for t, yes in enumerate(ok, 1) if not yes), None)
        if first is not None and first > 1:
            lines.append(
                f"      from t = {first} on, so what comes back through {first - 1} step(s) of "
                "time is wrong, and the step itself is right"
            )
        elif first == 1:
            lines.append("      from t = 1 on, so the step itself is wrong")
    return lines
