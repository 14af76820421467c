"""The smallest program that still fails."""

from random import Random

import minigrad as mg
from minigrad.testing import (
    draw_program,
)
from minigrad.testing.minimise import minimise


def test_minimising_keeps_what_fails_and_drops_the_rest():
    program = draw_program(Random(11), most=8)
    ops = [n.op for n in program.graph.nodes if n.op in mg.PRIMITIVES]
    wanted = ops[len(ops) // 2]
    small = minimise(program, lambda p: any(n.op == wanted for n in p.graph.nodes))
    assert wanted in [n.op for n in small.graph.nodes]
    assert len(small) == 1
