"""Calls: what needs no loop of its own, made once or on all steps together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import PRIMITIVES
from minigrad.engines.numpy import instructions as code
from minigrad.engines.numpy.instructions import Body
from minigrad.engines.numpy.needs import WHOLE
from minigrad.engines.numpy.operands import Operands
from minigrad.engines.numpy.operations import Function, function, maker, shared, written
from minigrad.graph import Node
from minigrad.lower.nodes import lifted


def once(of: Operands, k: int) -> Body:
    """What computes node k, which depends on no step."""
    node, value, body = of.nodes[k], of.storage.values[k], Body()
    if of.is_there(k):
        return body
    if k in of.storage.loops:
        inner = of.storage.loops[k]
        return [code.Run(value.name, inner.program, tuple(map(of.of, inner.operands)))]
    if node.op == "project" and node.inputs[0] in of.storage.loops:
        made: Function = code.Look("item", of.storage.loops[node.inputs[0]].places[node.attrs["k"]])
    else:
        made = maker(node)
    operands = tuple(of.operand(k, i) for i in node.inputs)
    if value.array is None:
        return [code.Make(node.op, made, operands, value.name)]
    if node.lowering.joins:
        return of.copies(k, range(len(node.inputs)))
    if node.op == "matmul" and (product := _product_of_rows(of, k, body)):
        return [*body, product]
    return written(node, operands, of.into(k), made)


def on_all_steps(of: Operands, k: int, chunked: bool = False) -> Body:
    """What computes node k at all steps: those of a chunk, or the whole sequence."""
    node, body = of.nodes[k], Body()
    if of.is_there(k):
        return body
    if node.lowering.joins:
        return of.copies(k, range(len(node.inputs)), chunked)
    out = of.target(k) if chunked else of.into(k)
    if node.op == "matmul" and not chunked and (product := _product_of_rows(of, k, body)):
        return [*body, product]
    if PRIMITIVES[node.op].lift == "align":
        operands = [of.aligned(k, i, body, chunked) for i in node.inputs]
    elif chunked or node.op == "lookup":
        operands = [of.operand(k, i, chunked) for i in node.inputs]
    else:
        operands = [of.whole(i, body) for i in node.inputs]
    made = _on_chunk(node) if chunked else function(node, lifted(node, of.T))
    return [*body, *written(node, operands, out, made)]


def _product_of_rows(of: Operands, k: int, body: Body) -> code.Instruction | None:
    """A product with a fixed matrix, of the rows of all leading axes at once."""
    left, right = of.nodes[k].inputs
    whole = [of.storage.values[i].level == WHOLE for i in (left, right)]
    if whole[1] or len(of.nodes[right].shape) != 2:
        return None
    if of.nodes[right].shape[0] == 1:  # a product over one term
        row = of.seen(of.of(right), code.Look("item", 0), "row", body)
        return code.Call("multiply", np.multiply, (of.of(left), row), of.into(k))
    rows = shared(of.as_rows(k), of.storage.values[k].array)
    if rows is None or (not whole[0] and len(of.nodes[left].shape) < 3):
        return None
    return code.Product("matmul", of.rows(left, body), of.of(right), of.place(rows, "rows"))


def _on_chunk(node: Node) -> Callable[..., Any]:
    """The operation on all steps of a chunk, however many it has."""
    forward = PRIMITIVES[node.op].forward
    return lambda x, *xs: forward(x, *xs, **lifted(node, len(x)))
