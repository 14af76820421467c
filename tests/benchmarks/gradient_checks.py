"""How good the gradient check is: false alarms, faults found, names right. Prints a table.

python -m tests.benchmarks.gradient_checks --programs 100000
"""

from __future__ import annotations

import argparse
import time
from random import Random

from minigrad.testing import GradientMismatch, check_gradients, draw_program
from minigrad.testing.compare import Comparison, compare
from minigrad.testing.flat import Flat
from tests.faults.engine import FAULTS
from tests.faults.planting import WrongRule, WrongSlope

SCALES = (0.01, 1.0, 30.0, 1000.0)
DELTA = 1e-9


def off_by(c: Comparison, delta: float) -> Comparison:
    """The comparison, had the gradient been wrong by a factor of 1 + delta."""
    return Comparison(c.what, c.leaf, c.got * (1 + delta), c.wanted, c.allowed, c.scale)


def alarms(programs: int, first: int) -> None:
    """False alarms, and how often a relative fault of 1e-9 in one leaf's gradient is found."""
    for scale in SCALES:
        began, cried, found, near, possible = time.perf_counter(), [], 0, 0, 0
        each = programs // len(SCALES)
        for seed in range(first, first + each):
            program = draw_program(Random(seed), scale=scale)
            check = compare(Flat(program, program.values), seed)
            near += check.kink is not None
            if not all(c.holds for c in check.comparisons):
                cried.append(seed)
            leaves = [c for c in check.comparisons if c.leaf >= 0]
            chosen = leaves[seed % len(leaves)]
            possible += chosen.got != 0  # a factor cannot make a gradient of zeros wrong
            found += not off_by(chosen, DELTA).holds
        took = time.perf_counter() - began
        print(
            f"inputs ~{scale:<6g} {each} programs: {len(cried)} false alarms {cried[:5]}, "
            f"{100 * found / possible:.1f} % of {possible} faults of {DELTA:g} found "
            f"({100 * found / each:.1f} % of all, with gradients of exactly 0), "
            f"{100 * near / each:.1f} % at a kink, {1e3 * took / each:.2f} ms each",
            flush=True,
        )


def names(tries: int) -> None:
    """For faults of one primitive: how small the counterexample is, and whether it is named."""
    sizes, right, total = [], 0, 0
    for fault in FAULTS.values():
        if not isinstance(fault.seed, WrongRule | WrongSlope):
            continue
        with fault.planted():
            for seed in range(tries):
                program = draw_program(Random(seed))
                if all(n.op != fault.seed.primitive for n in program.graph.nodes):
                    continue
                try:
                    check_gradients(program, *program.values, seed=seed)
                except GradientMismatch as error:
                    if error.program is None:
                        continue
                    total += 1
                    sizes.append(len(error.program))
                    right += error.primitive == fault.seed.primitive
                    break
    small = sum(size <= 3 for size in sizes)
    print(
        f"{total} faults of one primitive found by random programs: counterexample ≤ 3 operations "
        f"in {small}, mean {sum(sizes) / total:.2f}; the primitive is named in {right}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=4000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first program")
    parser.add_argument("--tries", type=int, default=3000)
    given = parser.parse_args()
    alarms(given.programs, given.first)
    names(given.tries)
