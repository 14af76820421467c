"""How operations become instructions: what writes into a buffer, what is only a view."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.engines.numpy.instructions import Body, Call, Copy, Look, Make, Operand, View
from minigrad.graph import Node
from minigrad.lower.nodes import lifted

Function = Callable[..., Any]


def written(node: Node, operands: Sequence[Operand], out: View, made: Function) -> Body:
    """What computes a node into its place: by its kernel, or by a function that allocates."""
    if function := kernel(node):
        return [Call(node.op, function, tuple(operands), out)]
    if node.op != "add_n":
        return [Make(node.op, made, tuple(operands), out)]
    first, *others = operands
    if not others:
        return [Copy(first, out)]
    terms = [(first, others[0]), *((out, x) for x in others[1:])]
    return [Call("add", np.add, pair, out) for pair in terms]


def kernel(node: Node) -> Any:
    """The NumPy function that writes into a buffer, if there is one."""
    return PRIMITIVES[node.op].kernel if not node.attrs else None


def maker(node: Node) -> Function:
    """The function that makes a node's value; another view of an array is a method's."""
    if node.dtype is not None:
        if node.op in ("reshape", "expand_dims", "squeeze"):
            return Look("reshape", node.shape)
        if node.op == "transpose":
            return Look("transpose", tuple(a % len(node.shape) for a in node.attrs["axes"]))
        if node.op == "index":
            return Look("item", node.attrs["position"])
    return function(node, node.attrs)


def function(node: Node, attrs: Mapping[str, Any]) -> Function:
    """The function that makes a node's value, with these attributes."""
    forward = PRIMITIVES[node.op].forward
    return (lambda *xs, f=forward, a=dict(attrs): f(*xs, **a)) if attrs else forward


def shared(see: Function, base: Any) -> Any:
    """What a function makes of a known array where that is a view, otherwise None."""
    view = see(base) if isinstance(base, np.ndarray) else None
    return view if isinstance(view, np.ndarray) and np.may_share_memory(base, view) else None


def view_of(node: Node, base: Any, steps: int | None = None) -> Any:
    """What a node is of a known array, one step or all of them; None where NumPy makes a copy."""
    attrs = node.attrs if steps is None else lifted(node, steps)
    return shared((lambda x: x) if node.is_alias else function(node, attrs), base)


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
