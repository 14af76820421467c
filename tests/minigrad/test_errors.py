"""Mistakes with tensors, and the whole message each of them meets.

A message says where, what came, what was wanted, what to do. These are golden: to change a
message is to change it here, and to read it once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.tree import tree_map

ONES = np.ones
x = mg.Tensor(ONES((2, 3)), name="x")
W_xh = mg.Tensor(ONES((4, 5)), name="W_xh")


def add_into(array: Any, tensor: Any) -> None:
    array += tensor


def put_into(array: Any, place: Any, value: Any) -> None:
    array[place] = value


def at_step_3(f: Any) -> Any:
    with mg.scope("rnn", t=3):
        return f()


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "a product of matrices that do not fit": (
        lambda: x @ W_xh,
        mg.ShapeError,
        "matmul: axis n is 3 on the left, 4 on the right: shapes x (2, 3) and W_xh (4, 5)",
    ),
    "a product of arrays that do not fit": (
        lambda: mg.matmul(ONES((2, 3)), ONES((4, 5))),
        mg.ShapeError,
        "matmul: axis n is 3 on the left, 4 on the right: shapes (2, 3) and (4, 5)",
    ),
    "a product that does not fit, at a step": (
        lambda: at_step_3(lambda: x @ W_xh),
        mg.ShapeError,
        "matmul in rnn at t = 3: axis n is 3 on the left, 4 on the right: "
        "shapes x (2, 3) and W_xh (4, 5)",
    ),
    "a product of batches that do not fit": (
        lambda: mg.Tensor(ONES((2, 2, 3))) @ ONES((4, 3, 5)),
        mg.ShapeError,
        "matmul: axis -3 is 2 and 4, which do not broadcast: shapes (2, 2, 3) and (4, 3, 5)",
    ),
    "a matrix product with a number": (
        lambda: x @ 2.0,
        mg.ShapeError,
        "matmul: a number has no rows and columns (shapes (2, 3) and ()); "
        "write * for the product with a number",
    ),
    "a sum of shapes that do not broadcast": (
        lambda: x + ONES((2, 4)),
        mg.ShapeError,
        "add: axis -1 is 3 and 4, which do not broadcast: shapes x (2, 3) and (2, 4)",
    ),
    "a choice between shapes that do not broadcast": (
        lambda: mg.where(x > 0, ONES(2), x),
        mg.ShapeError,
        "where: axis -1 is 3 and 2, which do not broadcast: shapes (2, 3) and (2,) and x (2, 3)",
    ),
    "a word as an operand": (
        lambda: x + "a",
        TypeError,
        "add: operand 2 must be numbers, got 'a' of dtype <U1",
    ),
    "None as an operand": (
        lambda: x * None,
        TypeError,
        "multiply: operand 2 must be numbers, got None of dtype object; "
        "a .grad is None until backward has reached its tensor",
    ),
    "the gradient of an array": (
        lambda: mg.grad(lambda a: a * 2)(ONES(3)),
        ValueError,
        "grad needs a scalar loss, got shape (3,); reduce it with sum or mean, or use jacobian",
    ),
    "backward from an array": (
        lambda: (x * 2).backward(),
        ValueError,
        "backward needs a scalar loss, got shape (2, 3); reduce it with sum or mean, "
        "or give a cotangent of that shape",
    ),
    "a function that forgets its return": (
        lambda: mg.grad(lambda a: None)(1.0),
        TypeError,
        "grad: the function must return a loss, it returned None",
    ),
    "the gradient by an integer": (
        lambda: mg.grad(lambda a: a * a)(2),
        TypeError,
        "grad: argument 0 has dtype int64; gradients need floating-point numbers: "
        "write 2.0 for 2, or array.astype(float)",
    ),
    "the gradient by integers in a dictionary": (
        lambda: mg.grad(lambda p: mg.sum(p["layer1"]["W"]))({"layer1": {"W": ONES(2, int)}}),
        TypeError,
        "grad: argument layer1.W has dtype int64; gradients need floating-point numbers: "
        "write 2.0 for 2, or array.astype(float)",
    ),
    "the gradient by a complex number": (
        lambda: mg.grad(lambda a: a * a)(2j),
        TypeError,
        "grad: argument 0 has dtype complex128; gradients need floating-point numbers: "
        "complex input is for checks of arrays only",
    ),
    "the gradient by a word": (
        lambda: mg.grad(lambda a: a)("weights"),
        TypeError,
        "grad: argument 0 must be numbers, got 'weights' of dtype <U7",
    ),
    "backward from an integer": (
        lambda: mg.Tensor(3).backward(),
        TypeError,
        "backward: the loss has dtype int64; gradients need real floats",
    ),
    "the gradient by an argument that is not there": (
        lambda: mg.grad(lambda a: a, wrt=1)(1.0),
        TypeError,
        "grad: wrt=1, but the function was given 1 arguments",
    ),
    "forward mode without a tangent": (
        lambda: mg.jvp(lambda a, b: a * b, [1.0, 2.0], [1.0]),
        ValueError,
        "jvp: 2 primals, but 1 tangents",
    ),
    "forward mode without lists": (
        lambda: mg.jvp(mg.tanh, 1.0, 1.0),
        TypeError,
        "jvp: primals and tangents are lists, one entry an argument of f",
    ),
    "a tangent of another shape": (
        lambda: mg.jvp(mg.tanh, [ONES(3)], [ONES(2)]),
        ValueError,
        "jvp: tangent 0 has shape (2,), wanted (3,)",
    ),
    "a cotangent of another shape": (
        lambda: mg.vjp(mg.tanh, ONES(3))[1](ONES(2)),
        ValueError,
        "vjp: cotangent has shape (2,), wanted (3,)",
    ),
    "a list of tensors as a tensor": (
        lambda: mg.Tensor([x, x]),
        TypeError,
        "Tensor(data) is a list of tensors; join them with stack",
    ),
    "a tensor of a tensor": (
        lambda: mg.Tensor(x),
        TypeError,
        "Tensor(tensor): already a tensor; use detach(tensor) to cut the graph",
    ),
    "a tensor of nothing": (
        lambda: mg.Tensor(None, name="h"),
        TypeError,
        "Tensor h must be numbers, got None of dtype object; "
        "a .grad is None until backward has reached its tensor",
    ),
    "writing into a tensor": (
        lambda: put_into(x, 0, 1.0),
        TypeError,
        "tensor x[...] = value: tensors are not written into, a recorded gradient could change; "
        "build a new one with where, concatenate or stack",
    ),
    "adding a tensor into an array": (
        lambda: add_into(ONES((2, 3)), x),
        TypeError,
        "add: a result cannot be written into an array (out=, where=, array += tensor x); "
        "write array = array + tensor",
    ),
    "putting a tensor into an array": (
        lambda: put_into(ONES((2, 2, 3)), 0, x),
        TypeError,
        "a NumPy array cannot hold tensor x: the gradient would be cut without a word; "
        "write tensor.data for the values, minigrad.stack to join tensors",
    ),
    "making an array of a tensor": (
        lambda: np.asarray(x),
        TypeError,
        "a NumPy array cannot hold tensor x: the gradient would be cut without a word; "
        "write tensor.data for the values, minigrad.stack to join tensors",
    ),
    "making an array of tensors": (
        lambda: np.array([x, x]),
        TypeError,
        "a NumPy array cannot hold tensor x: the gradient would be cut without a word; "
        "write tensor.data for the values, minigrad.stack to join tensors",
    ),
    "assigning the data": (
        lambda: setattr(x, "data", ONES((2, 3))),
        AttributeError,
        "tensor x.data cannot be assigned: graphs may hold the old values; "
        "make a new tensor, Tensor(values, name='x')",
    ),
    "writing into the data": (
        lambda: put_into(x.data, 0, 1.0),
        ValueError,
        "assignment destination is read-only",
    ),
    "a NumPy function without a rule": (
        lambda: np.spacing(x),
        TypeError,
        "np.spacing has no gradient rule here; `minigrad ops` lists the primitives, "
        "tensor.data gives the values alone",
    ),
    "a NumPy routine without a rule": (
        lambda: np.interp(0.5, x[0], x[1]),
        TypeError,
        "np.interp has no gradient rule here; `minigrad ops` lists the primitives, "
        "tensor.data gives the values alone",
    ),
    "a number of many entries": (
        lambda: float(x),
        TypeError,
        "float(tensor x): write tensor.item() for the number; an array cannot hold a tensor",
    ),
    "a reshape that does not fill": (
        lambda: x.reshape(4, 2),
        ValueError,
        "reshape: 6 entries of shape (2, 3) do not fill (4, 2)",
    ),
    "a mean of nothing": (
        lambda: mg.mean(ONES((0, 3))),
        ValueError,
        "mean: no entries to average in shape (0, 3) over axis None",
    ),
    "a deviation of one number": (
        lambda: mg.std(ONES(1), ddof=1),
        ValueError,
        "var: 1 entries and ddof = 1 leave nothing to divide by",
    ),
    "an index out of range": (
        lambda: x[5],
        IndexError,
        "index of x (2, 3): index 5 is out of bounds for axis 0 with size 2",
    ),
    "joining tensors of different ranks": (
        lambda: mg.concatenate([x, ONES(3)]),
        ValueError,
        "concatenate: all tensors need the same number of axes, got [2, 1]",
    ),
    "joining nothing": (
        lambda: mg.stack([]),
        ValueError,
        "stack needs at least one tensor, got an empty sequence",
    ),
    "a class out of range": (
        lambda: mg.one_hot(np.array([3]), 3),
        IndexError,
        "one_hot of (1,): class index 3 is outside 0 … 2",
    ),
    "a row out of range": (
        lambda: mg.take(x, np.array([2])),
        IndexError,
        "lookup of x (2, 3) and (1,): index 2 is outside 0 … 1",
    ),
    "targets that are not one a row": (
        lambda: mg.pick(x, np.array([0, 1, 2])),
        mg.ShapeError,
        "pick: indices of shape (3,) do not fit values of shape (2, 3); "
        "one index a row is wanted, shape (2,)",
    ),
    "an order of axes that is none": (
        lambda: x.transpose(0, 0),
        ValueError,
        "transpose: axes (0, 0) are not an order of the 2 axes",
    ),
    "squeezing an axis that is not of size 1": (
        lambda: mg.squeeze(x, 0),
        ValueError,
        "squeeze: axis 0 of shape (2, 3) is not of size 1",
    ),
    "bounds the wrong way round": (
        lambda: mg.clip(x, 2, 1),
        ValueError,
        "clip: the lower bound 2 must not exceed the upper bound 1",
    ),
    "parts that are not equal": (
        lambda: mg.split(x, 2, axis=1),
        ValueError,
        "split: axis of size 3 does not part into 2 equal pieces",
    ),
    "a name that is not there": (
        lambda: mg.find(mg.named("h", x * 2), "C"),
        LookupError,
        "no tensor named C; there are: h, x",
    ),
    "a graph on another shape": (
        lambda: mg.trace(mg.tanh, x)(ONES((4, 3))),
        mg.ShapeError,
        "graph: input x has shape (4, 3), it was traced with (2, 3); trace again for another shape",
    ),
    "a graph with an argument missing": (
        lambda: mg.trace(lambda a, b: a * b, ONES(3), ONES(3))(ONES(3)),
        ValueError,
        "graph: arguments have structure ['[0]'], it was traced with ['[0]', '[1]']",
    ),
    "bounds that are arrays": (
        lambda: mg.PRIMITIVES["clip"](x, ONES(3), 2.0),
        TypeError,
        "clip: bounds are numbers, got array([1., 1., 1.]); use minimum and maximum",
    ),
    "classes that are not whole": (
        lambda: mg.one_hot([0.5], 3),
        TypeError,
        "one_hot: class indices must be integers, got dtype float64",
    ),
    "rows to take that are not whole": (
        lambda: mg.take(x, [0.5], axis=0),
        TypeError,
        "take: indices must be integers, got dtype float64",
    ),
    "a position that is a tensor of floats": (
        lambda: x[mg.Tensor(np.array([0.5]))],
        TypeError,
        "index array([0.5]) is neither an integer, a slice, nor an array of integers or booleans",
    ),
    "an entry to pick that is not there": (
        lambda: mg.pick(x, np.array([0, 3])),
        IndexError,
        "pick of x (2, 3) and (2,): index 3 is outside 0 … 2",
    ),
    "a sum of no tensors": (
        lambda: mg.add_n(),
        ValueError,
        "add_n needs at least one tensor, got none",
    ),
    "parts that do not add up": (
        lambda: mg.split(x, [1, 1], axis=-1),
        ValueError,
        "split: sizes [1, 1] add up to 2, the axis is 3",
    ),
    "widths for another number of axes": (
        lambda: mg.pad(x, [(0, 1)]),
        ValueError,
        "pad: widths [(0, 1)] do not fit 2 axes (one pair ≥ 0 an axis)",
    ),
    "an axis that is not whole": (
        lambda: mg.sum(x, axis=1.5),
        TypeError,
        "sum of x (2, 3): reduction: axis must be an int or a tuple of ints, got 1.5",
    ),
    "structures that differ": (
        lambda: tree_map(lambda a, b: a, {"a": 1.0}, {"b": 1.0}),
        ValueError,
        "tree_map: the structures differ: ['a'] and ['b']",
    ),
    "a cotangent of another structure": (
        lambda: mg.vjp(lambda a: {"y": a}, ONES(2))[1]({"z": ONES(2)}),
        ValueError,
        "vjp: cotangent has structure ['z'], wanted ['y']",
    ),
    "a Jacobian of a text": (
        lambda: mg.jacobian(lambda a: "no")(ONES(2)),
        TypeError,
        "jacobian: the function must return arrays, got 'no'",
    ),
    "backward from a cotangent of another shape": (
        lambda: mg.sum(x, axis=0).backward(ONES(2)),
        ValueError,
        "backward: cotangent has shape (2,), wanted (3,)",
    ),
    "a name to find in a number": (
        lambda: mg.find(3.0, "h"),
        TypeError,
        "find looks in the graph of a tensor, got float; "
        "only tensors are recorded, so take p = params.tensors() and compute with p",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_full(mistake):
    call, kind, message = MISTAKES[mistake]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_a_ragged_list_is_told_by_its_name():
    with pytest.raises(mg.ShapeError, match=r"^Tensor h is ragged: rows of different lengths"):
        mg.Tensor([[1.0, 2.0], [3.0]], name="h")


def test_what_a_message_names_is_not_held_by_the_error():
    """The cause from inside NumPy is left out of the traceback."""
    with pytest.raises(mg.ShapeError) as caught:
        x @ W_xh
    assert caught.value.__suppress_context__


def test_a_refused_write_leaves_the_array_as_it_was():
    array = ONES((2, 3))
    for write in (lambda: add_into(array, x), lambda: put_into(array, slice(None), x)):
        with pytest.raises(TypeError):
            write()
    assert np.array_equal(array, ONES((2, 3)))


def test_a_shape_error_is_a_value_error():
    assert issubclass(mg.ShapeError, ValueError)
