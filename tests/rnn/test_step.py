"""A step that is wrong is told by the cell and the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from tests.minigrad.cells import Delayed
from tests.rnn.mistakes import Mistake, told_in_full

xs = np.ones((2, 5, 3))
two_ways = Delayed(3, 4, (("h", 1), ("g", -1)))


@dataclass(frozen=True)
class Mine(rnn.Cell):
    """A cell as a learner writes it, with one of the ways to get its step wrong."""

    inputs: int
    hidden: int
    mistake: str
    state = ("h", "C")

    def parameters(self) -> dict[str, Any]:
        return {"W_xh": rnn.glorot(self.inputs, self.hidden)}

    def step(self, p: Any, x: Any, h: Any, C: Any) -> Any:
        z = mg.tanh(x @ p.W_xh + h)
        return {
            "state of another shape": lambda: (z, z, C[:, :2]),
            "state of another dtype": lambda: (z, z, mg.astype(C, "float32")),
            "too few states": lambda: (z, z),
            "no states": lambda: z,
            "a list": lambda: [z, z, C],
            "states in a tuple": lambda: (z, (z, C)),
            "a number for the output": lambda: (mg.sum(z), z, C),
            "an unknown parameter": lambda: (z, z, x @ p.W_xc),
            "a product the wrong way round": lambda: (z, z, x @ h),
        }[self.mistake]()


def with_step(mistake: str) -> Any:
    mine = Mine(3, 4, mistake)
    return lambda: rnn.run(mine, mine.init(0), xs)


MISTAKES: dict[str, Mistake] = {
    "a step with a state of another shape": (
        with_step("state of another shape"),
        mg.ShapeError,
        "Mine(inputs=3, hidden=4, mistake='state of another shape'): recurrent edge C: "
        "step returns C of shape (5, 2) but takes C of shape (5, 4)",
    ),
    "a step with a state of another dtype": (
        with_step("state of another dtype"),
        TypeError,
        "Mine(inputs=3, hidden=4, mistake='state of another dtype'): recurrent edge C: "
        "step returns C of dtype float32 but takes C of dtype float64",
    ),
    "a step that returns too few states": (
        with_step("too few states"),
        ValueError,
        "Mine(inputs=3, hidden=4, mistake='too few states'): "
        "step returned 1 new states after y, wanted 2: h, C",
    ),
    "a step that returns its output alone": (
        with_step("no states"),
        TypeError,
        "Mine(inputs=3, hidden=4, mistake='no states'): step must return (y, *state), got Tensor; "
        "a cell without state returns (y,)",
    ),
    "a step that returns a list": (
        with_step("a list"),
        TypeError,
        "Mine(inputs=3, hidden=4, mistake='a list'): step must return (y, *state), got list; "
        "a cell without state returns (y,)",
    ),
    "a step that nests its states": (
        with_step("states in a tuple"),
        ValueError,
        "Mine(inputs=3, hidden=4, mistake='states in a tuple'): "
        "step returned 2 new states after y, wanted 2: h, C, in tuples as the state is nested",
    ),
    "a step whose output is not rows": (
        with_step("a number for the output"),
        mg.ShapeError,
        "Mine(inputs=3, hidden=4, mistake='a number for the output'): "
        "step returns y of shape (), wanted (5, outputs): one row a sample",
    ),
    "a step that reads an unknown parameter": (
        with_step("an unknown parameter"),
        AttributeError,
        "no parameter W_xc; there are: W_xh",
    ),
    "a step with a product that does not fit": (
        with_step("a product the wrong way round"),
        mg.ShapeError,
        "Mine(inputs=3, hidden=4, mistake='a product the wrong way round'): in step: "
        "matmul: axis n is 3 on the left, 5 on the right: shapes x (5, 3) and h (5, 4)",
    ),
    "delays of both signs in one loop": (
        lambda: rnn.run(two_ways, two_ways.init(0), xs),
        ValueError,
        "a loop has delays of both signs, so its steps cannot be ordered in time: "
        "h delay 1, g delay -1",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake: str) -> None:
    told_in_full(MISTAKES[mistake])


def test_an_error_inside_a_step_keeps_the_line_of_the_step():
    """The message names the cell, the cause leads to the operation."""
    with pytest.raises(mg.ShapeError) as caught:
        with_step("a product the wrong way round")()
    assert isinstance(caught.value.__cause__, mg.ShapeError)
