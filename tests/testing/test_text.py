"""Programs as Python: what is printed can be run."""


import numpy as np
from hypothesis import given

from minigrad.testing import (
    graphs,
    program_text,
)


@given(program=graphs())
def test_a_program_printed_as_python_gives_its_numbers(program):
    text = program_text(program.graph, program.values)
    space = {}
    exec(text.rpartition("\n")[0], space)
    values = [space[line.partition(" = ")[0]] for line in text.splitlines() if _is_input(line)]
    np.testing.assert_array_equal(space["program"](*values), program())


def _is_input(line):
    return " = np." in line and not line.startswith(" ")
