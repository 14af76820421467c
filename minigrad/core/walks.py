"""Derivatives: one loop over the recorded graph, backwards (vjp) or forwards (jvp).

A walk computes with arrays, unless its result is to have derivatives too: then it computes with
tensors and is itself recorded, so derivatives nest and mix to any order.
Source: Griewank and Walther, Evaluating Derivatives (2008), chapters 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.anomaly import WAY, NotFinite, heading, look
from minigrad.core.primitive import Outputs
from minigrad.core.tensor import FUNCTIONS, Tensor
from minigrad.errors import at
from minigrad.habits import REAL_PAIR
from minigrad.scopes import TAG, tagged


def pull_back(
    nodes: Sequence[Tensor], cotangents: Mapping[int, Any], wanted: Container[int], recorded: bool
) -> dict[int, Any]:
    """Carry cotangents from outputs back to every node that depends on something wanted.

    Cotangents arrive at a node from all that use it. When its turn comes they are summed, and the
    rule of its primitive turns the sum into the cotangents of its operands.

    Args:
        nodes: ancestors of the outputs, oldest first.
        cotangents: by serial number, those of the outputs.
        wanted: serial numbers of the tensors whose cotangents are asked for.
        recorded: compute with tensors, so that the result has derivatives too.

    Returns:
        Cotangents by serial number, in the shape and dtype of their tensors. A tensor the
        outputs do not depend on has no entry.
    """
    if WAY.get() == "forward":
        with heading("backward"):
            return pull_back(nodes, cotangents, wanted, recorded)
    asked = _asked(nodes, wanted)
    arrived = _Arrived(cotangents)
    arrive = arrived.keep if recorded else arrived.add
    turn = _turn_tensors if recorded else _turn_arrays
    is_watched = bool(WAY.get())
    if is_watched:
        turn = partial(_turn_watched, turn)
    found = {}
    for node in reversed(nodes):
        serial = node.serial
        if serial not in asked or (g := arrived.sum_at(node)) is None:
            continue
        if is_watched:
            given = [cotangents[serial]] if serial in cotangents else []
            look(f"the sum of the cotangents of {_called(node)}", _value(g), given)
        if serial in wanted:
            found[serial] = g
        primitive, operands = node.primitive, asked[serial]
        if primitive is None:
            continue
        if recorded and node.name and type(g) is Tensor and g.primitive and g.name is None:
            g.name = f"∂{node.name}"
        if primitive.collect is None:
            turn(node, g, operands, arrive)
        elif operands:
            arrived.keep(node.parents[0].serial, (g, node))
    return found


def _asked(nodes: Sequence[Tensor], wanted: Container[int]) -> dict[int, list[int]]:
    """For each node that depends on something wanted, the operands by which it does."""
    asked: dict[int, list[int]] = {}
    for node in nodes:
        operands = []
        primitive: Any = node.primitive
        for i, x in enumerate(node.parents):
            if type(x) is Tensor and x.serial in asked and i not in primitive.still:
                operands.append(i)
        if operands or node.serial in wanted:
            asked[node.serial] = operands
    return asked


class _Arrived:
    """The cotangents that have arrived at nodes whose turn has not come.

    Arrays are added up as they come, so that there is one for each node, however often it is
    used. The second makes a buffer of our own, as the first may be the caller's or may have gone
    to another node too. Kept until its turn is what becomes one operation: tensors, and cotangents
    of entries that were read from a node by position, each with the node that has read.
    """

    def __init__(self, start: Mapping[int, Any]) -> None:
        self.sums = dict(start)
        self.owned: set[int] = set()
        self.kept: dict[int, list[Any]] = {}

    def add(self, target: int, g: Any) -> None:
        """An array arrives at the node of that serial number."""
        total = self.sums.get(target)
        if total is None:
            self.sums[target] = g
        elif target in self.owned:
            total += g
        else:
            self.sums[target] = np.asarray(total + g)
            self.owned.add(target)

    def keep(self, target: int, g: Any) -> None:
        """A tensor arrives, or a pair: the cotangent of what was read, and the reader."""
        self.kept.setdefault(target, []).append(g)

    def sum_at(self, node: Tensor) -> Any:
        """The sum of all that arrived at a node, None if nothing did: it is the node's turn."""
        total = self.sums.pop(node.serial, None)
        if node.serial not in self.kept:
            return total
        kept = self.kept.pop(node.serial)
        reads = [pair for pair in kept if type(pair) is tuple]
        terms = [g for g in kept if type(g) is not tuple] if reads else kept
        if total is not None:
            terms.insert(0, total)
        if len(terms) == 1 and not reads:
            return terms[0]
        with tagged(node.tag or TAG.get()):
            if reads:
                terms.append(reads[0][1].primitive.collect(node, reads))
            if len(terms) > 2:
                return FUNCTIONS["add_n"](*terms)
            return terms[0] + terms[1] if len(terms) == 2 else terms[0]


Arrive = Callable[[int, Any], None]


def _turn_arrays(node: Tensor, g: Any, operands: list[int], arrive: Arrive) -> None:
    """The turn of a node in a walk that computes with arrays."""
    values = [x._data if type(x) is Tensor else x for x in node.parents]
    _turn(node, g, node._data, values, operands, arrive)


def _turn_tensors(node: Tensor, g: Any, operands: list[int], arrive: Arrive) -> None:
    """The turn of a node in a walk that is recorded: what it makes stands where the node does."""
    with tagged(node.tag):
        _turn(node, g, node, node.parents, operands, arrive)


def _turn(
    node: Tensor, g: Any, y: Any, values: Sequence[Any], operands: list[int], arrive: Arrive
) -> None:
    """The rule of a node turns its cotangent into those of its operands, where they arrive."""
    primitive: Any = node.primitive
    made = None
    try:
        if primitive.joint is not None and operands:
            made = primitive.joint(g, y, values, node.attrs, frozenset(operands))
        for i in operands:
            part = primitive.rules[i](g, y, *values, **node.attrs) if made is None else made[i]
            if part is None:
                continue
            operand = node.parents[i]
            if part.shape != operand._data.shape:
                part = sum_to(part, operand._data.shape)
            if part.dtype != operand._data.dtype:
                part = _cast(part, operand._data.dtype, node)
            arrive(operand.serial, part)
    except FloatingPointError as fault:
        raise _located(node, "cotangent", fault) from None


def _turn_watched(
    turn: Callable[..., None], node: Tensor, g: Any, operands: list[int], arrive: Arrive
) -> None:
    """The turn of a node whose cotangents are looked at."""
    names = {node.parents[i].serial: _called(node.parents[i]) for i in operands}

    def seen(target: int, part: Any) -> None:
        what = f"the rule of {_title(node)}, for the cotangent of {names[target]},"
        look(what, _value(part), [g, node, *node.parents])
        arrive(target, part)

    with tagged(node.tag):
        turn(node, g, operands, seen)


def push_forward(
    nodes: Sequence[Tensor], tangents: dict[int, Any], recorded: bool
) -> dict[int, Any]:
    """Carry tangents forward through `nodes`, oldest first; returns all, by serial number."""
    if WAY.get() == "forward":
        with heading("forward mode"):
            return push_forward(nodes, tangents, recorded)
    is_watched = bool(WAY.get())
    for node in nodes:
        primitive = node.primitive
        if primitive is None or node.serial in tangents:
            continue
        arriving = [tangents.get(x.serial) if type(x) is Tensor else None for x in node.parents]
        if primitive.kind == "stepwise" or all(
            t is None or not primitive.moves(i) for i, t in enumerate(arriving)
        ):
            continue
        try:
            if recorded:
                with tagged(node.tag):
                    tangent = primitive.push(arriving, node, node.parents, node.attrs)
            else:
                values = [x._data if type(x) is Tensor else x for x in node.parents]
                tangent = primitive.push(arriving, node._data, values, node.attrs)
        except FloatingPointError as fault:
            raise _located(node, "tangent", fault) from None
        if tangent is None:
            continue
        if type(tangent) is not Outputs:
            if tangent.shape != node.shape:
                tangent = FUNCTIONS["broadcast_to"](tangent, node.shape)
            if tangent.dtype != node.dtype:
                tangent = _cast(tangent, node.dtype, node)
        if is_watched:
            given = [t for t in arriving if t is not None]
            look(f"the rule of {_title(node)}", _value(tangent), [node, *given, *node.parents])
        tangents[node.serial] = tangent
    return tangents


def _value(x: Any) -> Any:
    return x._data if type(x) is Tensor else x


def _called(node: Tensor) -> str:
    """A node by its name, or by what made it."""
    return f"{node.name}{at(node.tag)}" if node.name else _title(node)


def _cast(part: Any, dtype: np.dtype[Any], node: Tensor) -> Any:
    """A derivative that the rule of a node made, in the precision of the tensor it belongs to."""
    if part.dtype.kind == "c" and dtype.kind != "c":
        raise TypeError(
            f"{_title(node)}: a derivative through complex numbers, and there are only those of "
            f"real numbers; {REAL_PAIR}"
        )
    return FUNCTIONS["astype"](part, dtype)


def _located(node: Tensor, what: str, fault: FloatingPointError) -> FloatingPointError:
    """An overflow or the like in the rules of a node, with the place of the node."""
    if isinstance(fault, NotFinite):
        return fault
    return FloatingPointError(f"{what} of {_title(node)}: {fault}")


def _title(node: Tensor) -> str:
    return f"{node.primitive.name if node.primitive else 'gradient'}{at(node.tag)}"


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which an operand of that shape was broadcast."""
    now, lead = g.shape, g.ndim - len(shape)
    if lead:
        axes = tuple(range(lead))
        g = np.add.reduce(g, axes) if type(g) is np.ndarray else FUNCTIONS["sum"](g, axis=axes)
    stretched = tuple(k for k, n in enumerate(shape) if n == 1 and now[k + lead] != 1)
    return FUNCTIONS["sum"](g, axis=stretched, keepdims=True) if stretched else g
