"""Mistakes with cells and sequences, and the whole message each of them meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from tests.minigrad.test_folded import Delayed

ONES = np.ones
cell = rnn.RNNCell(3, 4)
p = cell.init(0)
lstm = rnn.LSTMCell(8, 16)
xs = ONES((2, 5, 3))


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


def steps(T: int) -> Any:
    return rnn.run(cell, p.tensors(), ONES((T, 1, 3)), unfolded=True)[0]


CELLS: dict[str, tuple[Any, type[Exception], str]] = {
    "a recurrence that is none": (
        lambda: rnn.RNNCell(3, 4, 2, "hidden-hidden"),
        ValueError,
        "RNNCell: unknown recurrence 'hidden-hidden'; "
        "there are hidden-to-hidden, output-to-hidden, output-to-output",
    ),
    "a recurrence of outputs without outputs": (
        lambda: rnn.RNNCell(3, 4, recurrence="output-to-hidden"),
        ValueError,
        "RNNCell: output-to-hidden recurrence needs outputs=, the size of o",
    ),
    "an activation that is none": (
        lambda: rnn.RNNCell(3, 4, activation="tanhh"),
        ValueError,
        "RNNCell: unknown activation 'tanhh'; there are exp, log, log1p, expm1, sqrt, square, "
        "tanh, sigmoid, relu, softplus, sin, cos, absolute, clip",
    ),
    "softmax in the cell": (
        lambda: rnn.Dense(3, 4, "softmax"),
        ValueError,
        "Dense: unknown activation 'softmax'; there are exp, log, log1p, expm1, sqrt, square, "
        "tanh, sigmoid, relu, softplus, sin, cos, absolute, clip; "
        "softmax belongs to the loss, which takes logits",
    ),
    "no hidden units": (
        lambda: rnn.LSTMCell(3, 0),
        ValueError,
        "LSTMCell: hidden must be a whole number ≥ 1, got 0",
    ),
    "a size that is not whole": (
        lambda: rnn.GRUCell(3.0, 4),
        ValueError,
        "GRUCell: inputs must be a whole number ≥ 1, got 3.0",
    ),
    "a layer without outputs": (
        lambda: rnn.Dense(3, None),
        ValueError,
        "Dense: outputs must be a whole number ≥ 1, got None",
    ),
    "a reset gate in no place": (
        lambda: rnn.GRUCell(3, 4, reset="behind"),
        ValueError,
        "GRUCell: reset is 'after' or 'before', got 'behind'",
    ),
    "a stack of layers that do not fit": (
        lambda: rnn.Stack([rnn.RNNCell(3, 5), rnn.Dense(4, 2)]),
        mg.ShapeError,
        "Stack: layer 1 gives 5 columns, layer 2 takes 4",
    ),
    "an empty stack": (
        lambda: rnn.Stack([]),
        TypeError,
        "Stack takes a list of at least one cell, got []; "
        "write Stack([RNNCell(3, 5), Dense(5, 2)])",
    ),
    "a stack of one cell without a list": (
        lambda: rnn.Stack(rnn.Dense(3, 4)),
        TypeError,
        "Stack takes a list of at least one cell, "
        "got Dense(inputs=3, outputs=4, activation=None); "
        "write Stack([RNNCell(3, 5), Dense(5, 2)])",
    ),
    "two directions of different inputs": (
        lambda: rnn.Bidirectional(rnn.RNNCell(3, 5), rnn.RNNCell(4, 5)),
        mg.ShapeError,
        "Bidirectional: the forward cell takes 3 columns, the backward cell 4",
    ),
    "a direction that is no cell": (
        lambda: rnn.Bidirectional(3),
        TypeError,
        "Bidirectional takes two cells, got 3",
    ),
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
two_ways = Delayed(3, 4, (("h", 1), ("g", -1)))

RUNS: dict[str, tuple[Any, type[Exception], str]] = {
    "a class instead of a cell": (
        lambda: rnn.run(rnn.RNNCell, p, xs),
        TypeError,
        "run: the first argument is a cell, such as LSTMCell(8, 16), "
        "got <class 'rnn.cells.RNNCell'>",
    ),
    "a single sequence": (
        lambda: rnn.run(cell, p, ONES((7, 3))),
        mg.ShapeError,
        "run: xs has shape (7, 3), RNNCell takes xs of shape (T, B, 3); "
        "for one sample write xs[:, None, :], of shape (7, 1, 3)",
    ),
    "a single vector": (
        lambda: rnn.run(cell, p, ONES(3)),
        mg.ShapeError,
        "run: xs has shape (3,), RNNCell takes xs of shape (T, B, 3)",
    ),
    "time as the last axis": (
        lambda: rnn.run(cell, p, ONES((2, 3, 7))),
        mg.ShapeError,
        "run: xs has shape (2, 3, 7), RNNCell takes xs of shape (T, B, 3); "
        "time comes first, the columns last: np.moveaxis can put them there",
    ),
    "too many columns": (
        lambda: rnn.run(cell, p, ONES((2, 5, 4))),
        mg.ShapeError,
        "run: xs has shape (2, 5, 4), RNNCell takes xs of shape (T, B, 3)",
    ),
    "a list of rows": (
        lambda: rnn.run(cell, p, [[[1.0, 2.0, 3.0]]]),
        TypeError,
        "run: xs must be an array or a tensor of shape (T, B, X), got list; "
        "np.asarray(xs) makes one, minigrad.stack joins a list of tensors",
    ),
    "complex inputs": (
        lambda: rnn.run(cell, p, ONES((2, 5, 3), complex)),
        TypeError,
        "run: xs has dtype complex128; RNNCell takes xs of shape (T, B, 3), "
        "floats or class indices (T, B)",
    ),
    "class indices as floats": (
        lambda: rnn.run(cell, p, np.array([[0.0, 2.0]])),
        mg.ShapeError,
        "run: xs has shape (1, 2), RNNCell takes xs of shape (T, B, 3); "
        "class indices (T, B) must be integers: xs.astype(int)",
    ),
    "a class index out of range": (
        lambda: rnn.run(cell, p, np.array([[0, 1], [2, 5]])),
        ValueError,
        "run: class index 5 at t = 2, sample 1 is outside 0 … 2",
    ),
    "h without C": (
        lambda: rnn.run(lstm, lstm.init(0), ONES((2, 5, 8)), (ONES((5, 16)),)),
        ValueError,
        "LSTMCell: state must be the tuple (h, C), got a tuple of 1; "
        "cell.start(5) gives the state of zeros",
    ),
    "h without a tuple": (
        lambda: rnn.run(cell, p, xs, ONES((5, 4))),
        ValueError,
        "RNNCell: state must be the tuple (h,), got ndarray; "
        "cell.start(5) gives the state of zeros",
    ),
    "a flat state for a stack": (
        lambda: rnn.run(stack, stack.init(0), xs, (ONES((5, 4)), ONES((5, 2)), ONES((5, 2)))),
        ValueError,
        "Stack: state must be the tuple ((h,), (h, C)), got a tuple of 3; "
        "cell.start(5) gives the state of zeros",
    ),
    "a state of another shape": (
        lambda: rnn.run(lstm, lstm.init(0), ONES((2, 5, 8)), (ONES((5, 16)), ONES((5, 8)))),
        mg.ShapeError,
        "LSTMCell: state C has shape (5, 8), wanted (5, 16)",
    ),
    "a state of another shape in a layer": (
        lambda: rnn.run(stack, stack.init(0), xs,
                        ((ONES((5, 4)),), (ONES((5, 2)), ONES((4, 2))))),
        mg.ShapeError,
        "Stack: state layer2.C has shape (4, 2), wanted (5, 2)",
    ),
    "one start value for a delay of two": (
        lambda: rnn.run(slow, slow.init(0), xs, (ONES((5, 4)),)),
        mg.ShapeError,
        "Delayed: state h has shape (5, 4), wanted (2, 5, 4)",
    ),
    "a complex state": (
        lambda: rnn.run(cell, p, xs, (ONES((5, 4), complex),)),
        TypeError,
        "RNNCell: state h has dtype complex128, wanted floats",
    ),
    "a missing parameter": (
        lambda: rnn.run(cell, {name: w for name, w in p.items() if name != "W_hh"}, xs),
        ValueError,
        "RNNCell: missing parameters W_hh",
    ),
    "a parameter under another name": (
        lambda: rnn.run(cell, {"w_hh" if name == "W_hh" else name: w for name, w in p.items()}, xs),
        ValueError,
        "RNNCell: missing parameters W_hh; unknown parameters w_hh",
    ),
    "parameters of a layer for a stack": (
        lambda: rnn.run(rnn.Stack([cell]), p, xs),
        ValueError,
        "Stack: missing parameters layer1.W_xh, layer1.W_hh, layer1.b_h; "
        "unknown parameters W_xh, W_hh, b_h",
    ),
    "a parameter turned over": (
        lambda: rnn.run(cell, {**p, "W_xh": ONES((4, 3))}, xs),
        mg.ShapeError,
        "RNNCell: W_xh has shape (4, 3), wanted (3, 4)",
    ),
    "a parameter of integers": (
        lambda: rnn.run(cell, {**p, "b_h": ONES(4, int)}, xs),
        TypeError,
        "RNNCell: b_h has dtype int64, wanted floats",
    ),
    "a list of parameters": (
        lambda: rnn.run(cell, list(p.values()), xs),
        TypeError,
        "run: params must be what cell.init() gives, got list",
    ),
    "a parameter that is not there": (
        lambda: p.W_oh,
        AttributeError,
        "no parameter W_oh; there are: W_xh, W_hh, b_h",
    ),
    "lengths beyond the end": (
        lambda: rnn.run(cell, p, xs, lengths=[3, 1, 1, 1, 1]),
        ValueError,
        "run: lengths must be between 0 and T = 2, got [3, 1, 1, 1, 1]",
    ),
    "lengths for another batch": (
        lambda: rnn.run(cell, p, xs, lengths=[2]),
        mg.ShapeError,
        "run: lengths must be 5 whole numbers, one a sample, got int64 of shape (1,)",
    ),
    "a mask instead of lengths": (
        lambda: rnn.run(cell, p, xs, lengths=ONES((2, 5), bool)),
        mg.ShapeError,
        "run: lengths must be 5 whole numbers, one a sample, got bool of shape (2, 5)",
    ),
    "a step that was not run": (
        lambda: mg.find(steps(3), "h", t=7),
        LookupError,
        "no tensor named h at t = 7; "
        "there are: RNNCell.h, RNNCell.x, RNNCell.xs, RNNCell.z_h, W_hh, W_xh, b_h, "
        "at steps 0 to 3",
    ),
    "a name of many steps": (
        lambda: mg.find(steps(2), "h"),
        LookupError,
        "3 tensors are named h: RNNCell, t = 0; RNNCell, t = 1; RNNCell, t = 2; "
        "give t= or scope.name",
    ),
    "weights into a gate that is not there": (
        lambda: rnn.concatenated(p, into="f"),
        KeyError,
        "'concatenated: no weights W_·f among W_xh, W_hh, b_h'",
    ),
    "a negative number of steps": (
        lambda: mg.unfold(cell.folded(), -1),
        ValueError,
        "unfold: the number of steps must be a whole number ≥ 0, got -1",
    ),
}  # fmt: skip
stack = rnn.Stack([rnn.RNNCell(3, 4), rnn.LSTMCell(4, 2)])
slow = Delayed(3, 4, (("h", 2),))


@pytest.mark.parametrize("mistake", [*CELLS, *RUNS])
def test_a_mistake_is_told_in_full(mistake):
    call, kind, message = (CELLS | RUNS)[mistake]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_an_error_inside_a_step_keeps_the_line_of_the_step():
    """The message names the cell, the cause leads to the operation."""
    with pytest.raises(mg.ShapeError) as caught:
        with_step("a product the wrong way round")()
    assert isinstance(caught.value.__cause__, mg.ShapeError)


def test_a_refused_run_does_not_spoil_the_next():
    with pytest.raises(mg.ShapeError):
        rnn.run(cell, p, ONES((2, 5, 4)))
    ys, _ = rnn.run(cell, p, xs)
    assert ys.shape == (2, 5, 4)
