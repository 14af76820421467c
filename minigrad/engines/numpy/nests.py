"""Nests as instructions: chunks of steps, and in each the steps one by one."""

from __future__ import annotations

import numpy as np

from minigrad.engines.numpy import instructions as code
from minigrad.engines.numpy.calls import on_all_steps
from minigrad.engines.numpy.instructions import Body
from minigrad.engines.numpy.needs import WHOLE
from minigrad.engines.numpy.operands import Operands
from minigrad.engines.numpy.operations import Function, function, written
from minigrad.engines.numpy.tiles import Cut, cut_of
from minigrad.lower.schedule import Nest


def in_steps(of: Operands, nest: Nest) -> Body:
    """Chunks of steps; in each the batched operations, then the steps one by one."""
    if not of.T:
        return []
    before, first, each = Body(), Body(), Body()
    for k in nest.batched:
        first += on_all_steps(of, k, chunked=True)
    for k in nest.looped:
        if of.nodes[k].lowering.joins:
            # What it takes from outside of the loop is copied for the chunk at once.
            inputs, whole = of.nodes[k].inputs, of.storage.values[k].level == WHOLE
            early = {n for n, i in enumerate(inputs) if whole and i not in nest.inside}
            first += of.copies(k, early, moving=True)
            each += of.copies(k, set(range(len(inputs))) - early, moving=True)
        else:
            each += _at_a_step(of, k, before)
    if not (first or each):
        return []
    chunk = of.storage.needs.chunk[nest]
    return [*before, code.Loop(of.T, chunk, nest.direction, tuple(first), tuple(each))]


def _at_a_step(of: Operands, k: int, before: Body) -> Body:
    """What computes node k at one step; its weight is laid out before."""
    node = of.nodes[k]
    if of.is_there(k):
        return []
    if node.op == "matmul" and (product := _product(of, k, before)):
        return [product]
    operands = [of.operand(k, i, moving=True) for i in node.inputs]
    return written(node, operands, of.target(k), function(node, node.attrs))


def _product(of: Operands, k: int, before: Body) -> code.Product | None:
    """A step's product with a fixed weight: cut into tiles if that pays, or plain."""
    node, (left, right) = of.nodes[k], of.nodes[k].inputs
    a, y, weight = of.moving(left), of.target(k), of.nodes[right]
    if right not in of.plan.fixed or not isinstance(a, code.View):
        return None
    if len(node.shape) != 2 or len(weight.shape) != 2 or not a.dtype == y.dtype == weight.dtype:
        return None
    cut = cut_of(*node.shape[:1], *weight.shape, y.dtype.name)
    laid = _laid_out(of, right, cut, before)
    if cut is not None:
        tag = f"_{cut.m}x{cut.n}"
        left_tiles, tiles = of.moving(left, cut.left, tag), of.target(k, cut.out, tag)
        return code.Product("matmul", left_tiles, laid, tiles)
    plain = all(of.buffers.array(x).flags.c_contiguous for x in (a, y))
    return code.Product("dot" if plain else "matmul", a, laid, y)


def _laid_out(of: Operands, k: int, cut: Cut | None, before: Body) -> code.Operand:
    """A fixed weight in the layout of its product: copied once a run, if it is another."""
    value, node = of.storage.values[k], of.nodes[k]
    see: Function = cut.weight if cut else lambda w: w
    if value.array is not None and see(value.array).flags.c_contiguous:
        return of.view(see(value.array), "weight")
    shape = see(np.empty(node.shape, np.uint8)).shape
    copy = of.place(of.buffers.new(shape, node.dtype), "weight")
    before.append(code.Copy(of.seen(of.of(k), see, "layout", before), copy))
    return copy
