"""What a NumPy user reaches for works on tensors: each call, its derivatives, and how many."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import check_gradients
from tests.minigrad.ops.calls import BINARY, CALLS, REFUSED, UNARY, flag, v, x, y

FREE = {"empty_like"}
"""Whose entries may be any."""


def parts_of(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def plain(result: Any) -> list[Any]:
    return [part.data if type(part) is mg.Tensor else np.asarray(part) for part in
            parts_of(result)]  # fmt: skip


def operands(call: Callable[..., Any]) -> list[np.ndarray[Any, Any]]:
    """The arrays of which a call makes tensors, in their order."""
    given: list[Any] = []
    call(lambda array: given.append(array) or mg.Tensor(array))  # type: ignore[func-returns-value]  # None, then the tensor
    return given


def of_tensors(call: Callable[..., Any]) -> Callable[..., list[Any]]:
    """The call as a function of its operands, whose real results are kept."""

    def run(*xs: Any) -> list[Any]:
        rest = iter(x if type(x) is mg.Tensor else mg.Tensor(x) for x in xs)
        found = [p for p in parts_of(call(lambda _: next(rest)))
                 if type(p) is mg.Tensor and p.dtype.kind in "fc"]  # fmt: skip
        return found if any(type(x) is mg.Tensor for x in xs) else [p.data for p in found]

    return run


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_vocabulary_is_the_call_on_arrays(name):
    """Shapes, dtypes and values; sums of few terms are in another order at most."""
    found, wanted = plain(CALLS[name](mg.Tensor)), plain(CALLS[name](lambda a: a))
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in wanted]
    for a, b in zip(found, wanted, strict=True):
        if name not in FREE and a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
        elif name not in FREE:
            np.testing.assert_array_equal(a, b)


SMOOTH = [name for name in CALLS if "holes" not in name]
"""Those whose operands are all numbers."""


@pytest.mark.parametrize("name", SMOOTH)
def test_its_derivatives_of_both_orders_are_right_and_it_compiles(name):
    """By complex step or differences; the compiled gradient is the recorded one."""
    call, given = CALLS[name], operands(CALLS[name])
    run = of_tensors(call)
    if any(a.dtype != float for a in given) or not run(*map(mg.Tensor, given)):
        return  # a question, which has no derivative
    check_gradients(run, *given, order=2)

    def slopes(*xs: Any) -> Any:
        return mg.grad(lambda *ys: sum(mg.sum(p * p) for p in run(*ys)), wrt=tuple(range(len(xs))))(
            *xs
        )

    for eager, compiled in zip(slopes(*given), mg.compile(slopes)(*given), strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-12, atol=1e-13)


OTHERS = [*(name for name in UNARY if name not in {*FREE, "allclose"}), "sort", "argsort", "median"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64"])
@pytest.mark.parametrize("name", [*OTHERS, *BINARY])
def test_in_other_precisions_and_of_whole_numbers_it_is_numpys_or_refused(name, dtype):
    numbers = np.array([[3, 1, 2], [2, 2, 5]]) if dtype == "int64" else x[:2, :3]
    given, f = [numbers.astype(dtype)] * (2 if name in BINARY else 1), getattr(np, name)
    with np.errstate(all="ignore"):
        wanted = plain(f(*given))
        if (name, dtype) == ("reciprocal", "int64"):
            with pytest.raises(TypeError, match="write 1 / x"):
                f(*map(mg.Tensor, given))
            return
        found = plain(f(*map(mg.Tensor, given)))
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in wanted]
    for a, b in zip(found, wanted, strict=True):
        eps = float(np.finfo(b.dtype).eps) if b.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(1.0 * a, 1.0 * b, rtol=16 * eps, atol=4 * eps)


@pytest.mark.parametrize("name", REFUSED)
def test_what_stays_out_is_refused_by_its_name(name):
    REFUSED[name](lambda a: a)  # NumPy takes it
    with pytest.raises(TypeError) as caught:
        REFUSED[name](mg.Tensor)
    symbol = {"left_shift": "<<"}.get(name, name.rpartition(".")[2])
    assert symbol in str(caught.value)
    assert "; " in str(caught.value), "what to do"


# --- methods and operators ------------------------------------------------------------------------

METHODS: dict[str, Callable[[Any], Any]] = {
    "T": lambda a: a.T, "all": lambda a: a.all(), "any": lambda a: a.any(1),
    "argmax": lambda a: a.argmax(axis=1), "argmin": lambda a: a.argmin(),
    "argsort": lambda a: a.argsort(), "astype": lambda a: a.astype("float32"),
    "clip": lambda a: a.clip(0.3, 0.6), "conj": lambda a: a.conj(),
    "conjugate": lambda a: a.conjugate(), "cumprod": lambda a: a.cumprod(),
    "cumsum": lambda a: a.cumsum(0), "diagonal": lambda a: a.diagonal(1),
    "dot": lambda a: a.dot(v), "dtype": lambda a: a.dtype.num, "imag": lambda a: a.imag,
    "item": lambda a: a[0, 0].item(), "max": lambda a: a.max(0), "mean": lambda a: a.mean(1),
    "min": lambda a: a.min(), "ndim": lambda a: a.ndim, "prod": lambda a: a.prod(axis=0),
    "ravel": lambda a: a.ravel(), "real": lambda a: a.real, "repeat": lambda a: a.repeat(2, 1),
    "reshape": lambda a: a.reshape(4, 3), "round": lambda a: a.round(1),
    "searchsorted": lambda a: a.ravel().argsort().argsort().searchsorted(2),
    "shape": lambda a: a.shape, "size": lambda a: a.size, "squeeze": lambda a: a[None].squeeze(),
    "std": lambda a: a.std(1), "sum": lambda a: a.sum((0, 1)),
    "swapaxes": lambda a: a.swapaxes(0, 1), "take": lambda a: a.take([3, 1]),
    "trace": lambda a: a.trace(), "transpose": lambda a: a.transpose(1, 0),
    "var": lambda a: a.var(ddof=1),
    "+": lambda a: a + 2.0, "-": lambda a: 1.0 - a, "*": lambda a: a * y, "/": lambda a: a / y,
    "@": lambda a: a @ v, "**": lambda a: a**2, "%": lambda a: a % 0.3, "//": lambda a: 2.0 // a,
    "divmod": lambda a: divmod(a, 0.3), "neg": lambda a: -a, "pos": lambda a: +a, "abs": abs,
    "<": lambda a: a < 0.5, "<=": lambda a: a <= 0.5, ">": lambda a: a > 0.5,
    ">=": lambda a: a >= 0.5, "==": lambda a: a == x, "!=": lambda a: a != x,
    "&": lambda a: (a > 0.3) & flag, "|": lambda a: flag | (a > 0.3),
    "^": lambda a: (a > 0.3) ^ flag,
    "~": lambda a: ~(a > 0.3), "[ ]": lambda a: a[1:, [0, 2]], "len": len,
    "bool": lambda a: bool(a[0, 0] > 0.0), "iteration": lambda a: [*a],
    "reversed": lambda a: [*reversed(a)],
}  # fmt: skip
WITHOUT = ("argpartition", "byteswap", "choose", "compress", "copy", "fill", "flatten", "nonzero",
           "partition", "put", "resize", "sort", "tolist", "view")  # fmt: skip
"""Methods that write, view bytes, or whose result a value decides: refused by name."""


@pytest.mark.parametrize("name", METHODS)
def test_a_method_or_operator_is_that_of_arrays(name):
    found, wanted = plain(METHODS[name](mg.Tensor(x))), plain(METHODS[name](x))
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in wanted]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(1.0 * a, 1.0 * b, rtol=1e-13)


@pytest.mark.parametrize("name", WITHOUT)
def test_a_method_that_tensors_have_not_says_what_to_do(name):
    with pytest.raises(AttributeError, match=rf"^tensor has no {name}: \w+"):
        getattr(mg.Tensor(x), name)


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_conditions_meet_from_both_sides(name):
    f, t = getattr(operator, name), mg.Tensor(flag)
    for found, wanted in ((f(t, True), f(flag, True)), (f(True, t), f(True, flag)),
                          (f(~flag, t), f(~flag, flag))):  # fmt: skip
        np.testing.assert_array_equal(found.data, wanted)


# --- MyGrad ---------------------------------------------------------------------------------------

MYGRAD = """abs absolute add add_sequence amax amin any arccos arccosh arccot arccoth arccsc arccsch
arcsec arcsin arcsinh arctan arctan2 arctanh argmax argmin atleast_1d atleast_2d atleast_3d
broadcast_to cbrt clip concatenate cos cosh cot coth csc csch cumprod cumsum divide einsum elu exp
exp2 expand_dims expm1 full_like getitem glu hard_tanh leaky_relu log log10 log1p log2 logaddexp
logaddexp2 logsoftmax matmul max maximum mean min minimum moveaxis multi_matmul multiply
multiply_sequence negative norm ones_like positive power prod ravel reciprocal relu repeat reshape
roll sec sech selu sigmoid sin sinc sinh soft_sign softmax sqrt square squeeze stack std subtract
sum swapaxes tan tanh transpose true_divide var where zeros_like batchnorm conv_nd max_pool
sliding_window_view gru focal_loss margin_ranking_loss multiclass_hinge negative_log_likelihood
softmax_crossentropy softmax_focal_loss"""
ELSEWHERE = {
    "add_sequence": "add_n", "multi_matmul": "multi_dot", "hard_tanh": "hardtanh",
    "soft_sign": "softsign", "logsoftmax": "log_softmax", "getitem": "index", "amax": "max",
    "amin": "min", "true_divide": "divide", "multiply_sequence": "prod",
}  # fmt: skip
"""What it is called here."""
OUT = {
    "convolution and pooling": "conv_nd max_pool sliding_window_view batchnorm",
    "of the package rnn": "gru softmax_crossentropy",
    "losses": "focal_loss margin_ranking_loss multiclass_hinge negative_log_likelihood "
    "softmax_focal_loss",
    "one over an argument: arccos(1 / x)": "arccot arccoth arccsc arccsch arcsec",
}  # fmt: skip


def test_the_operations_of_mygrad_are_here_but_for_those_named():
    names, out = MYGRAD.split(), " ".join(OUT.values()).split()
    assert set(out) <= set(names)
    missing = [n for n in names if not hasattr(mg, ELSEWHERE.get(n, n))]
    assert sorted(missing) == sorted(out)
    assert len(names) == 112
    for name in missing:
        with pytest.raises(AttributeError, match=f"^minigrad has no {name}: "):
            getattr(mg, name)


# --- how many -------------------------------------------------------------------------------------


def test_most_of_the_vocabulary_is_answered():
    """Functions of NumPy, each counted once; methods and operators."""
    answered = {name.split(",")[0].split(" ")[0] for name in CALLS}
    refused = set(REFUSED) - answered
    assert (len(answered), len(refused)) == (214, 26)
    assert (len(METHODS), len(WITHOUT)) == (65, 14)
