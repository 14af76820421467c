"""How operations are written in generated Python: shared by the programs of loops and of graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.graph import Node

Bind = Callable[[str, Any], str]
"""Gives a value that is known now a name in the source: `bind(prefix, value)`."""


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


def function(node: Node, attrs: Any, bind: Bind) -> str:
    """The name of the function that makes a node's value, with its attributes."""
    forward = PRIMITIVES[node.op].forward
    if not attrs:
        return bind(node.op, forward)
    return bind(node.op, lambda *xs, f=forward, a=dict(attrs): f(*xs, **a))


def lifted(node: Node, steps: int) -> dict[str, Any]:
    """The attributes with which an operation works on that many steps along an axis in front."""
    lift = PRIMITIVES[node.op].lift
    return lift(node.attrs, steps) if callable(lift) else dict(node.attrs)


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
