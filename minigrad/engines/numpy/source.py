"""How operations are written in generated Python, and what has a name in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES, Array
from minigrad.graph import Node
from minigrad.lower.nodes import lifted

Lines = list[str]
Bind = Callable[[str, Any], str]
"""Gives a value that is known now a name in the source: `bind(prefix, value)`."""


class Scope:
    """Everything that has a name in the source.

    Attributes:
        names: the values by name, for `exec`.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._nodes: dict[int, str] = {}

    def bind(self, prefix: str, value: Any) -> str:
        """A new name for a value that is known now."""
        name = f"{prefix}_{len(self.names)}"
        self.names[name] = value
        return name

    def known(self, k: int, prefix: str, value: Any) -> str:
        """The name of the value of node k, known now; always the same."""
        if k not in self._nodes:
            self._nodes[k] = self.bind(prefix, value)
        return self._nodes[k]


def empty(shape: Sequence[int], dtype: Any) -> Array:
    """An array on a 64-byte boundary, where vector instructions are fastest."""
    size = int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array: Array = raw[start : start + size].view(dtype).reshape(tuple(shape))
    return array


class Buffers:
    """What gives a program its arrays.

    Attributes:
        nbytes: the size of all it gave.
    """

    def __init__(self) -> None:
        self.nbytes = 0

    def new(self, shape: Sequence[int], dtype: Any) -> Array:
        """A buffer, counted."""
        array = empty(shape, dtype)
        self.nbytes += array.nbytes
        return array


def call(node: Node, operands: Sequence[str], bind: Bind) -> str:
    """An operation that makes its result, as an expression; views are methods of the operand."""
    x = operands[0]
    if node.dtype is not None:
        if node.op in ("reshape", "expand_dims", "squeeze"):
            return f"{x}.reshape({node.shape})"
        if node.op == "transpose":
            return f"{x}.transpose({tuple(a % len(node.shape) for a in node.attrs['axes'])})"
        if node.op == "index":
            return f"{x}[{bind('at', node.attrs['position'])}]"
    return f"{function(node, node.attrs, bind)}({', '.join(operands)})"


def kernel(node: Node) -> Any:
    """The NumPy function that writes into a buffer, if there is one."""
    return PRIMITIVES[node.op].kernel if not node.attrs else None


def function(node: Node, attrs: Any, bind: Bind) -> str:
    """The name of the function that makes a node's value, with its attributes."""
    forward = PRIMITIVES[node.op].forward
    if not attrs:
        return bind(node.op, forward)
    return bind(node.op, lambda *xs, f=forward, a=dict(attrs): f(*xs, **a))


def view_of(node: Node, base: Any, steps: int | None = None) -> Any:
    """What a node is of a known array, one step or all of them; None where NumPy makes a copy."""
    if not isinstance(base, np.ndarray):
        return None
    attrs = dict(node.attrs) if steps is None else lifted(node, steps)
    view = base if node.is_alias else PRIMITIVES[node.op].forward(base, **attrs)
    shared = isinstance(view, np.ndarray) and np.may_share_memory(base, view)
    return view if shared else None


def number(constant: Node, reader: Node) -> Any:
    """A constant as its reader takes it: weak numbers in its precision, as NumPy is faster then."""
    if constant.dtype is None and reader.dtype is not None and reader.dtype.kind == "f":
        return np.array(constant.value, reader.dtype)
    return constant.value


def joined_spans(nodes: Sequence[Node], k: int) -> list[Any]:
    """The positions, in the buffer of a concatenation k, where its operands stand."""
    axis = nodes[k].attrs["axis"]
    ends = itertools.accumulate((nodes[i].shape[axis] for i in nodes[k].inputs), initial=0)
    behind = (slice(None),) * (-axis - 1)
    return [(..., slice(low, high), *behind) for low, high in itertools.pairwise(ends)]
