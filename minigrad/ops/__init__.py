"""The table of primitives, by what they do, and the functions composed of them."""

from minigrad.core import Tensor
from minigrad.habits import adopt
from minigrad.ops import numpy_face as _  # noqa: F401  # registers what NumPy's functions do
from minigrad.ops.composite import mean, norm, std, var
from minigrad.ops.elementwise import (
    abs,
    absolute,
    add,
    alias,
    astype,
    clip,
    cos,
    detach,
    divide,
    equal,
    exp,
    expm1,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    one_hot,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from minigrad.ops.indexing import index, lookup, pick, put, scatter, spread, take
from minigrad.ops.products import contract, matmul, outer, product
from minigrad.ops.reductions import (
    add_n,
    cumsum,
    log_softmax,
    logsumexp,
    max,
    min,
    prod,
    softmax,
    sum,
)
from minigrad.ops.shapes import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    moveaxis,
    pad,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
    unstack,
    zeros_like,
)

__all__ = [
    "abs", "absolute", "add", "add_n", "alias", "astype", "broadcast_to", "clip", "concatenate",
    "contract", "cos", "cumsum", "detach", "divide", "equal", "exp", "expand_dims", "expm1",
    "flip", "greater", "greater_equal", "index", "less", "less_equal", "log", "log1p",
    "log_softmax", "logical_and", "logical_not", "logsumexp", "lookup", "matmul", "max",
    "maximum", "mean", "min", "minimum", "moveaxis", "multiply", "negative", "norm",
    "not_equal", "one_hot", "outer", "pad", "pick", "power", "prod", "product", "put", "relu",
    "reshape", "scatter", "sigmoid", "sign", "sin", "softmax", "softplus", "split", "spread",
    "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take", "tanh",
    "transpose", "unstack", "var", "where", "zeros_like",
]  # fmt: skip
adopt(Tensor, __all__)
