"""Habits from elsewhere: each is told how it is done here, and what it is told is true."""

from __future__ import annotations

import builtins
import copy
import math
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import rnn
from minigrad import habits, ops

t = mg.Tensor([1.0, 2.0], name="t")
one = mg.Tensor(2.0, name="one")
params = rnn.RNNCell(inputs=2, hidden=2).init(0)


def told(call: Callable[[], Any], kind: type[Exception] = TypeError) -> str:
    """The message of the error that a call raises, which is of that very kind."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or the error that it raises."""
    try:
        return call(*args)
    except (TypeError, ValueError, IndexError) as error:
        return error


# --- the tables --------------------------------------------------------------------------------


def sentences() -> list[str]:
    tables = (habits.ATTRIBUTES, habits.FUNCTIONS, habits.KEYWORDS, habits.CONVERSIONS,
              habits.NUMPY)  # fmt: skip
    return [*(way for table in tables for way in table.values()),
            *(way for _, way in habits.OPERATORS.values())]  # fmt: skip


@pytest.mark.parametrize("sentence", dict.fromkeys(sentences()))
def test_what_a_sentence_names_is_there(sentence):
    """`minigrad.where`, `np.floor`, `tensor.data`, `params.tensors()`, and `write reshape`."""
    owners = {"minigrad": mg, "np": np, "tensor": t, "params": params, "copy": copy, "a": t}
    for owner, name in re.findall(r"\b(minigrad|np|tensor|params|copy|a)\.(\w+)", sentence):
        assert hasattr(owners[owner], name), f"{owner}.{name}"
    words = {
        *vars(mg),
        *vars(builtins),
        "axis",
        "keepdims",
        "ddof",
        "low",
        "high",
        "wrt",
        "classes",
    }
    assert {*re.findall(r"(?:write|use) (\w{3,})(?=\(|$|,)", sentence)} <= words


@pytest.mark.parametrize("name", [*habits.ATTRIBUTES, *ops.__all__, *dir(np.ndarray)])
def test_an_attribute_is_there_or_says_how_it_is_done_here(name):
    if name.startswith("_") or (name in vars(mg.Tensor) and hasattr(t, name)):
        return
    message = told(lambda: getattr(t, name), AttributeError)
    assert message.startswith(f"tensor t has no {name}: ")
    assert not hasattr(t, name)
    assert not hasattr(mg.Tensor, name)
    assert name not in dir(t)
    assert told(lambda: setattr(t, name, 1.0), AttributeError) == message


@pytest.mark.parametrize("name", habits.FUNCTIONS)
def test_a_function_that_is_elsewhere_says_how_it_is_done_here(name):
    assert told(lambda: getattr(mg, name), AttributeError) == (
        f"minigrad has no {name}: {habits.FUNCTIONS[name]}"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zeros", "minigrad has no zeros: np.zeros is that of arrays, without a gradient"),
        ("sinsh", "minigrad has no sinsh: `minigrad ops` lists the primitives"),
    ],
)
def test_a_function_that_nobody_has_is_refused_as_well(name, message):
    assert told(lambda: getattr(mg, name), AttributeError) == message


@pytest.mark.parametrize("key", habits.KEYWORDS)
@pytest.mark.parametrize(
    "call",
    [
        mg.sum,
        mg.tanh,
        mg.mean,
        mg.std,
        mg.Tensor,
        mg.grad,
        mg.jacobian,
        one.backward,
        t.sum,
        t.mean,
    ],
    ids=lambda call: getattr(call, "__name__", getattr(call, "name", "")),
)
def test_a_keyword_from_elsewhere_is_told_with_what_is_taken(call, key):
    message = told(lambda: call(one, **{key: 0}))
    name = getattr(call, "__name__", None) or call.name
    name = {"method": re.split(" ", message)[0]}.get(name, name)
    assert message.startswith(f"{name} takes ")
    assert f", not {key}; {key}: {habits.KEYWORDS[key]}" in message


@pytest.mark.parametrize("name", ops.__all__)
def test_a_keyword_that_nobody_has_is_refused_by_every_function(name):
    message = told(lambda: getattr(mg, name)(t, order="F"))
    assert message.startswith(name.replace("matmul", "")) or name in ("product", "matmul")
    assert "order" in message


# --- operators -----------------------------------------------------------------------------------

BINARY = ("add", "and_", "floordiv", "lshift", "matmul", "mod", "mul", "or_", "pow", "rshift",
          "sub", "truediv", "xor", "eq", "ge", "gt", "le", "lt", "ne")  # fmt: skip
UNARY = (operator.neg, operator.pos, operator.abs, operator.invert, operator.index, int, float,
         complex, round, math.floor, math.ceil, math.trunc, range, bin, len, iter, list, bool,
         operator.not_, lambda x: pow(x, 2, 3), lambda x: [1, 2][x], lambda x: x[0],
         lambda x: divmod(x, 2), lambda x: divmod(2, x), reversed, sorted, max, str, hash,
         lambda x: x in [x], lambda x: 1.0 in x, lambda x: format(x, ".2f"))  # fmt: skip


def is_ours(error: Any) -> bool:
    """Whether an outcome is a refusal that speaks of tensors or of an operation."""
    words = r"[Tt]ensor|operand|power|matmul|index of|gradient rule"
    return isinstance(error, Exception) and re.search(words, str(error)) is not None


@pytest.mark.parametrize("name", [*BINARY, *(f"i{name.strip('_')}" for name in BINARY[:-6])])
@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.ones(2), np.ones(2, int), t])
def test_every_operator_is_recorded_or_refused_from_both_sides(name, other):
    for left, right in ((t, other), (other, t)):
        left = left.copy() if isinstance(left, np.ndarray) else left
        result = outcome(getattr(operator, name), left, right)
        assert type(result) is mg.Tensor or is_ours(result), result


@pytest.mark.parametrize("call", UNARY)
@pytest.mark.parametrize("x", [t, one, mg.Tensor(np.ones((2, 2)), name="m")], ids=["t", "one", "m"])
def test_every_protocol_of_python_is_followed_or_refused_in_our_words(call, x):
    result = outcome(call, x)
    assert not isinstance(result, Exception) or is_ours(result), result


def test_plus_is_the_tensor_itself():
    assert +t is t


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: t & t, "& of tensor t is that of conditions, such as (x > 0) & (x < 1); "
         "tensor.data gives the values alone"),
        (lambda: 2 | (t > 1), "| of 2 is that of conditions, such as (x > 0) | (x < 1); "
         "tensor.data gives the values alone"),
        (lambda: ~t, "~ of tensor t is that of conditions, such as ~(x > 0); "
         "tensor.data gives the values alone"),
        (lambda: t << 2, "tensor t << ... has no gradient rule here; "
         "it is constant almost everywhere, so take the values alone: a.data << n"),
        (lambda: np.fft.fft(t), "np.fft.fft has no gradient rule here; "
         "transforms and convolutions of signals are not in this library"),
        (lambda: np.unique(t), "np.unique has no gradient rule here; its shape depends on values: "
         "choose by minigrad.where, or read tensor.data"),
        (lambda: int(one), "int(tensor one): write int(tensor.item()) for the number; "
         "an array cannot hold a tensor"),
        (lambda: operator.delitem(t, 0), "del tensor t[...]: tensors are not written into; "
         "index what is to be kept, or join it with concatenate"),
        (lambda: len(one), "tensor one is one number: it has no length or parts"),
        (lambda: mg.sum(t, dim=0), "sum takes x, axis, keepdims, not dim; dim: write axis"),
        (lambda: t.mean(dim=0), "mean takes x, axis, keepdims, not dim; dim: write axis"),
        (lambda: mg.exp(t, t), "exp takes x: too many positional arguments"),
        (lambda: mg.add(t), "add takes a, b: missing a required argument: 'b'"),
        (lambda: mg.Tensor([1.0], True), "Tensor(data, name): the name is a text, got True"),
        (lambda: mg.named(t, "h"), "named(name, value): the name is a text, got Tensor([1., 2.], "
         "name='t')"),
        (lambda: mg.add(np.array(["a"]), 1.0), "add of (1,) and 1.0: ufunc 'add' did not contain "
         "a loop with signature matching types (dtype('<U1'), dtype('float64')) -> None"),
    ],
)  # fmt: skip
def test_the_whole_message(call, message):
    assert told(call) == message


def test_a_condition_of_many_entries_is_refused_as_in_numpy():
    assert told(lambda: bool(t), ValueError) == (
        "a condition of tensor t is for one entry, the shape is (2,); "
        "reduce it, or decide on tensor.data"
    )


@pytest.mark.parametrize("dtype", [float, np.float32, int, complex])
@pytest.mark.parametrize("x", [one, t])
def test_a_tensor_put_into_an_array_is_refused_and_the_cause_is_told(dtype, x):
    """The error is NumPy's, ours is its cause, as NumPy takes no other; nothing is written."""
    array = np.zeros(2, dtype)
    with pytest.raises((TypeError, ValueError)) as caught:
        array[0] = x
    assert "an array cannot hold a tensor" in f"{caught.value} {caught.value.__cause__}"
    assert not array.any()


JUNK: list[Any] = [None, "word", {}, [[1], [1, 2]], object(), np.array(["a"]), np.array([None]),
                   len, np.ndarray, 10**400, np.datetime64("2020"), {1}, b"x", [t, t]]  # fmt: skip


KNOWN_AS = {"lookup": "take", "log_softmax": "softmax", "broadcast_to": "expand_dims",
            "argmax": "reshape", "argmin": "reshape"}  # fmt: skip
"""Primitives whose operands are looked at by another operation, under its name."""


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
@pytest.mark.parametrize(
    "name", sorted(p for p in mg.PRIMITIVES if mg.PRIMITIVES[p].kind != "loop")
)
def test_whatever_is_given_to_a_primitive_is_told_by_its_name(name, junk):
    """`operation_error` has an answer to everything, also to errors that NumPy alone can make."""
    primitive = mg.PRIMITIVES[name]
    for x in (t, np.ones(2)):
        for operands in ((junk,), (x, junk), (junk, x), (x, x, junk), (x, junk, junk), ()):
            with np.errstate(all="ignore"):
                result = outcome(primitive, *operands)
            if isinstance(result, Exception):
                assert re.split(r"\W", str(result))[0] in (name, KNOWN_AS.get(name)), result


# --- functions in place of results ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["grad", "value_and_grad", "jacobian", "hessian", "vjp", "jvp", "hvp", "trace"]
)
def test_a_result_in_place_of_a_function_is_told(name):
    call = getattr(mg, name)
    rest = {"jvp": ([t], [t]), "hvp": (t, t)}.get(name, (t,))
    assert re.match(
        r"\w+ takes a function, \w+\(f.*\), not what it returned; got Tensor \(2,\)",
        told(lambda: call(t, *rest)),
    )


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "jacobian", "hessian"])
@pytest.mark.parametrize("wrt", [np.ones(2), t, "x", 1.0, True, None])
def test_an_argument_in_place_of_its_number_is_told(name, wrt):
    message = told(lambda: getattr(mg, name)(mg.tanh, wrt))
    assert "wrt is the number of an argument" in message
    assert "(f)(x)" in message


def test_an_argument_named_twice_is_told():
    """Its second copy would take the gradient from the first."""
    for wrt in ((0, 0), (0, -1)):
        with pytest.raises(TypeError, match="names an argument twice"):
            mg.grad(lambda x: x * x, wrt=wrt)(3.0)


# --- the imperative face -------------------------------------------------------------------------


def test_a_forgotten_tensors_is_told():
    loss = mg.mean(np.ones(2))
    for call in (lambda: mg.backward(loss), lambda: mg.find(loss, "h")):
        assert "take p = params.tensors() and compute with p" in told(call)


def test_leaves_without_a_gradient_are_told():
    whole, z = mg.Tensor([1, 2], name="whole"), mg.Tensor(1j, name="z")
    assert told(lambda: (whole * 2.5).sum().backward()).startswith(
        "backward: gradients are those of leaves of real floating-point numbers, there are: "
        "tensor whole of int64"
    )
    assert "tensor z of complex128" in told(lambda: (mg.abs(z) * one).backward())


def test_an_index_that_is_a_tensor_needs_no_gradient():
    w = mg.Tensor([1.0, 2.0])
    w[mg.Tensor(1)].backward()
    assert w.grad.tolist() == [0.0, 1.0]
