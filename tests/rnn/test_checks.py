"""What is given to a run, and does not fit, is told by its name and in full."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
import rnn
from rnn import checkpoint
from tests.minigrad.cells import Delayed
from tests.rnn.mistakes import Mistake, told_in_full

ONES = np.ones
cell = rnn.RNNCell(3, 4)
p = cell.init(0)
lstm = rnn.LSTMCell(8, 16)
xs = ONES((2, 5, 3))
stack = rnn.Stack([rnn.RNNCell(3, 4), rnn.LSTMCell(4, 2)])
slow = Delayed(3, 4, (("h", 2),))


MISTAKES: dict[str, Mistake] = {
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
        "Delayed: state h has shape (5, 4), wanted (2, 5, 4), its values of 2 steps in order of "
        "time",
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
    "a list of parameters to be saved": (
        lambda: checkpoint.save("nowhere", list(p.values()), cell),
        TypeError,
        "checkpoint: params must be what cell.init() gives, got list",
    ),
    "no samples": (
        lambda: rnn.run(cell, p, ONES((2, 0, 3))),
        mg.ShapeError,
        "run: xs has shape (2, 0, 3); there must be one sample at least",
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
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake: str) -> None:
    told_in_full(MISTAKES[mistake])


def test_a_refused_run_does_not_spoil_the_next():
    with pytest.raises(mg.ShapeError):
        rnn.run(cell, p, ONES((2, 5, 4)))
    ys, _ = rnn.run(cell, p, xs)
    assert ys.shape == (2, 5, 4)
