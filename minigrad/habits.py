"""Habits from elsewhere, each with the sentence that says how it is done here.

What NumPy, PyTorch, JAX, TensorFlow, autograd and micrograd write as a method, an operator, a
keyword or a function, and what would write into a tensor or cut the graph without a word. Each is
refused by a line of a table, so that `core` is read without them. None of it stands in the way of
a call that is right: what is refused is found on the class, after everything else.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import numpy
from numpy import ndarray

from minigrad.errors import at

F = TypeVar("F", bound=Callable[..., Any])

_UPDATE = "tensors are not written to, updates make new parameters: params = sgd(params, grads)"
_ALL = "every tensor of floating-point numbers is differentiated; keep as an array what is not"
_NAMED = "backward fills .grad of every leaf and of every tensor that is named, named('h', h)"
_CPU = "tensors are NumPy arrays on the CPU; tensor.astype(dtype) is another precision"
_FRESH = "a copy is a new leaf: copy.copy(tensor)"
_LEAF = "a tensor is made by minigrad.Tensor(data, name='w'), of all parameters by params.tensors()"
_PLAIN = "arrays in, arrays out: what is given arrays records nothing; detach(tensor) cuts a graph"
_WHOLE = "it is constant almost everywhere, so take the values alone: "

REAL_PAIR = "write the real and the imaginary part as two tensors"
"""What to do where complex numbers would need a derivative."""

RECORDED = "only tensors are recorded, so take p = params.tensors() and compute with p"
"""What to do where a graph was meant, and there are arrays."""

ATTRIBUTES = {
    "grad": "each tensor has its own, minigrad.tree_map(lambda w: w.grad, params)",
    "parameters": "params is the dictionary of them, params.named() a flat one",
    "state_dict": "params is the dictionary of them, params.named() a flat one",
    "numpy": "tensor.data is the array, read-only; np.array(tensor.data) is a copy to write to",
    "zero_grad": "gradients add up in .grad: take new tensors for each step, params.tensors(), "
    "or set tensor.grad = None",
    "requires_grad": _ALL, "requires_grad_": _ALL, "grad_fn": "tensor.primitive made it",
    "retain_grad": _NAMED, "register_hook": _NAMED, "is_leaf": "tensor.primitive is None for one",
    "cpu": _CPU, "cuda": _CPU, "to": _CPU, "device": _CPU, "type": _CPU,
    "float": _CPU, "double": _CPU, "half": _CPU,
    "clone": _FRESH, "copy": _FRESH, "deepcopy": _FRESH,
    "add_": _UPDATE, "sub_": _UPDATE, "mul_": _UPDATE, "copy_": _UPDATE, "fill_": _UPDATE,
    "zero_": _UPDATE, "assign": _UPDATE, "assign_sub": _UPDATE, "fill": _UPDATE,
    "at": "a new tensor is built with where, concatenate or stack; index reads",
    "view": "write tensor.reshape(shape)", "flatten": "write tensor.reshape(-1)",
    "permute": "write tensor.transpose(axes)", "sort": "write minigrad.sort(tensor)",
    "mT": "write tensor.swapaxes(-2, -1)",
    "unsqueeze": "write minigrad.expand_dims(tensor, axis)", "expand": "write broadcast_to",
    "mm": "write a @ b", "bmm": "write a @ b", "numel": "write tensor.size",
    "dim": "write tensor.ndim", "pow": "write a ** b", "tolist": "write tensor.data.tolist()",
}  # fmt: skip
"""What a tensor has elsewhere, or the parameters of a model."""

FUNCTIONS = {
    "tensor": _LEAF, "array": _LEAF, "Variable": _LEAF, "Parameter": _LEAF, "Value": _LEAF,
    "no_grad": _PLAIN, "stop_gradient": _PLAIN, "inference_mode": _PLAIN, "enable_grad": _PLAIN,
    "GradientTape": "nothing is taped apart: value_and_grad(f)(x), or loss.backward()",
    "autograd": "write grad(f)(x), or loss.backward()", "jit": "write compile(f)",
    "function": "write compile(f)", "elementwise_grad": "write grad of the sum",
    "jacrev": "write jacobian(f)(x)", "jacfwd": "write jacobian(f)(x)",
    "vmap": "every primitive broadcasts over leading axes, so give the batch an axis in front",
    "nn": "cells are in the package rnn", "optim": "optimisers are in the package rnn",
    "sub": "write subtract", "mul": "write multiply", "div": "write divide",
    "neg": "write negative", "mm": "write matmul", "cat": "write concatenate",
    "cross_entropy": "losses are in the package rnn", "swish": "write silu",
    "hard_tanh": "write hardtanh", "soft_sign": "write softsign", "logsoftmax": "write log_softmax",
}  # fmt: skip
"""What a library has elsewhere."""

KEYWORDS = {
    "retain_graph": "a graph is kept as long as a tensor of it is", "create_graph": "use grad, "
    "whose results have derivatives", "gradient": "write backward(cotangent)",
    "dim": "write axis", "dims": "write axis", "axes": "write axis", "keepdim": "write keepdims",
    "correction": "write ddof", "unbiased": "write ddof=1", "a_min": "write low",
    "a_max": "write high", "num_classes": "write classes", "argnums": "write wrt",
    "argnum": "write wrt", "has_aux": "write value_and_grad(f, has_aux=True)",
    "requires_grad": _ALL, "device": _CPU, "dtype": "write tensor.astype(dtype)",
    "out": "results are new arrays", "inplace": "results are new arrays",
    "where": "write minigrad.where(condition, a, b)",
}  # fmt: skip
"""What an argument is called elsewhere."""

OPERATORS = {
    "lshift": ("<<", f"{_WHOLE}a.data << n"),
    "rshift": (">>", f"{_WHOLE}a.data >> n"),
}
"""Operators that have no gradient rule: their symbol, and what to write."""

UFUNCS = {"left_shift": "lshift", "right_shift": "rshift"}
"""What NumPy calls them."""

_BY_VALUES = "its shape depends on values: choose by minigrad.where, or read tensor.data"
_SIGNALS = "transforms and convolutions of signals are not in this library"

NUMPY = {
    **dict.fromkeys(("unique", "nonzero", "argwhere", "flatnonzero", "extract", "compress",
                     "histogram", "bincount", "trim_zeros", "union1d", "intersect1d"), _BY_VALUES),
    **dict.fromkeys(("fft", "convolve", "correlate"), _SIGNALS),
    **dict.fromkeys(("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"),
                    "tensors are not written to; build a new one with where, or concatenate"),
    "partition": "write minigrad.sort", "copy": _FRESH,
    "linalg.lstsq": "write minigrad.solve(x.T @ x, x.T @ y)",
    "linalg.eig": "write minigrad.eigh of a symmetric matrix",
    "linalg.pinv": "write minigrad.solve, or minigrad.inv",
}  # fmt: skip
"""Functions of NumPy that are refused on tensors, and what to do; `fft` stands for its module."""

CONVERSIONS = {
    "float": "write tensor.item() for the number; an array cannot hold a tensor",
    "int": "write int(tensor.item()) for the number; an array cannot hold a tensor",
    "complex": "write complex(tensor.item()) for the number; an array cannot hold a tensor",
    "round": f"{_WHOLE}np.round(tensor.data)",
    "floor": f"{_WHOLE}np.floor(tensor.data)",
    "ceil": f"{_WHOLE}np.ceil(tensor.data)",
    "trunc": f"{_WHOLE}np.trunc(tensor.data)",
    "index": "write int(tensor.item()) to count with it; tensors are indexed by arrays",
}
"""What Python makes of a number, and what to write."""


class _Absent:
    """An attribute that is not there, and says what is instead; to Python it does not exist."""

    def __init__(self, name: str, way: str) -> None:
        self.name, self.way = name, way

    def __get__(self, tensor: Any, owner: type | None = None) -> NoReturn:
        raise AttributeError(f"{title(tensor)} has no {self.name}: {self.way}")

    def __set__(self, tensor: Any, value: Any) -> NoReturn:
        self.__get__(tensor)


def title(tensor: Any) -> str:
    """What a message calls a tensor: by its name, if it has one."""
    name = getattr(tensor, "name", None)
    return f"tensor {name}" if name else "tensor"


def unmasked(value: Any, where: str) -> Any:
    """The value itself; an error for arrays that mean another thing than their entries."""
    if isinstance(value, numpy.ma.MaskedArray):
        raise TypeError(
            f"{where} is a masked array, whose mask would be lost; write array.filled(0.0), and "
            "minigrad.where(mask, 0.0, x) for what is masked later"
        )
    if isinstance(value, numpy.matrix):
        raise TypeError(
            f"{where} is a np.matrix, for which * is another product; write np.asarray(matrix)"
        )
    return value


def one_entry(tensor: Any, what: str) -> Any:
    """The data of a tensor, if it is one entry."""
    if tensor.data.size != 1:
        raise ValueError(
            f"{what} of {title(tensor)}{at(tensor.tag)} is for one entry, the shape is "
            f"{tensor.shape}; reduce it, or decide on tensor.data"
        )
    return tensor.data


class Refusals:
    """What a tensor does not do, and says so: the base of `Tensor`, without any state."""

    __slots__ = ()
    tag: Any

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"{title(self)}[...] = value{at(self.tag)}: tensors are not written into, a recorded "
            "gradient could change; build a new one with where, concatenate or stack"
        )

    def __delitem__(self, index: Any) -> None:
        raise TypeError(
            f"del {title(self)}[...]{at(self.tag)}: tensors are not written into; "
            "index what is to be kept, or join it with concatenate"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        # NumPy would make an array of the values, and cut the graph.
        raise TypeError(
            f"a NumPy array cannot hold {title(self)}{at(self.tag)}: the gradient would be cut "
            "without a word; write tensor.data for the values, minigrad.stack to join tensors"
        )

    def __dir__(self) -> list[str]:
        static = functools.partial(inspect.getattr_static, self)
        return [name for name in super().__dir__() if type(static(name)) is not _Absent]


def _operator(name: str, symbol: str, way: str, swapped: bool = False) -> Any:
    def refuse(self: Any, *others: Any) -> Any:
        told = f"... {symbol} {title(self)}" if swapped else f"{title(self)} {symbol} ..."
        told = told if others else f"{symbol}{title(self)}"
        raise TypeError(f"{told}{at(self.tag)} has no gradient rule here; {way}")

    return refuse


def _conversion(name: str, way: str) -> Any:
    def refuse(self: Any, *digits: Any) -> Any:
        raise TypeError(f"{name}({title(self)}){at(self.tag)}: {way}")

    return refuse


def no_rule(call: str) -> TypeError:
    """The error for a function of NumPy that has no meaning on tensors."""
    other = "`minigrad ops` lists the primitives, tensor.data gives the values alone"
    way = OPERATORS[UFUNCS[call]][1] if call in UFUNCS else (
        NUMPY.get(call) or NUMPY.get(call.partition(".")[0], other))  # fmt: skip
    return TypeError(f"np.{call} has no gradient rule here; {way}")


def call_error(
    where: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> TypeError | None:
    """The error of a call whose arguments do not fit the parameters; None if they fit."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        known = [name for name in signature.parameters if name not in ("self", "cls")]
        unknown = [key for key in kwargs if key not in known]
        told = f", not {', '.join(unknown)}" if unknown else f": {error}"
        ways = "".join(f"; {key}: {KEYWORDS[key]}" for key in unknown if key in KEYWORDS)
        return TypeError(f"{where} takes {', '.join(known)}{told}{ways}")
    return None


def explained(function: F) -> F:
    """The function, which says what it takes when it is called with something else."""
    where = function.__name__ if function.__name__ != "__new__" else "Tensor"

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError:
            told = call_error(where, function, args, kwargs)
            if told is None:
                raise
            raise told from None

    return call  # type: ignore[return-value]  # the same parameters


def function_of(where: str, f: Any) -> Any:
    """f, if it can be called; an error that says how the call is written if not."""
    if callable(f):
        return f
    raise TypeError(
        f"{where} takes a function, {where}(f{_REST[where]}, not what it returned; "
        f"got {type(f).__name__} {getattr(f, 'shape', f)!r:.40}"
    )


_REST = {"vjp": ", x)", "jvp": ", [x], [v])", "hvp": ", x, v)", "trace": ", x)"} | dict.fromkeys(
    ("grad", "value_and_grad", "jacobian", "hessian"), ")(x)")  # fmt: skip


def adopt(owner: type, functions: Sequence[str]) -> None:
    """Let a class say what to write instead of the attributes that are not there.

    These are the habits above, functions that are no methods, and what else an array has.
    """
    ways = {name: f"tensor.data.{name} is that of the values alone" for name in dir(ndarray)
            if not name.startswith("_")}  # fmt: skip
    ways |= {name: f"write minigrad.{name}(tensor, ...)" for name in functions} | ATTRIBUTES
    for name, way in ways.items():
        if not hasattr(owner, name):
            setattr(owner, name, _Absent(name, way))


def missing(name: str) -> AttributeError:
    """The error for a public name that a library has elsewhere, and not here."""
    if name in FUNCTIONS:
        way = FUNCTIONS[name]
    elif hasattr(numpy, name):
        way = f"np.{name} is that of arrays, without a gradient"
    else:
        way = "`minigrad ops` lists the primitives"
    return AttributeError(f"minigrad has no {name}: {way}")


for _name, (_symbol, _way) in OPERATORS.items():
    setattr(Refusals, f"__{_name}__", _operator(_name, _symbol, _way))
    setattr(Refusals, f"__r{_name}__", _operator(_name, _symbol, _way, True))
for _name, _way in CONVERSIONS.items():
    setattr(Refusals, f"__{_name}__", _conversion(_name, _way))
